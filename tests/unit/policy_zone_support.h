// Time zones as the system's database holds them, and local times as text.
#pragma once

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "base/text.h"
#include "policy/time_zone.h"

namespace reprise {

inline std::string zone_bytes(const std::string& name) {
    std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

inline TimeZone zone_named(const std::string& name) { return name == "UTC" ? TimeZone() : TimeZone::parse(zone_bytes(name)); }

// "2026-03-29 02:30[:15]" as seconds since 1970, as if it were UTC.
inline std::int64_t seconds_of(const std::string& text) {
    const std::string iso = text.substr(0, 10) + "T" + text.substr(11) + (text.size() == 16 ? ":00Z" : "Z");
    return from_iso_time(iso).value() / 1000000;
}

inline std::string text_of_seconds(std::int64_t seconds) {
    std::string text = iso_time(seconds * 1000000).substr(0, 19);
    text[10] = ' ';
    return text;
}

// "2026-03-29 03:00:00 +2:00": what a clock on the wall there shows, and how far it is from UTC.
inline std::string on_the_wall(const TimeZone& zone, std::int64_t unix_s) {
    const std::int64_t offset = zone.at(unix_s).offset_s;
    char tail[16];
    std::snprintf(tail, sizeof tail, " %+d:%02d", static_cast<int>(offset / 3600),
                  static_cast<int>((offset % 3600 + 3600) % 3600 / 60));
    return text_of_seconds(unix_s + offset) + tail;
}

}  // namespace reprise
