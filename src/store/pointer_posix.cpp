#include "store/pointer_posix.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "base/failure.h"
#include "base/step.h"
#include "store/blob_posix.h"

namespace reprise {
namespace {

constexpr const char* kTable = "pointers";
constexpr std::size_t kMaxTableBytes = 64 * 1024;
constexpr std::size_t kCopyBytes = 256 * 1024;
constexpr int kMaxTries = 5;

std::string identity_of(const struct stat& info) {
    return std::to_string(info.st_ino) + "-" + std::to_string(info.st_size) + "-" + std::to_string(info.st_mtim.tv_sec) + "." +
           std::to_string(info.st_mtim.tv_nsec);
}

void write_pointers(const Folder& folder, const PointerTable& table) {
    std::string text;
    for (const auto& line : table.lines) text += line.identity + "/" + line.name + "/" + line.target + "\n";
    const Folder hidden = open_subfolder(folder, kHidden, true);
    for (int attempt = 1; !replace_file(hidden, kTable, text, attempt == kMaxTries); ++attempt) {
    }
}

bool no_links_here(int error) { return error == EPERM || error == ENOSYS || error == EOPNOTSUPP || error == EMLINK; }

// A symbolic link under a temporary name, or false where the file system has none.
bool make_link(const Folder& folder, const std::string& target, const std::string& temporary) {
    REPRISE_STEP("store.pointer_link.before");
    if (::symlinkat(target.c_str(), folder.at(), temporary.c_str()) == 0) {
        REPRISE_STEP("store.pointer_link.after");
        return true;
    }
    if (no_links_here(errno)) return false;
    throw_system("cannot make a link in " + folder.path, errno);
}

bool make_hard_link(const Folder& folder, const std::string& target, const std::string& temporary) {
    if (::linkat(folder.at(), target.c_str(), folder.at(), temporary.c_str(), 0) == 0) return true;
    if (no_links_here(errno)) return false;
    throw_system("cannot make a hard link in " + folder.path, errno);
}

std::string make_copy(const Folder& folder, const std::string& target) {
    const auto source = open_blob(folder, target);
    const TemporaryFile copy = create_temporary(folder);
    std::string buffer(kCopyBytes, '\0');
    while (const std::size_t count = source->read(buffer.data(), buffer.size()))
        write_all(copy.fd.get(), std::string_view(buffer).substr(0, count), folder.of(copy.name));
    sync_file(copy.fd.get(), folder.of(copy.name));
    return copy.name;
}

void move_over(const Folder& folder, const std::string& temporary, const std::string& name) {
    REPRISE_STEP("store.pointer_rename.before");
    const int error = ::renameat(folder.at(), temporary.c_str(), folder.at(), name.c_str()) == 0 ? 0 : errno;
    // Two hard links of one file: rename does nothing then, and leaves both names.
    (void)::unlinkat(folder.at(), temporary.c_str(), 0);
    if (error != 0) throw_system("cannot move the pointer " + folder.of(name), error);
    REPRISE_STEP("store.pointer_rename.after");
    sync_folder(folder);
}

// Forgets every line of `name` but the one to be kept.
void prune(const Folder& folder, PointerTable& table, const std::string& name, const PointerTable::Line* kept) {
    const auto stale = [&](const PointerTable::Line& line) {
        return line.name == name && (kept == nullptr || line.identity != kept->identity || line.target != kept->target);
    };
    const auto end = std::remove_if(table.lines.begin(), table.lines.end(), stale);
    if (end == table.lines.end()) return;
    table.lines.erase(end, table.lines.end());
    write_pointers(folder, table);
}

// The table knows the new inode before the name has it, and forgets the old one after.
void point_by_table(const Folder& folder, const std::string& name, const std::string& target, Pointers first) {
    std::string temporary = temporary_name();
    if (first == Pointers::copy || !make_hard_link(folder, target, temporary)) temporary = make_copy(folder, target);
    const auto info = stat_of(folder, temporary);
    if (!info) throw_system("cannot look at " + folder.of(temporary), errno);
    PointerTable table = read_pointers(folder);
    const PointerTable::Line line{identity_of(*info), name, target};
    table.lines.push_back(line);
    write_pointers(folder, table);
    move_over(folder, temporary, name);
    prune(folder, table, name, &line);
}

}  // namespace

std::optional<std::string> PointerTable::target_of(const Folder& folder, const std::string& name) const {
    if (lines.empty()) return std::nullopt;
    const auto info = stat_of(folder, name);
    if (!info || !S_ISREG(info->st_mode)) return std::nullopt;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
        if (line->name == name && line->identity == identity_of(*info)) return line->target;
    return std::nullopt;
}

PointerTable read_pointers(const Folder& folder) {
    PointerTable table;
    const Folder hidden = open_subfolder(folder, kHidden, false);
    if (!hidden.fd.valid()) return table;
    const Descriptor fd(::openat(hidden.at(), kTable, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid() && errno == ENOENT) return table;
    if (!fd.valid()) throw_system("cannot open " + hidden.of(kTable), errno);
    const std::string text = read_all(fd.get(), kMaxTableBytes, hidden.of(kTable));
    for (std::size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
        const auto first = text.find('/', at), second = text.find('/', first + 1);
        if (second == std::string::npos || second > end) continue;
        PointerTable::Line line{text.substr(at, first - at), text.substr(first + 1, second - first - 1),
                                text.substr(second + 1, end - second - 1)};
        if (name_ok(line.name) && name_ok(line.target)) table.lines.push_back(std::move(line));
    }
    return table;
}

void point(const Folder& folder, const std::string& name, const std::string& target, Pointers first) {
    if (!is_plain_file(folder, target))
        throw Failure(Code::not_found, "file_missing", folder.of(target) + " is not there, so nothing can point to it");
    if (is_plain_file(folder, name))
        throw Failure(Code::busy, "name_taken", folder.of(name) + " is a file of its own; rename it to a backup's name first");
    const auto present = stat_of(folder, name);
    if (present && !S_ISLNK(present->st_mode) && !S_ISREG(present->st_mode))
        throw Failure(Code::busy, "name_taken", folder.of(name) + " is not a link; move it away");
    const std::string temporary = temporary_name();
    if (first == Pointers::symbolic_link && make_link(folder, target, temporary)) return move_over(folder, temporary, name);
    point_by_table(folder, name, target, first);
}

std::optional<std::string> pointer_target(const Folder& folder, const std::string& name) {
    char buffer[PATH_MAX];
    const ssize_t size = ::readlinkat(folder.at(), name.c_str(), buffer, sizeof buffer);
    if (size < 0 && errno != ENOENT && errno != EINVAL) throw_system("cannot read the link " + folder.of(name), errno);
    const std::optional<std::string> target =
        size >= 0 ? std::string(buffer, static_cast<std::size_t>(size)) : read_pointers(folder).target_of(folder, name);
    if (!target || !name_ok(*target) || !is_plain_file(folder, *target)) return std::nullopt;
    return target;
}

void drop_pointer(const Folder& folder, const std::string& name) {
    const auto info = stat_of(folder, name);
    if (!info) return;
    PointerTable table = read_pointers(folder);
    if (!S_ISLNK(info->st_mode) && !table.target_of(folder, name)) return;
    unlink_in(folder, name);
    prune(folder, table, name, nullptr);
}

bool is_plain_file(const Folder& folder, const std::string& name) {
    const auto info = stat_of(folder, name);
    return info && S_ISREG(info->st_mode) && !read_pointers(folder).target_of(folder, name);
}

}  // namespace reprise
