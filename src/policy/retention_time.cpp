#include "policy/retention_time.h"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "base/text.h"

namespace reprise {
namespace {

constexpr std::int64_t kSecondUs = 1000000;
constexpr std::int64_t kHourUs = 3600 * kSecondUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kMaxOffsetS = 24 * 3600;
// Dates outside (a file that says so, a broken clock) are held at the ends: they only need to be told apart.
constexpr std::int64_t kFirstUs = -62135596800 * kSecondUs;  // 0001-01-01
constexpr std::int64_t kLastUs = 253402300799 * kSecondUs;   // 9999-12-31
constexpr std::size_t kMaxSpanDigits = 4;

std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

int digits_at(const std::string& iso, std::size_t at, std::size_t size) {
    int value = 0;
    for (std::size_t i = at; i < at + size; ++i) value = value * 10 + (iso[i] - '0');
    return value;
}

}  // namespace

std::optional<Span> parse_span(std::string_view text) {
    Span span;
    std::int64_t* const fields[] = {&span.years, &span.months, &span.days, &span.hours};
    constexpr std::string_view units = "ymdh";
    std::string seen;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
        if (end == 0 || end == text.size() || end > kMaxSpanDigits) return std::nullopt;
        const std::size_t unit = units.find(text[end]);
        if (unit == std::string_view::npos || seen.find(text[end]) != std::string::npos) return std::nullopt;
        seen += text[end];
        for (const char digit : text.substr(0, end)) *fields[unit] = *fields[unit] * 10 + (digit - '0');
        text.remove_prefix(end + 1);
    }
    return seen.empty() ? std::nullopt : std::optional<Span>(span);
}

std::int64_t Calendar::offset_us(std::int64_t unix_us) const {
    if (!offset_s_) return 0;
    return std::clamp(offset_s_(unix_us), -kMaxOffsetS, kMaxOffsetS) * kSecondUs;
}

// The hour that a change of the clock repeats is two hours.
std::string Calendar::hour(std::int64_t unix_us) const {
    const std::int64_t at = std::clamp(unix_us, kFirstUs, kLastUs);
    return iso_time(local_us(at)).substr(0, 13) + "+" + std::to_string(offset_us(at));
}

std::string Calendar::day(std::int64_t unix_us) const {
    return iso_time(local_us(std::clamp(unix_us, kFirstUs, kLastUs))).substr(0, 10);
}

std::string Calendar::week(std::int64_t unix_us) const {
    const std::int64_t days = floor_div(local_us(std::clamp(unix_us, kFirstUs, kLastUs)), kDayUs);
    return std::to_string(floor_div(days + 3, 7));  // 1970-01-01 was a Thursday
}

std::string Calendar::month(std::int64_t unix_us) const { return day(unix_us).substr(0, 7); }

std::string Calendar::year(std::int64_t unix_us) const { return day(unix_us).substr(0, 4); }

std::int64_t Calendar::before(std::int64_t unix_us, const Span& span) const {
    const std::int64_t at = std::clamp(unix_us, kFirstUs, kLastUs);
    const std::string iso = iso_time(local_us(at));
    const std::int64_t months =
        digits_at(iso, 0, 4) * std::int64_t{12} + digits_at(iso, 5, 2) - 1 - span.years * 12 - span.months;
    const std::int64_t year = floor_div(months, 12);
    if (year < 1) return std::numeric_limits<std::int64_t>::min();
    char first[32];
    std::snprintf(first, sizeof first, "%04d-%02d-01T00:00:00Z", static_cast<int>(year),
                  static_cast<int>(months - year * 12 + 1));
    // The 31st of a month without one runs over into the next, as everywhere.
    const std::int64_t of_day = local_us(at) - floor_div(local_us(at), kDayUs) * kDayUs;
    const std::int64_t local = *from_iso_time(first) + (digits_at(iso, 8, 2) - 1 - span.days) * kDayUs + of_day;
    const std::int64_t guess = local - offset_us(at);
    return std::min(guess, local - offset_us(guess)) - span.hours * kHourUs;
}

}  // namespace reprise
