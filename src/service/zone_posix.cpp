#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/failure.h"
#include "service/zone.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxZoneBytes = 1024 * 1024;
const char* const kFolders[] = {"/usr/share/zoneinfo/", "/usr/lib/zoneinfo/", "/usr/share/lib/zoneinfo/", "/etc/zoneinfo/"};

bool is_zone_name(const std::string& name) {
    if (name.empty() || name.size() > kMaxNameBytes || name.front() == '/' || name.back() == '/') return false;
    for (const char c : name) {
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '+' && c != '/') return false;
    }
    return true;  // without dots there is no way out of the folder
}

// False when there is no such file.
bool read_zone(const std::string& path, std::string& bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    struct stat about {};
    bool whole = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= static_cast<off_t>(kMaxZoneBytes);
    if (whole) bytes.resize(static_cast<std::size_t>(about.st_size));
    for (std::size_t at = 0; whole && at < bytes.size();) {
        const ssize_t got = ::read(fd, bytes.data() + at, bytes.size() - at);
        if (got < 0 && errno == EINTR) continue;
        whole = got > 0;
        at += whole ? static_cast<std::size_t>(got) : 0;
    }
    ::close(fd);
    return whole;
}

bool has_database() {
    for (const char* folder : kFolders)
        if (::access((std::string(folder) + "Europe").c_str(), R_OK) == 0) return true;
    return false;
}

}  // namespace

TimeZone load_zone(const std::string& name) {
    if (name == "UTC") return TimeZone();
    std::string bytes;
    for (const char* folder : kFolders) {
        if (!is_zone_name(name) || !read_zone(folder + name, bytes)) continue;
        try {
            return TimeZone::parse(bytes);
        } catch (const Failure& failure) {
            throw Failure(Code::invalid_config, "time_zone_invalid",
                          "its file in the system's time zone database cannot be used: " + failure.message);
        }
    }
    if (!has_database())
        throw Failure(Code::invalid_config, "time_zone_unknown",
                      "this system has no time zone database: install tzdata, or leave time_zone out for UTC");
    throw Failure(Code::invalid_config, "time_zone_unknown",
                  "the system's time zone database knows no zone of this name; names are those of IANA, such as Europe/Paris");
}

}  // namespace reprise
