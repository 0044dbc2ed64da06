// A time zone: what local clocks show at which instant, past and to come, read from a file of the system's time zone
// database (TZif, RFC 8536). Own code, since no library for it can be joined into our one object: Debian has cctz and date
// as shared libraries alone, which would meet the host's, and Abseil's archives end the process on failure (S14).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace reprise {

// A stretch of time in which local clocks are a constant number of seconds east of UTC.
struct Stretch {
    std::int64_t from_s = 0, until_s = 0;  // [from, until), seconds since 1970, UTC
    std::int64_t offset_s = 0;
};

// Immutable; thread-safe. Changes are known to the end of 2400; after that the last offset stays.
class TimeZone {
public:
    TimeZone() = default;  // UTC
    // Failure{corrupt, "time_zone_invalid"}: not TZif of version 2 or later, damaged, or one that counts leap seconds.
    static TimeZone parse(std::string_view tzif);

    Stretch at(std::int64_t unix_s) const;
    std::int64_t local(std::int64_t unix_s) const { return unix_s + at(unix_s).offset_s; }
    // The first instant at which local clocks show local_s (seconds since 1970, as if local time were UTC) or later: a time
    // that a change skips is the moment of the change, one that it repeats is the first of the two.
    std::int64_t first_instant(std::int64_t local_s) const;

private:
    struct Change {
        std::int64_t at_s, offset_s;
    };
    Stretch stretch(std::size_t index) const;  // 0: before the first change
    std::size_t index_at(std::int64_t unix_s) const;

    std::int64_t first_offset_s_ = 0;
    std::vector<Change> changes_;  // ascending, neighbours differ
    friend class ZoneReader;
};

}  // namespace reprise
