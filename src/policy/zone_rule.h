// The rule for all years to come at the end of a TZif file: POSIX's TZ with the extensions of RFC 8536 §3.3.1,
// "CET-1CEST,M3.5.0,M10.5.0/3". Private to time_zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reprise {

struct YearDay {
    enum class Kind { julian, zero_based, weekday_of_month } kind = Kind::julian;
    int month = 1, week = 1;  // weekday_of_month: week 5 is the last
    int day = 0;              // julian 1…365 (29 February never counted), zero_based 0…365, or the weekday, 0 is Sunday
    std::int64_t time_s = 2 * 3600;

    std::int64_t in_year(std::int64_t year) const;  // local seconds since 1970
};

struct ZoneRule {
    std::int64_t standard_s = 0;  // east of UTC
    struct Summer {
        std::int64_t offset_s = 0;
        YearDay from, until;
    };
    std::optional<Summer> summer;
};

std::optional<ZoneRule> parse_zone_rule(std::string_view text);  // nullopt: malformed

}  // namespace reprise
