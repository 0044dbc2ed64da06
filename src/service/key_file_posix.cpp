#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "base/text.h"
#include "service/key_file.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxBytes = 256 * 1024;

class File {
public:
    explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int get() const { return fd_; }

private:
    int fd_;
};

void check_mode(const File& file, const std::string& path, KeyFile kind) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) throw system_failure("cannot look at " + printable(path), errno);
    if (!S_ISREG(info.st_mode)) throw Failure(Code::invalid_config, "key_invalid", printable(path) + " is not a file");
    if (kind == KeyFile::secret && (info.st_mode & 077) != 0)
        throw Failure(Code::denied, "key_file_exposed",
                      "others can read the secret in " + printable(path) + "; chmod 600 it, and change the secret");
}

}  // namespace

std::string read_key_file(const std::string& path, KeyFile kind) {
    const File file(path);
    if (file.get() < 0) throw system_failure("cannot open the key file " + printable(path), errno);
    check_mode(file, path, kind);
    std::string out(kMaxBytes + 1, '\0');
    std::size_t size = 0;
    while (size < out.size()) {
        const ssize_t got = ::read(file.get(), out.data() + size, out.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw system_failure("cannot read the key file " + printable(path), errno);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > kMaxBytes)
        throw Failure(Code::invalid_config, "key_invalid", "the key file " + printable(path) + " is over 256 KiB");
    out.resize(size);
    return out;
}

}  // namespace reprise
