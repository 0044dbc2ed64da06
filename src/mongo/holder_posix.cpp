#include "mongo/holder_posix.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <optional>

#include "base/text.h"

namespace reprise {
namespace {

std::string read_file(const std::string& path) {
    std::string text(4096, '\0');
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) return {};
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
}

struct Process {
    char state = '?';
    std::int64_t start = 0;
};

// "pid (name) state ppid … starttime …": the name may hold anything, so counting begins behind its last parenthesis.
std::optional<Process> process_of(std::int64_t pid) {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
    std::size_t at = text.rfind(')');
    if (at == std::string::npos || at + 2 >= text.size()) return std::nullopt;
    Process process;
    at += 2;
    process.state = text[at];
    for (int field = 3; field < 22; ++field) {
        at = text.find(' ', at);
        if (at == std::string::npos) return std::nullopt;
        ++at;
    }
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) process.start = process.start * 10 + (text[at] - '0');
    return process;
}

// A zombie whose other threads still run is not dead yet.
bool has_other_threads(std::int64_t pid) {
    DIR* folder = ::opendir(("/proc/" + std::to_string(pid) + "/task").c_str());
    if (folder == nullptr) return false;
    int count = 0;
    while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
    ::closedir(folder);
    return count > 1;
}

std::int64_t number_in(const BsonView& view, std::string_view key) {
    const auto field = view.find(key);
    return field && (field->type == BsonType::int64 || field->type == BsonType::int32) ? field->integer() : 0;
}

std::string text_in(const BsonView& view, std::string_view key) {
    const auto field = view.find(key);
    return field && field->type == BsonType::string ? printable(field->text()) : std::string();
}

}  // namespace

HolderIdentity own_identity(const std::string& job) {
    HolderIdentity own;
    own.boot = read_file("/proc/sys/kernel/random/boot_id");
    while (!own.boot.empty() && own.boot.back() == '\n') own.boot.pop_back();
    struct stat status {};
    if (::stat("/proc/self/ns/pid", &status) == 0) own.pid_namespace = static_cast<std::int64_t>(status.st_ino);
    own.pid = ::getpid();
    if (const auto process = process_of(own.pid)) own.start = process->start;
    own.job = job;
    return own;
}

std::string to_bson(const HolderIdentity& holder) {
    return BsonBuilder()
        .add("boot", holder.boot)
        .add("pid_namespace", holder.pid_namespace)
        .add("pid", holder.pid)
        .add("start", holder.start)
        .add("job", holder.job)
        .str();
}

HolderIdentity identity_from(std::string_view bson) {
    const BsonView view(bson);
    return {text_in(view, "boot"), number_in(view, "pid_namespace"), number_in(view, "pid"), number_in(view, "start"),
            text_in(view, "job")};
}

bool proven_dead(const HolderIdentity& holder, const HolderIdentity& us) {
    const bool comparable = !us.boot.empty() && us.pid_namespace != 0 && us.start != 0 && holder.boot == us.boot &&
                            holder.pid_namespace == us.pid_namespace && holder.pid > 0 && holder.start > 0 &&
                            holder.pid <= std::numeric_limits<pid_t>::max();
    if (!comparable) return false;
    const auto process = process_of(holder.pid);
    // Where /proc hides other users' processes a missing entry proves nothing; the kernel's own answer does.
    if (!process) return ::kill(static_cast<pid_t>(holder.pid), 0) != 0 && errno == ESRCH;
    if (process->start != 0 && process->start != holder.start) return true;
    return (process->state == 'Z' || process->state == 'X') && !has_other_threads(holder.pid);
}

}  // namespace reprise
