// OFD locks: owned by the open file, not by the process, so that closing some other descriptor of the file loses nothing
// and two threads exclude each other. A forked child shares them: it must close, never unlock.
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/failure.h"
#include "store/files.h"
#include "store/local.h"

namespace reprise {
namespace {

constexpr int kMaxReopens = 8;
constexpr std::int64_t kStateWaitMs = 10 * 1000;
constexpr std::size_t kMaxHolderBytes = 4096;

struct Held {
    std::uint64_t id;
    int fd;
    pid_t owner;
    dev_t device;
    ino_t inode;
};

// Never destroyed: a child or a thread of the host may still be here when the process's statics go.
struct Table {
    std::mutex mutex;
    std::vector<Held> held;
    std::uint64_t next_id = 1;
};
Table& table() {
    static Table* const one = new Table;
    return *one;
}

void close_inherited(Table& all) {
    const pid_t self = ::getpid();
    std::size_t kept = 0;
    for (const Held& held : all.held) {
        if (held.owner == self) {
            all.held[kept++] = held;
        } else {
            ::close(held.fd);
        }
    }
    all.held.resize(kept);
}

// Around a fork the table is held, so that the child finds it whole.
void handle_forks() {
    static std::once_flag once;
    std::call_once(once, [] {
        ::pthread_atfork([] { table().mutex.lock(); }, [] { table().mutex.unlock(); },
                         [] {
                             close_inherited(table());
                             table().mutex.unlock();
                         });
    });
}

// True when locked, false when somebody else has it.
bool try_lock(int fd, const std::string& path) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    int error = ::fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
    if (error == EINVAL || error == ENOSYS) error = ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
    if (error == 0) return true;
    if (error == EAGAIN || error == EACCES || error == EWOULDBLOCK) return false;
    Failure failure = system_failure("cannot lock " + path, error);
    failure.reason = "lock_unsupported";
    failure.message += "; the folder must lie on a file system with locks";
    throw failure;
}

void unlock(int fd) {
    struct flock lock {};
    lock.l_type = F_UNLCK;
    if (::fcntl(fd, F_OFD_SETLK, &lock) != 0) (void)::flock(fd, LOCK_UN);
}

Descriptor open_lock_file(const Folder& hidden, const char* name) {
    Descriptor fd(::openat(hidden.at(), name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    if (!fd.valid()) throw_system("cannot open " + hidden.of(name), errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) == 0 && (info.st_mode & 0777) != 0600) (void)::fchmod(fd.get(), 0600);
    return fd;
}

// The file that was locked is still the one that stands under the name (nobody replaced `.reprise/` meanwhile).
bool still_named(const Folder& hidden, const char* name, const struct stat& mine) {
    struct stat named {};
    return ::fstatat(hidden.at(), name, &named, AT_SYMLINK_NOFOLLOW) == 0 && named.st_ino == mine.st_ino &&
           named.st_dev == mine.st_dev;
}

// The id of the lock in the table, or 0 when somebody else has it.
std::uint64_t acquire(const std::string& folder, const char* name, int& fd_out) {
    handle_forks();
    Table& all = table();
    const Folder hidden = open_subfolder(open_folder(folder), kHidden, true);
    for (int attempt = 0; attempt < kMaxReopens; ++attempt) {
        Descriptor fd = open_lock_file(hidden, name);
        struct stat info {};
        if (::fstat(fd.get(), &info) != 0) throw_system("cannot look at " + hidden.of(name), errno);
        const std::lock_guard<std::mutex> hold(all.mutex);
        for (const Held& held : all.held)
            if (held.device == info.st_dev && held.inode == info.st_ino) return 0;
        if (!try_lock(fd.get(), hidden.of(name))) return 0;
        if (!still_named(hidden, name, info)) continue;
        all.held.push_back({all.next_id, fd.get(), ::getpid(), info.st_dev, info.st_ino});
        fd_out = fd.release();
        return all.next_id++;
    }
    return 0;
}

// In a child the entry is gone and the descriptor closed, so nothing is touched.
void release(std::uint64_t id, bool wipe) {
    Table& all = table();
    const std::lock_guard<std::mutex> hold(all.mutex);
    for (std::size_t i = 0; i < all.held.size(); ++i) {
        if (all.held[i].id != id) continue;
        const Held held = all.held[i];
        all.held.erase(all.held.begin() + static_cast<std::ptrdiff_t>(i));
        if (held.owner == ::getpid()) {
            if (wipe && ::ftruncate(held.fd, 0) != 0) {
                // The text is for people only and is not believed without a lock.
            }
            unlock(held.fd);
        }
        ::close(held.fd);
        return;
    }
}

class HeldFolder : public FolderLock {
public:
    explicit HeldFolder(std::uint64_t id) : id_(id) {}
    ~HeldFolder() override { release(id_, true); }

private:
    std::uint64_t id_;
};

}  // namespace

std::unique_ptr<FolderLock> FolderLock::try_acquire(const std::string& folder, const std::string& holder) {
    int fd = -1;
    const std::uint64_t id = acquire(absolute_path(folder), "operation.lock", fd);
    if (id == 0) return nullptr;
    auto lock = std::make_unique<HeldFolder>(id);
    const std::string text = holder.substr(0, kMaxHolderBytes);
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        throw_system("cannot write " + absolute_path(folder) + "/.reprise/operation.lock", errno);
    return lock;
}

std::string FolderLock::holder_of(const std::string& folder) {
    const std::string path = absolute_path(folder);
    if (!folder_exists(path)) return {};
    const Folder hidden = open_subfolder(open_folder(path), kHidden, false);
    if (!hidden.fd.valid()) return {};
    const Descriptor fd(::openat(hidden.at(), "operation.lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid()) return {};
    struct flock lock {};
    lock.l_type = F_RDLCK;
    if (::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK) return {};
    return read_all(fd.get(), kMaxHolderBytes, hidden.of("operation.lock"));
}

void close_locks_in_child() {
    Table& all = table();
    const std::lock_guard<std::mutex> hold(all.mutex);
    close_inherited(all);
}

StateLock::StateLock(const std::string& folder) : id_(0) {
    const std::string path = absolute_path(folder);
    const std::int64_t end_ms = system_clock().boot_ms() + kStateWaitMs;
    for (long pause_us = 500;; pause_us = pause_us < 20000 ? pause_us * 2 : pause_us) {
        int fd = -1;
        id_ = acquire(path, "state.lock", fd);
        if (id_ != 0) return;
        if (system_clock().boot_ms() >= end_ms) break;
        const timespec pause{0, pause_us * 1000};
        ::nanosleep(&pause, nullptr);
    }
    throw Failure(Code::busy, "state_locked",
                  path + "/.reprise/state.lock is held by another process for over 10 s; end what hangs there and try again")
        .may_retry();
}

StateLock::~StateLock() { release(id_, false); }

}  // namespace reprise
