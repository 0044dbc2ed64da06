#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

#include "service/process.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxProcBytes = 4096;
constexpr int kStartField = 22;  // of /proc/PID/stat, counted from 1

std::optional<std::string> read_proc(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    char buffer[kMaxProcBytes];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    ::close(fd);
    if (got < 0) return std::nullopt;
    return std::string(buffer, static_cast<std::size_t>(got));
}

// The command's name in field 2 may hold spaces and brackets: counting begins behind its last bracket.
std::optional<std::int64_t> start_of(std::int64_t pid) {
    const auto stat = read_proc("/proc/" + std::to_string(pid) + "/stat");
    if (!stat || stat->rfind(')') == std::string::npos) return std::nullopt;
    std::size_t at = stat->rfind(')') + 1;
    for (int field = 2; field + 1 < kStartField; ++field) {
        at = stat->find(' ', at + 1);
        if (at == std::string::npos) return std::nullopt;
    }
    return std::strtoll(stat->c_str() + at + 1, nullptr, 10);
}

}  // namespace

ProcessIdentity this_process() {
    ProcessIdentity me;
    me.boot = read_proc("/proc/sys/kernel/random/boot_id").value_or("");
    while (!me.boot.empty() && me.boot.back() == '\n') me.boot.pop_back();
    struct stat about {};
    if (::stat("/proc/self/ns/pid", &about) == 0) me.pid_namespace = std::to_string(about.st_ino);
    me.pid = ::getpid();
    me.start = start_of(me.pid).value_or(0);
    return me;
}

Life life_of(const ProcessIdentity& process) {
    const ProcessIdentity me = this_process();
    if (process.boot.empty() || process.boot != me.boot || process.pid_namespace != me.pid_namespace) return Life::unknown;
    const auto start = start_of(process.pid);
    return start && *start == process.start ? Life::alive : Life::dead;
}

Json process_to_json(const ProcessIdentity& process) {
    return Json::object(
        {{"boot", process.boot}, {"pid_namespace", process.pid_namespace}, {"pid", process.pid}, {"start", process.start}});
}

ProcessIdentity process_from_json(const Json& json) {
    return {json.at("boot").as_string(), json.at("pid_namespace").as_string(), json.at("pid").as_int(),
            json.at("start").as_int()};
}

}  // namespace reprise
