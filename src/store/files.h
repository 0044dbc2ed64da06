// The few system calls of the local store, each checked: what fails names the path and the way out. Private to the room.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/forked_posix.h"

namespace reprise {

// Closes what it holds.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release();

private:
    int fd_ = -1;
};

constexpr std::string_view kHidden = ".reprise";
constexpr std::string_view kTemporary = ".reprise_tmp_";  // and 32 hex digits: a name that nobody lists or opens

// A folder that is open, with its path for messages.
struct Folder {
    Descriptor fd;
    std::string path;
    std::string of(std::string_view name) const { return path + "/" + std::string(name); }
    int at() const { return fd.get(); }
};

// Throws system_failure(what, error) with the way out appended where there is one.
[[noreturn]] void throw_system(const std::string& what, int error);
// Failure{invalid_argument, "name_invalid"} unless it is one path component that may be given from outside (S11).
void check_name(std::string_view name);
bool name_ok(std::string_view name);

std::string absolute_path(const std::string& path);
// Opens a folder; missing: Failure{not_found, "folder_missing"}; something else: {invalid_config, "not_a_folder"}.
Folder open_folder(const std::string& path);
bool folder_exists(const std::string& path);
// Of the entry itself, links not followed; nullopt only when it is surely not there, any other error is a Failure.
std::optional<struct stat> stat_of(const Folder& folder, const std::string& name);
// Makes the folder with its missing parents, each 0700 whatever the umask.
void make_folders(const std::string& path);
// The folder `name` inside `parent`, links refused; made 0700 when it is not there and `make` is set, else !fd.valid().
Folder open_subfolder(const Folder& parent, std::string_view name, bool make);

// A new file under a temporary name in `folder`, 0600 whatever the umask, locked as a sign of life for sweep().
struct TemporaryFile {
    Descriptor fd;
    OwnDescriptor own{};  // goes before fd does
    std::string name;
};
TemporaryFile create_temporary(const Folder& folder);
std::string temporary_name();
bool temporary_in_use(const Folder& folder, const std::string& name);

void write_all(int fd, std::string_view bytes, const std::string& path);
void sync_file(int fd, const std::string& path);
void sync_folder(const Folder& folder);
// Never over an existing file: Failure{busy, "name_taken"}. *done is set as soon as the new name stands.
void rename_new(const Folder& folder, const std::string& from, const std::string& to, bool* done = nullptr);
// Reads a small file whole: at most `max_bytes`, else Failure{corrupt, "file_too_large"}.
std::string read_all(int fd, std::size_t max_bytes, const std::string& path);

}  // namespace reprise
