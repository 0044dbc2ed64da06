// A cron expression of five fields, as Vixie's cron (Debian, BSD, macOS) reads it: minute, hour, day of month, month, day of
// week; *, lists, ranges, steps of a range or of *, names of months and weekdays; 0 and 7 are Sunday. When both days are
// restricted either one is enough; "restricted" means: does not begin with *. @hourly, @daily (@midnight), @weekly,
// @monthly, @yearly (@annually) are known.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reprise {

struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;     // 1…31
    std::bitset<13> months;   // 1…12
    std::bitset<7> weekdays;  // 0 is Sunday
    bool any_day = false, any_weekday = false;
    // Minute or hour begins with *: it means "every so often" and follows the clock; else it names times of day.
    bool repeats = false;

    bool on_day(std::int64_t day) const;  // days since 1970-01-01
    // The first minute (since 1970, on a clock without changes) from `minute` on; nullopt: none within 50 years.
    std::optional<std::int64_t> next_minute(std::int64_t minute) const;
};

// nullopt, and in `problem` a sentence about the field that is wrong, or that the expression never comes true.
std::optional<Cron> parse_cron(std::string_view text, std::string& problem);
// "02:00", 24 hours: every day at that time.
std::optional<Cron> parse_time_of_day(std::string_view text);

}  // namespace reprise
