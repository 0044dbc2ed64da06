// Loaded before libc into a victim of the fault tests: counts what it asks of the file system below one folder, and lets
// one chosen call fail. Clocks can be moved too. Built by tests/fault/run.sh; the tests tell it by its environment:
//   REPRISE_FAULT_FOLDER  only paths below it count (an absolute path without links)
//   REPRISE_FAULT_LOG     gets a line "kind path" for every call that counts, and "hit kind path" for one that failed
//   REPRISE_FAULT_CALL    "kind:n": the n-th call of that kind fails; "kind:n+": it and all later ones of that kind
//   REPRISE_FAULT_ERROR   with this errno; "short" (write alone): half of the bytes are written, which is no error;
//                         "kill": kill -9 instead of the call, "torn" (write alone): after half of the bytes
//   REPRISE_FAULT_CLOCK   "SECONDS": CLOCK_REALTIME is moved by so many; "=SECONDS": it stands at that time;
//                         "SECONDS@N": it is moved from its N-th reading on
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN, CREATE, WRITE, SYNC, RENAME, LINK, SYMLINK, UNLINK, MKDIR, CHMOD, TRUNCATE, READ, STAT, READLINK, KINDS };
static const char *const names[KINDS] = {"open",   "create", "write", "sync",     "rename", "link", "symlink",
                                         "unlink", "mkdir",  "chmod", "truncate", "read",   "stat", "readlink"};

static const char *folder, *log_path;
static size_t folder_length;
static int chosen = -1, first = 0, lasting = 0, error = 0, is_short = 0, is_kill = 0, is_torn = 0, log_fd = -1;
static int passed[KINDS];
static long clock_shift, clock_stands, clock_from, clock_readings;

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *call = getenv("REPRISE_FAULT_CALL"), *how = getenv("REPRISE_FAULT_ERROR");
    const char *shift = getenv("REPRISE_FAULT_CLOCK");
    folder = getenv("REPRISE_FAULT_FOLDER");
    folder_length = folder ? strlen(folder) : 0;
    log_path = getenv("REPRISE_FAULT_LOG");
    if (shift && *shift == '=') clock_stands = atol(shift + 1);
    else if (shift) clock_shift = atol(shift), clock_from = strchr(shift, '@') ? atol(strchr(shift, '@') + 1) : 0;
    if (how) is_short = strcmp(how, "short") == 0, error = atoi(how);
    if (how) is_kill = strcmp(how, "kill") == 0, is_torn = strcmp(how, "torn") == 0;
    for (int kind = 0; call && kind < KINDS; ++kind) {
        const size_t length = strlen(names[kind]);
        if (strncmp(call, names[kind], length) != 0 || call[length] != ':') continue;
        chosen = kind, first = atoi(call + length + 1), lasting = strchr(call, '+') != NULL;
    }
}

// The call's path as the log has it; 0 when it lies elsewhere.
static int below(int at, const char *path, char *whole) {
    char link[64];
    ssize_t length = 0;
    if (!folder) return 0;
    if (!path || path[0] != '/') {
        if (at == AT_FDCWD) return 0;
        snprintf(link, sizeof link, "/proc/self/fd/%d", at);
        REAL(readlink);
        length = real(link, whole, PATH_MAX);
        if (length < 0) return 0;
    }
    whole[length] = 0;
    if (path) snprintf(whole + length, (size_t)(2 * PATH_MAX - length), length ? "/%s" : "%s", path);
    return strncmp(whole, folder, folder_length) == 0 && (whole[folder_length] == '/' || whole[folder_length] == 0);
}

static void note(const char *what, int kind, const char *whole) {
    char line[2 * PATH_MAX + 64];
    REAL(write);
    if (!log_path) return;
    if (log_fd < 0) log_fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const int size = snprintf(line, sizeof line, "%s%s %s\n", what, names[kind], whole);
    if (real(log_fd, line, (size_t)size) != size) abort();
}

// True when this call is to fail; errno is set then.
static int fails(enum kind kind, int at, const char *path) {
    char whole[2 * PATH_MAX + 8];
    const int before = errno;
    if (!below(at, path, whole)) return errno = before, 0;
    const int number = __sync_add_and_fetch(&passed[kind], 1);
    note("", (int)kind, whole);
    errno = before;
    if ((int)kind != chosen || (lasting ? number < first : number != first)) return 0;
    note("hit ", (int)kind, whole);
    if (is_kill) raise(SIGKILL);
    errno = error;
    return 1;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
    REAL(openat);
    if (fails(flags & O_CREAT ? CREATE : OPEN, at, path)) return -1;
    return real(at, path, flags, mode);
}

#define OPENER(name, ...)                                          \
    mode_t mode = 0;                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                         \
        va_list more;                                              \
        va_start(more, flags);                                     \
        mode = va_arg(more, mode_t);                               \
        va_end(more);                                              \
    }                                                              \
    return open_at(__VA_ARGS__, path, flags, mode)

int open(const char *path, int flags, ...) { OPENER(open, AT_FDCWD); }
int open64(const char *path, int flags, ...) { OPENER(open64, AT_FDCWD); }
int openat(int at, const char *path, int flags, ...) { OPENER(openat, at); }
int openat64(int at, const char *path, int flags, ...) { OPENER(openat64, at); }

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    if (!fails(WRITE, fd, NULL)) return real(fd, bytes, count);
    if (is_torn && real(fd, bytes, count / 2) >= 0) raise(SIGKILL);
    return is_short ? real(fd, bytes, count > 1 ? count / 2 : count) : -1;
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite);
    if (!fails(WRITE, fd, NULL)) return real(fd, bytes, count, at);
    if (is_torn && real(fd, bytes, count / 2, at) >= 0) raise(SIGKILL);
    return is_short ? real(fd, bytes, count > 1 ? count / 2 : count, at) : -1;
}

#define WRAP(kind, at, path, type, name, signature, ...) \
    type name signature {                                \
        REAL(name);                                      \
        return fails(kind, at, path) ? (type)-1 : real(__VA_ARGS__); \
    }
WRAP(WRITE, fd, NULL, ssize_t, writev, (int fd, const struct iovec *all, int count), fd, all, count)
WRAP(SYNC, fd, NULL, int, fsync, (int fd), fd)
WRAP(SYNC, fd, NULL, int, fdatasync, (int fd), fd)
WRAP(RENAME, AT_FDCWD, b, int, rename, (const char *a, const char *b), a, b)
WRAP(RENAME, to, b, int, renameat, (int from, const char *a, int to, const char *b), from, a, to, b)
WRAP(RENAME, to, b, int, renameat2, (int from, const char *a, int to, const char *b, unsigned flags), from, a, to, b, flags)
WRAP(LINK, to, b, int, linkat, (int from, const char *a, int to, const char *b, int flags), from, a, to, b, flags)
WRAP(SYMLINK, to, b, int, symlinkat, (const char *a, int to, const char *b), a, to, b)
WRAP(UNLINK, AT_FDCWD, a, int, unlink, (const char *a), a)
WRAP(UNLINK, at, a, int, unlinkat, (int at, const char *a, int flags), at, a, flags)
WRAP(MKDIR, AT_FDCWD, a, int, mkdir, (const char *a, mode_t mode), a, mode)
WRAP(MKDIR, at, a, int, mkdirat, (int at, const char *a, mode_t mode), at, a, mode)
WRAP(CHMOD, fd, NULL, int, fchmod, (int fd, mode_t mode), fd, mode)
WRAP(CHMOD, at, a, int, fchmodat, (int at, const char *a, mode_t mode, int flags), at, a, mode, flags)
WRAP(TRUNCATE, fd, NULL, int, ftruncate, (int fd, off_t size), fd, size)
WRAP(READ, fd, NULL, ssize_t, read, (int fd, void *into, size_t count), fd, into, count)
WRAP(READ, fd, NULL, ssize_t, pread, (int fd, void *into, size_t count, off_t at), fd, into, count, at)
WRAP(STAT, AT_FDCWD, a, int, stat, (const char *a, struct stat *into), a, into)
WRAP(STAT, fd, NULL, int, fstat, (int fd, struct stat *into), fd, into)
WRAP(STAT, at, a, int, fstatat, (int at, const char *a, struct stat *into, int flags), at, a, into, flags)
WRAP(READLINK, at, a, ssize_t, readlinkat, (int at, const char *a, char *into, size_t size), at, a, into, size)

int clock_gettime(clockid_t which, struct timespec *into) {
    REAL(clock_gettime);
    const int result = real(which, into);
    if (result != 0 || which != CLOCK_REALTIME) return result;
    if (clock_stands) into->tv_sec = clock_stands, into->tv_nsec = 0;
    else if (__sync_add_and_fetch(&clock_readings, 1) >= clock_from) into->tv_sec += clock_shift;
    return result;
}
