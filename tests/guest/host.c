/* A C host for tests/live/test_s14_*.py: it opens reprise, does what its first argument says, and ends as a host would.
 *
 *   guest_host VERB URL DATABASE FOLDER [ARGUMENTS…]
 *
 *   exit KIND MILLISECONDS HOW   starts a job and ends while it runs; HOW: return, exit, quick_exit, _exit, seven (its own
 * code) forks COUNT idle|busy        forks COUNT times from an opened parent, and checks what every child meets orphan forks a
 * child that closes and lives on, starts a backup, waits to be killed manners                      whole cycle of jobs; looks
 * at what belongs to the host before and after run KIND [OPTIONS]           one job; prints its code, reason, and peak memory
 * in KiB hang KIND                    starts a job, prints a line, and waits for standard input to end; then cancels it
 */
#define _GNU_SOURCE 1
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reprise/reprise.h"

extern char** environ;

#define NEED(condition)                                                             \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            exit(99);                                                               \
        }                                                                           \
    } while (0)

static reprise_engine* engine;
static reprise_error error;

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

static void sleep_ms(long ms) {
    struct timespec nap;
    nap.tv_sec = ms / 1000;
    nap.tv_nsec = ms % 1000 * 1000000L;
    nanosleep(&nap, NULL);
}

static void fail(const char* what) {
    fprintf(stderr, "%s: %d %s: %s\n", what, (int)error.code, error.reason, error.message);
    exit(98);
}

static void open_as(char** arguments) {
    char config[2048];
    snprintf(config, sizeof config, "{\"mongo_url\":\"%s\",\"database\":\"%s\",\"directory\":\"%s\"}", arguments[0],
             arguments[1], arguments[2]);
    if (reprise_open(config, REPRISE_NUL, &engine, &error) != REPRISE_OK) fail("open");
}

static uint64_t start(const char* kind) {
    uint64_t job = 0;
    if (reprise_job_start(engine, kind, REPRISE_NUL, NULL, 0, &job, &error) != REPRISE_OK) fail(kind);
    return job;
}

static int32_t run(const char* kind, const char* options) {
    char* json = NULL;
    const int32_t code =
        reprise_run(engine, kind, REPRISE_NUL, options, options != NULL ? REPRISE_NUL : 0, &json, NULL, &error);
    reprise_free(json);
    return code;
}

static int end_while_busy(const char* kind, long ms, const char* how) {
    (void)start(kind);
    sleep_ms(ms);
    if (strcmp(how, "exit") == 0) exit(0);
    if (strcmp(how, "quick_exit") == 0) quick_exit(0);
    if (strcmp(how, "_exit") == 0) _exit(0);
    if (strcmp(how, "seven") == 0) exit(7);
    return 0;
}

/* A child of an idle parent works: it backs up, closes, and ends with its exit handlers. */
static void child_of_idle(void) {
    if (run("backup", "{\"wait_ms\":60000}") != REPRISE_OK) fail("backup in a child");
    reprise_close(engine);
    exit(0);
}

/* A child of a busy one is told so at once, by each call, and ends as well. */
static void child_of_busy(void) {
    const long begun = now_ms();
    char* json = NULL;
    NEED(run("backup", NULL) == REPRISE_E_BUSY && strcmp(error.reason, "forked_while_busy") == 0);
    NEED(reprise_list(engine, &json, NULL, &error) == REPRISE_E_BUSY);
    reprise_close(engine);
    NEED(now_ms() - begun < 1000);
    exit(0);
}

static int fork_often(long count, int busy) {
    long i, longest = 0;
    uint64_t job = busy ? start("backup") : 0;
    for (i = 0; i < count; ++i) {
        const long begun = now_ms();
        int status = 0;
        const pid_t child = fork();
        NEED(child >= 0);
        if (child == 0) {
            alarm(60);
            if (busy)
                child_of_busy();
            else
                child_of_idle();
        }
        NEED(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "child %ld ended with %d\n", i, status);
            return 1;
        }
        if (now_ms() - begun > longest) longest = now_ms() - begun;
    }
    if (busy) (void)reprise_job_cancel(engine, job, NULL);
    reprise_close(engine);
    printf("%ld children, the longest %ld ms\n", count, longest);
    return 0;
}

static int leave_an_orphan(void) {
    reprise_job_status status;
    const uint64_t job = start("backup");
    pid_t child;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    while (status.documents == 0) { /* until it reads: locks and lease are held */
        NEED(reprise_job_wait(engine, job, 1, &status, &error) == REPRISE_OK);
        NEED(status.state == REPRISE_JOB_RUNNING);
    }
    child = fork();
    if (child == 0) {
        reprise_close(engine);
        fclose(stdout);
        sleep_ms(60000);
        _exit(0);
    }
    printf("%ld\n", (long)child);
    fflush(stdout);
    sleep_ms(60000);
    return 1;
}

/* What belongs to the host: dispositions and mask of signals, umask, folder, locale, environment, descriptors. */
struct manners {
    struct sigaction actions[65];
    sigset_t blocked;
    mode_t mask;
    char folder[1024], locale[256];
    char** variables;
    int descriptors;
};

static int count_descriptors(void) {
    int count = 0;
    DIR* folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL) ++count;
    closedir(folder);
    return count;
}

static void look(struct manners* at) {
    int signal_number;
    memset(at, 0, sizeof *at);
    for (signal_number = 1; signal_number < 65; ++signal_number) sigaction(signal_number, NULL, &at->actions[signal_number]);
    sigprocmask(SIG_SETMASK, NULL, &at->blocked);
    at->mask = umask(077);
    umask(at->mask);
    NEED(getcwd(at->folder, sizeof at->folder) != NULL);
    snprintf(at->locale, sizeof at->locale, "%s", setlocale(LC_ALL, NULL));
    at->variables = environ;
    at->descriptors = count_descriptors();
}

static void host_handler(int number) { (void)number; }

static int keep_manners(void) {
    struct manners before, after;
    int signal_number;
    char* json = NULL;
    setlocale(LC_ALL, "C.UTF-8");
    umask(027);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGUSR1, host_handler);
    signal(SIGINT, host_handler);
    NEED(run("backup", NULL) == REPRISE_OK); /* what is opened once and kept (OpenSSL's, the resolver's) is open now */
    look(&before);
    NEED(run("backup", NULL) == REPRISE_OK);
    NEED(run("verify", NULL) == REPRISE_OK);
    NEED(run("restore", NULL) == REPRISE_OK);
    NEED(run("startup", NULL) == REPRISE_OK);
    NEED(run("verify", "{\"file\":\"not there\"}") != REPRISE_OK);
    NEED(reprise_list(engine, &json, NULL, &error) == REPRISE_OK);
    reprise_free(json);
    look(&after);
    for (signal_number = 1; signal_number < 65; ++signal_number) {
        NEED(before.actions[signal_number].sa_handler == after.actions[signal_number].sa_handler);
        NEED(before.actions[signal_number].sa_flags == after.actions[signal_number].sa_flags);
        NEED(sigismember(&before.blocked, signal_number) == sigismember(&after.blocked, signal_number));
    }
    NEED(before.mask == after.mask && before.mask == 027);
    NEED(strcmp(before.folder, after.folder) == 0);
    NEED(strcmp(before.locale, after.locale) == 0);
    NEED(before.variables == after.variables);
    NEED(before.descriptors == after.descriptors);
    reprise_close(engine);
    return 0;
}

static int run_one(const char* kind, const char* options) {
    struct rusage usage;
    const int32_t code = run(kind, options);
    reprise_close(engine);
    getrusage(RUSAGE_SELF, &usage);
    printf("%d %s %ld\n", (int)code, code == REPRISE_OK ? "-" : error.reason, usage.ru_maxrss);
    return 0;
}

/* Prints "started", then when standard input ends how long the job took to end after its cancel: "STATE MILLISECONDS". */
static int hang(const char* kind) {
    reprise_job_status status;
    uint64_t job = start(kind);
    long begun;
    char byte;
    printf("started\n");
    fflush(stdout);
    while (read(0, &byte, 1) > 0) continue;
    begun = now_ms();
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    NEED(reprise_job_cancel(engine, job, &error) == REPRISE_OK);
    NEED(reprise_job_wait(engine, job, 30000, &status, &error) == REPRISE_OK);
    printf("%d %ld\n", (int)status.state, now_ms() - begun);
    begun = now_ms();
    reprise_close(engine);
    printf("closed in %ld\n", now_ms() - begun);
    return 0;
}

int main(int count, char** arguments) {
    const char* verb = count > 4 ? arguments[1] : "";
    const char* first = count > 5 ? arguments[5] : "";
    const char* second = count > 6 ? arguments[6] : NULL;
    if (count < 5) return 97;
    open_as(arguments + 2);
    if (strcmp(verb, "exit") == 0 && count == 8) return end_while_busy(first, atol(second), arguments[7]);
    if (strcmp(verb, "forks") == 0 && count == 7) return fork_often(atol(first), strcmp(second, "busy") == 0);
    if (strcmp(verb, "orphan") == 0) return leave_an_orphan();
    if (strcmp(verb, "manners") == 0) return keep_manners();
    if (strcmp(verb, "run") == 0 && count >= 6) return run_one(first, second);
    if (strcmp(verb, "hang") == 0 && count == 6) return hang(first);
    return 97;
}
