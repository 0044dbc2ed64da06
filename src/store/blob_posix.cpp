#include "store/blob_posix.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"

namespace reprise {
namespace {

constexpr int kMaxInterruptions = 1000;
constexpr int kMaxLinks = 4;
constexpr int kMaxRaces = 20;
// Pages are handed to the disk while the writing goes on, so that the last fsync finds little to do.
constexpr std::int64_t kWritebackBytes = 8 * 1024 * 1024;

struct stat look_at(int fd, const std::string& path) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) throw_system("cannot look at " + path, errno);
    return info;
}

class LocalBlob : public OpenBlob {
public:
    LocalBlob(Descriptor fd, std::string name, std::string path)
        : fd_(std::move(fd)), name_(std::move(name)), path_(std::move(path)), info_(look_at(fd_.get(), path_)) {
        (void)::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    }

    std::size_t read(char* buffer, std::size_t capacity) override {
        for (int interruptions = 0;;) {
            const ssize_t count = ::pread(fd_.get(), buffer, capacity, offset_);
            if (count < 0 && errno == EINTR && ++interruptions < kMaxInterruptions) continue;
            if (count < 0) throw_system("cannot read " + path_, errno);
            offset_ += count;
            return static_cast<std::size_t>(count);
        }
    }

    std::int64_t size_bytes() const override { return info_.st_size; }
    std::int64_t modified_us() const override { return modified_us_of(info_); }
    const std::string& name() const override { return name_; }
    void rewind() override { offset_ = 0; }
    void seek(std::int64_t offset) override { offset_ = offset; }

private:
    Descriptor fd_;
    std::string name_, path_;
    struct stat info_;
    off_t offset_ = 0;
};

class LocalStaged : public StagedBlob {
public:
    explicit LocalStaged(Folder folder) : folder_(std::move(folder)), file_(create_temporary(folder_)) {}

    ~LocalStaged() override {
        if (!published_) (void)::unlinkat(folder_.at(), file_.name.c_str(), 0);
    }

    void write(std::string_view bytes) override {
        write_all(file_.fd.get(), bytes, folder_.of(file_.name));
        written_ += static_cast<std::int64_t>(bytes.size());
        if (written_ - handed_over_ < kWritebackBytes) return;
        (void)::sync_file_range(file_.fd.get(), handed_over_, written_ - handed_over_, SYNC_FILE_RANGE_WRITE);
        handed_over_ = written_;
    }

    void finish() override {
        sync_file(file_.fd.get(), folder_.of(file_.name));
        finished_ = true;
    }

    std::unique_ptr<OpenBlob> reopen() override {
        require_finished();
        const std::string path = folder_.of(file_.name);
        Descriptor fd(::openat(folder_.at(), file_.name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!fd.valid()) throw_system("cannot read back " + path, errno);
        return std::make_unique<LocalBlob>(std::move(fd), file_.name, path);
    }

    void publish(const std::string& name) override {
        check_name(name);
        require_finished();
        rename_new(folder_, file_.name, name, &published_);
    }

    std::int64_t written_bytes() const override { return written_; }

private:
    void require_finished() const {
        if (!finished_) throw Failure(Code::internal, "blob_unfinished", "a file was used before it was finished");
    }

    Folder folder_;
    TemporaryFile file_;
    std::int64_t written_ = 0, handed_over_ = 0;
    bool finished_ = false, published_ = false;
};

// What the link `name` points to, when it is one and stays inside the folder.
std::string follow(const Folder& folder, const std::string& name) {
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(folder.at(), name.c_str(), target, sizeof target);
    if (size < 0) throw_system("cannot read the link " + folder.of(name), errno);
    std::string text(target, static_cast<std::size_t>(size));
    if (name_ok(text)) return text;
    throw Failure(Code::corrupt, "link_leaves_folder",
                  folder.of(name) + " is a link out of the folder; replace it by the file itself");
}

Failure missing(const Folder& folder, const std::string& name) {
    return Failure(Code::not_found, "file_missing", folder.of(name) + " is not there; `list` shows what is");
}

}  // namespace

std::int64_t modified_us_of(const struct stat& info) {
    return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000000 + info.st_mtim.tv_nsec / 1000;
}

std::unique_ptr<OpenBlob> open_blob(const Folder& folder, const std::string& name) {
    std::string at = name;
    // A link that is replaced between its reading and the opening of its old target starts again from the front.
    for (int links = 0, races = 0; links <= kMaxLinks;) {
        Descriptor fd(::openat(folder.at(), at.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        const int error = errno;
        if (fd.valid()) {
            if (!S_ISREG(look_at(fd.get(), folder.of(at)).st_mode))
                throw Failure(Code::corrupt, "not_a_file", folder.of(at) + " is not a file; give the name of a backup");
            return std::make_unique<LocalBlob>(std::move(fd), at, folder.of(at));
        }
        if (error == ENXIO)
            throw Failure(Code::corrupt, "not_a_file", folder.of(at) + " is not a file; give the name of a backup");
        if (error == ELOOP) {
            at = follow(folder, at);
            ++links;
        } else if (error == ENOENT && at != name && ++races < kMaxRaces) {
            at = name;
            links = 0;
        } else if (error == ENOENT) {
            throw missing(folder, at);
        } else {
            throw_system("cannot open " + folder.of(at), error);
        }
    }
    throw Failure(Code::corrupt, "not_a_file", folder.of(name) + " is a chain of links; replace it by the file itself");
}

std::unique_ptr<StagedBlob> create_blob(Folder folder) { return std::make_unique<LocalStaged>(std::move(folder)); }

void unlink_in(const Folder& folder, const std::string& name) {
    REPRISE_STEP("store.remove.before");
    if (::unlinkat(folder.at(), name.c_str(), 0) != 0) {
        if (errno == ENOENT) throw missing(folder, name);
        if (errno == EISDIR) throw Failure(Code::corrupt, "not_a_file", folder.of(name) + " is a folder; it is left alone");
        throw_system("cannot remove " + folder.of(name), errno);
    }
    REPRISE_STEP("store.remove.after");
    sync_folder(folder);
}

bool replace_file(const Folder& folder, const std::string& name, std::string_view bytes, bool last) {
    const TemporaryFile file = create_temporary(folder);
    int error = 0;
    try {
        write_all(file.fd.get(), bytes, folder.of(name));
        sync_file(file.fd.get(), folder.of(name));
        REPRISE_STEP("store.state_rename.before");
        error = ::renameat(folder.at(), file.name.c_str(), folder.at(), name.c_str()) == 0 ? 0 : errno;
        if (error == ENOENT && !last) return false;
        if (error != 0) throw_system("cannot write " + folder.of(name), error);
    } catch (...) {
        (void)::unlinkat(folder.at(), file.name.c_str(), 0);
        throw;
    }
    REPRISE_STEP("store.state_rename.after");
    sync_folder(folder);
    return true;
}

}  // namespace reprise
