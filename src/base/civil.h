// Days and dates of the proleptic Gregorian calendar, after Howard Hinnant's public-domain algorithms
// (http://howardhinnant.github.io/date_algorithms.html). Valid for every year that fits.
#pragma once

#include <cstdint>

namespace reprise {

struct Civil {
    std::int64_t year;
    unsigned month, day;  // 1…12, 1…31
};

Civil civil_from_days(std::int64_t days);  // days since 1970-01-01
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

constexpr std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }
// 0 is Sunday.
constexpr int weekday_of(std::int64_t days) { return static_cast<int>(days - 7 * floor_div(days + 4, 7) + 4); }

}  // namespace reprise
