#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/failure.h"
#include "base/text.h"
#include "service/secret_file.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;
const char* const kNames[] = {kIdentitySecret, kPassphraseSecret, kSigningSecret, kJwtSecret, kJwtKeys, kMonitorToken};

class File {
public:
    File(const std::string& path, const std::string& what) : name_(what + " " + printable(path)) {
        fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd_ < 0 && errno == ENOENT)
            throw Failure(Code::denied, "key_missing", name_ + " is not there; make it with keygen, or correct the path");
        if (fd_ < 0) throw system_failure("cannot open " + name_, errno);
        if (::fstat(fd_, &about_) != 0) fail(errno);
    }
    ~File() { close(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    // Links are followed: secrets that an orchestrator mounts are links. What counts is the file itself.
    void check_private() const {
        if ((about_.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
        throw Failure(Code::denied, "secret_exposed",
                      name_ + " can be read by others than its owner, so it is not used: chmod 600 it");
    }

    // Whoever can change a trusted key, or put another file in the place of any key, decides what is believed or who can read
    // new backups. In a sticky folder nobody can replace what is another's.
    void check_owned(const std::string& path) const {
        if ((about_.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            throw Failure(Code::denied, "key_replaceable",
                          name_ + " can be written by others than its owner, so it is not believed: chmod go-w it");
        std::error_code error;
        const std::string folder = std::filesystem::canonical(path, error).parent_path().string();
        struct stat about {};
        if (!error && ::stat(folder.c_str(), &about) != 0) error.assign(errno, std::generic_category());
        if (error) throw system_failure("cannot look at the folder of " + name_, error.value());
        if ((about.st_mode & S_IWOTH) != 0 && (about.st_mode & S_ISVTX) == 0)
            throw Failure(Code::denied, "key_replaceable",
                          name_ +
                              " lies in a folder that everybody may write to, where anybody could put another in its place: "
                              "chmod o-w the folder");
    }

    Secret read() const {
        const bool size_ok = about_.st_size > 0 && static_cast<std::size_t>(about_.st_size) <= kMaxSecretBytes;
        if (!S_ISREG(about_.st_mode) || !size_ok)
            throw Failure(Code::invalid_config, "secret_file_invalid", name_ + " is no file, empty, or over 64 KiB");
        Secret out = Secret::zeroed(kMaxSecretBytes);
        std::size_t size = 0;
        while (size < kMaxSecretBytes) {
            const ssize_t got = ::read(fd_, out.data() + size, kMaxSecretBytes - size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw system_failure("cannot read " + name_, errno);
            if (got == 0) break;
            size += static_cast<std::size_t>(got);
        }
        out.shrink(size);
        return out;
    }

private:
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }
    [[noreturn]] void fail(int error) {
        close();
        throw system_failure("cannot look at " + name_, error);
    }

    std::string name_;
    int fd_ = -1;
    struct stat about_ {};
};

}  // namespace

Secret read_secret_file(const std::string& path, const std::string& what) {
    const File file(path, what);
    file.check_private();
    file.check_owned(path);
    return file.read();
}

std::string read_key_file(const std::string& path, const std::string& what) {
    const File file(path, what);
    file.check_owned(path);
    return std::string(file.read().reveal());
}

void PushedSecrets::set(const std::string& name, std::string_view bytes) {
    std::string known;
    bool found = false;
    for (const char* one : kNames) {
        found = found || name == one;
        known += std::string(known.empty() ? "" : ", ") + one;
    }
    if (!found)
        throw Failure(Code::invalid_argument, "secret_unknown",
                      "no secret is called " + printable(name) + ": known are " + known);
    if (bytes.size() > kMaxSecretBytes)
        throw Failure(Code::invalid_argument, "argument_too_long", "the secret " + name + " is longer than 64 KiB");
    const std::lock_guard<std::mutex> hold(mutex_);
    ++revision_;
    secrets_.erase(name);
    if (!bytes.empty()) secrets_.emplace(name, Secret(bytes));
}

std::optional<Secret> PushedSecrets::get(const std::string& name) const {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto found = secrets_.find(name);
    if (found == secrets_.end()) return std::nullopt;
    return found->second;
}

std::uint64_t PushedSecrets::revision() const {
    const std::lock_guard<std::mutex> hold(mutex_);
    return revision_;
}

bool PushedSecrets::has(const std::string& name) const { return get(name).has_value(); }

}  // namespace reprise
