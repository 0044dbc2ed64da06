#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "store/blob_posix.h"
#include "store/files.h"
#include "store/local.h"
#include "store/pointer_posix.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxStateBytes = 64 * 1024 * 1024;
constexpr int kMaxStateTries = 5;
constexpr std::size_t kMaxEntries = 10 * 1000 * 1000;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

// Calls `visit` with every name in the folder but "." and "..", in the order of the file system.
template <typename Visit>
void each_name(const Folder& folder, Visit visit) {
    const int fd = ::openat(folder.at(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) throw_system("cannot list " + folder.path, errno);
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(fd));
    if (!directory) throw_system("cannot list " + folder.path, errno);
    for (std::size_t count = 0; count < kMaxEntries; ++count) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (entry == nullptr && errno != 0) throw_system("cannot list " + folder.path, errno);
        if (entry == nullptr) return;
        const std::string name = entry->d_name;
        if (name != "." && name != "..") visit(name);
    }
    throw Failure(Code::refused, "folder_too_large",
                  folder.path + " holds over 10 000 000 entries; give the backups a folder of their own");
}

bool is_temporary(const std::string& name) { return name.compare(0, kTemporary.size(), kTemporary) == 0; }

class LocalStore : public Store {
public:
    LocalStore(std::string path, bool read_only, Pointers pointers)
        : path_(std::move(path)), read_only_(read_only), pointers_(pointers) {
        if (read_only_) return;
        make_folders(path_);
        (void)hidden(open_folder(path_));
    }

    std::vector<Blob> list() override {
        std::vector<Blob> blobs;
        if (absent()) return blobs;
        const Folder folder = open_folder(path_);
        each_name(folder, [&](const std::string& name) {
            const auto info = name_ok(name) ? stat_of(folder, name) : std::nullopt;
            if (info && S_ISREG(info->st_mode)) blobs.push_back({name, info->st_size, modified_us_of(*info)});
        });
        const PointerTable table = read_pointers(folder);
        const auto is_pointer = [&](const Blob& blob) { return table.target_of(folder, blob.name).has_value(); };
        if (!table.empty()) blobs.erase(std::remove_if(blobs.begin(), blobs.end(), is_pointer), blobs.end());
        std::sort(blobs.begin(), blobs.end(), [](const Blob& a, const Blob& b) { return a.name < b.name; });
        return blobs;
    }

    std::unique_ptr<OpenBlob> open(const std::string& name) override {
        check_name(name);
        if (absent()) throw missing(name);
        return open_blob(open_folder(path_), name);
    }

    std::unique_ptr<StagedBlob> create() override {
        require_writable();
        return create_blob(open_folder(path_));
    }

    void rename(const std::string& from, const std::string& to) override {
        check_name(from);
        check_name(to);
        require_writable();
        rename_new(open_folder(path_), from, to);
    }

    void remove(const std::string& name) override {
        check_name(name);
        require_writable();
        unlink_in(open_folder(path_), name);
    }

    void set_pointer(const std::string& name, const std::string& target, const std::vector<std::string>& replaces) override {
        check_name(name);
        check_name(target);
        for (const std::string& other : replaces) check_name(other);
        require_writable();
        const Folder folder = open_folder(path_);
        point(folder, name, target, pointers_);
        for (const std::string& other : replaces)
            if (other != name) drop_pointer(folder, other);
    }

    std::optional<std::string> pointer(const std::string& name) override {
        check_name(name);
        if (absent()) return std::nullopt;
        return pointer_target(open_folder(path_), name);
    }

    bool is_regular(const std::string& name) override {
        check_name(name);
        if (absent()) return false;
        return is_plain_file(open_folder(path_), name);
    }

    std::optional<std::string> read_state(const std::string& key) override {
        const Key parts = split(key);
        if (absent()) return std::nullopt;
        const Folder folder = state_folder(parts.folder, false);
        if (!folder.fd.valid()) return std::nullopt;
        const Descriptor fd(::openat(folder.at(), parts.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
        if (!fd.valid() && errno == ENOENT) return std::nullopt;
        if (!fd.valid()) throw_system("cannot open " + folder.of(parts.name), errno);
        return read_all(fd.get(), kMaxStateBytes, folder.of(parts.name));
    }

    void write_state(const std::string& key, std::string_view bytes) override {
        const Key parts = split(key);
        require_writable();
        const Folder folder = state_folder(parts.folder, true);
        // A sweep that saw the file before it was locked may have taken it: then once more.
        for (int attempt = 1;; ++attempt)
            if (replace_file(folder, parts.name, bytes, attempt == kMaxStateTries)) return;
    }

    void append_state(const std::string& key, std::string_view bytes) override {
        const Key parts = split(key);
        require_writable();
        const Folder folder = state_folder(parts.folder, true);
        const std::string path = folder.of(parts.name);
        const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
        Descriptor fd(::openat(folder.at(), parts.name.c_str(), flags));
        const bool made = !fd.valid() && errno == ENOENT;
        if (made) fd = Descriptor(::openat(folder.at(), parts.name.c_str(), flags | O_CREAT | O_EXCL, 0600));
        if (!fd.valid()) throw_system("cannot open " + path, errno);
        if (made && ::fchmod(fd.get(), 0600) != 0) throw_system("cannot set the mode of " + path, errno);
        REPRISE_STEP("store.state_append.before");
        write_all(fd.get(), bytes, path);
        sync_file(fd.get(), path);
        if (made) sync_folder(folder);
        REPRISE_STEP("store.state_append.after");
    }

    void remove_state(const std::string& key) override {
        const Key parts = split(key);
        require_writable();
        const Folder folder = state_folder(parts.folder, false);
        if (!folder.fd.valid()) return;
        REPRISE_STEP("store.state_remove.before");
        if (::unlinkat(folder.at(), parts.name.c_str(), 0) != 0) {
            if (errno == ENOENT) return;
            throw_system("cannot remove " + folder.of(parts.name), errno);
        }
        REPRISE_STEP("store.state_remove.after");
        sync_folder(folder);
    }

    std::vector<std::string> list_state(const std::string& name) override {
        if (!name.empty()) check_name(name);
        std::vector<std::string> names;
        if (absent()) return names;
        const Folder folder = state_folder(name, false);
        if (!folder.fd.valid()) return names;
        each_name(folder, [&](const std::string& entry) {
            const auto info = name_ok(entry) ? stat_of(folder, entry) : std::nullopt;
            if (info && S_ISREG(info->st_mode)) names.push_back(entry);
        });
        std::sort(names.begin(), names.end());
        return names;
    }

    std::vector<std::string> sweep() override {
        require_writable();
        std::vector<std::string> swept;
        const Folder folder = open_folder(path_);
        const Folder state = hidden(folder);
        sweep_folder(folder, swept);
        sweep_folder(state, swept);
        each_name(state, [&](const std::string& name) {
            const auto info = stat_of(state, name);
            if (info && S_ISDIR(info->st_mode)) sweep_folder(open_subfolder(state, name, false), swept);
        });
        return swept;
    }

    std::string path_of(const std::string& name) const override {
        check_name(name);
        return path_ + "/" + name;
    }

private:
    struct Key {
        std::string folder, name;
    };

    static Key split(const std::string& key) {
        const auto slash = key.find('/');
        const Key parts = slash == std::string::npos ? Key{"", key} : Key{key.substr(0, slash), key.substr(slash + 1)};
        if (slash != std::string::npos) check_name(parts.folder);
        check_name(parts.name);
        return parts;
    }

    // A store that was opened to be read may lie where no folder is (yet): it is empty.
    bool absent() const { return read_only_ && !folder_exists(path_); }

    void require_writable() const {
        if (read_only_) throw Failure(Code::internal, "store_read_only", path_ + " was opened to be read only");
    }

    Failure missing(const std::string& name) const {
        return Failure(Code::not_found, "file_missing", path_ + "/" + name + " is not there; `list` shows what is");
    }

    Folder hidden(const Folder& folder) const { return open_subfolder(folder, kHidden, !read_only_); }

    Folder state_folder(const std::string& name, bool make) const {
        Folder state = hidden(open_folder(path_));
        if (name.empty() || !state.fd.valid()) return state;
        return open_subfolder(state, name, make);
    }

    static void sweep_folder(const Folder& folder, std::vector<std::string>& swept) {
        std::vector<std::string> found;
        each_name(folder, [&](const std::string& name) {
            if (is_temporary(name)) found.push_back(name);
        });
        for (const std::string& name : found) {
            if (temporary_in_use(folder, name)) continue;
            REPRISE_STEP("store.sweep.before");
            if (::unlinkat(folder.at(), name.c_str(), 0) == 0) swept.push_back(folder.of(name));
            REPRISE_STEP("store.sweep.after");
        }
    }

    const std::string path_;
    const bool read_only_;
    const Pointers pointers_;
};

}  // namespace

std::unique_ptr<Store> open_local_store(const std::string& folder, bool read_only, Pointers pointers) {
    return std::make_unique<LocalStore>(absolute_path(folder), read_only, pointers);
}

}  // namespace reprise
