#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "store/files.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr int kMaxInterruptions = 1000;

const char* way_out(const std::string& reason) {
    if (reason == "disk_full") return "; free some space there and try again";
    if (reason == "permission_denied") return "; give this user the right to read and write there";
    if (reason == "read_only_folder") return "; mount it writable or choose another directory";
    return "";
}

Failure not_a_folder(const std::string& path) {
    return Failure(Code::invalid_config, "not_a_folder",
                   path + " is not a folder; give the path of a folder, or of one to be made");
}

// Right after its making: the umask may have taken away even the owner's rights.
void make_one_folder(int at, const std::string& name, const std::string& path) {
    REPRISE_STEP("store.mkdir.before");
    if (::mkdirat(at, name.c_str(), 0700) != 0) {
        if (errno == EEXIST) return;
        throw_system("cannot make the folder " + path, errno);
    }
    if (::fchmodat(at, name.c_str(), 0700, 0) != 0) throw_system("cannot set the mode of the folder " + path, errno);
    REPRISE_STEP("store.mkdir.after");
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = other.release();
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int Descriptor::release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
}

void throw_system(const std::string& what, int error) {
    Failure failure = system_failure(what, error);
    failure.message += way_out(failure.reason);
    throw failure;
}

bool name_ok(std::string_view name) {
    return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' &&
           name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos && is_utf8(name);
}

void check_name(std::string_view name) {
    if (name_ok(name)) return;
    throw Failure(Code::invalid_argument, "name_invalid",
                  "\"" + printable(name) + "\" is not a file name; give the name alone, without a folder");
}

std::string absolute_path(const std::string& path) {
    std::error_code error;
    std::string absolute = std::filesystem::absolute(path, error).lexically_normal().string();
    if (error || path.empty() || path.find('\0') != std::string::npos)
        throw Failure(Code::invalid_config, "not_a_folder",
                      "\"" + printable(path) + "\" is not a path; give the path of a folder");
    while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
    return absolute;
}

Folder open_folder(const std::string& path) {
    Folder folder{Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), path};
    if (folder.fd.valid()) return folder;
    if (errno == ENOTDIR) throw not_a_folder(path);
    if (errno == ENOENT)
        throw Failure(Code::not_found, "folder_missing", "the folder " + path + " is not there; make it or correct `directory`")
            .from(Origin::system, ENOENT);
    throw_system("cannot open the folder " + path, errno);
}

bool folder_exists(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

std::optional<struct stat> stat_of(const Folder& folder, const std::string& name) {
    struct stat info {};
    if (::fstatat(folder.at(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return info;
    if (errno == ENOENT) return std::nullopt;
    throw_system("cannot look at " + folder.of(name), errno);
}

void make_folders(const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        struct stat info {};
        if (::stat(part.c_str(), &info) == 0) {
            if (!S_ISDIR(info.st_mode)) throw not_a_folder(part);
        } else if (errno == ENOENT) {
            make_one_folder(AT_FDCWD, part, part);
        } else {
            throw_system("cannot look at the folder " + part, errno);
        }
        if (end == std::string::npos) return;
    }
}

Folder open_subfolder(const Folder& parent, std::string_view name, bool make) {
    const std::string text(name);
    if (make) make_one_folder(parent.at(), text, parent.of(name));
    Folder folder{Descriptor(::openat(parent.at(), text.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
                  parent.of(name)};
    if (folder.fd.valid() || (errno == ENOENT && !make)) return folder;
    if (errno == ENOTDIR || errno == ELOOP) throw not_a_folder(folder.path);
    throw_system("cannot open the folder " + folder.path, errno);
}

std::string temporary_name() { return std::string(kTemporary) + random_hex(16); }

TemporaryFile create_temporary(const Folder& folder) {
    TemporaryFile file;
    file.name = temporary_name();
    REPRISE_STEP("store.create.before");
    file.fd = Descriptor(::openat(folder.at(), file.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.fd.valid()) throw_system("cannot create a file in " + folder.path, errno);
    file.own = OwnDescriptor(file.fd.get());
    struct flock lock {};
    lock.l_type = F_WRLCK;
    // A file system without locks loses only the sign of life: sweep() runs under the operation's lock anyway.
    (void)::fcntl(file.fd.get(), F_OFD_SETLK, &lock);
    if (::fchmod(file.fd.get(), 0600) != 0) {
        const int error = errno;
        (void)::unlinkat(folder.at(), file.name.c_str(), 0);
        throw_system("cannot set the mode of a file in " + folder.path, error);
    }
    REPRISE_STEP("store.create.after");
    return file;
}

bool temporary_in_use(const Folder& folder, const std::string& name) {
    const Descriptor fd(::openat(folder.at(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid()) return false;
    struct flock lock {};
    lock.l_type = F_WRLCK;
    return ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
    REPRISE_STEP("store.write.before");
    for (int interruptions = 0; !bytes.empty();) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR && ++interruptions < kMaxInterruptions) continue;
        if (count < 0) throw_system("cannot write " + path, errno);
        if (count == 0) throw_system("cannot write " + path, ENOSPC);
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    REPRISE_STEP("store.write.after");
}

void sync_file(int fd, const std::string& path) {
    REPRISE_STEP("store.fsync.before");
    if (::fsync(fd) != 0) throw_system("cannot make " + path + " durable", errno);
    REPRISE_STEP("store.fsync.after");
}

void sync_folder(const Folder& folder) {
    REPRISE_STEP("store.folder_fsync.before");
    // Some network file systems cannot sync a folder and say EINVAL; there the rename itself is synchronous.
    if (::fsync(folder.at()) != 0 && errno != EINVAL) throw_system("cannot make the folder " + folder.path + " durable", errno);
    REPRISE_STEP("store.folder_fsync.after");
}

void rename_new(const Folder& folder, const std::string& from, const std::string& to, bool* done) {
    REPRISE_STEP("store.rename.before");
    int error = ::renameat2(folder.at(), from.c_str(), folder.at(), to.c_str(), RENAME_NOREPLACE) == 0 ? 0 : errno;
    if (error == EINVAL || error == ENOSYS) {
        // Without RENAME_NOREPLACE a hard link is what refuses to replace. A kill between leaves both names of one whole file.
        error = ::linkat(folder.at(), from.c_str(), folder.at(), to.c_str(), 0) == 0 ? 0 : errno;
        REPRISE_STEP("store.rename_linked.after");
        if (error == 0) (void)::unlinkat(folder.at(), from.c_str(), 0);
    }
    if (error == EEXIST)
        throw Failure(Code::busy, "name_taken", folder.of(to) + " is there already; choose another name or move it away");
    if (error == ENOENT)
        throw Failure(Code::not_found, "file_missing", "a file to be named " + folder.of(to) + " is not there any more");
    if (error != 0) throw_system("cannot name " + folder.of(to), error);
    if (done != nullptr) *done = true;
    REPRISE_STEP("store.rename.after");
    sync_folder(folder);
}

std::string read_all(int fd, std::size_t max_bytes, const std::string& path) {
    std::string out;
    char buffer[16 * 1024];
    for (int interruptions = 0; out.size() <= max_bytes;) {
        const ssize_t count = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(out.size()));
        if (count < 0 && errno == EINTR && ++interruptions < kMaxInterruptions) continue;
        if (count < 0) throw_system("cannot read " + path, errno);
        if (count == 0) return out;
        out.append(buffer, static_cast<std::size_t>(count));
    }
    throw Failure(Code::corrupt, "file_too_large", path + " is larger than anything we write there; move it away");
}

}  // namespace reprise
