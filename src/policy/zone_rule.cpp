#include "policy/zone_rule.h"

#include "base/civil.h"

namespace reprise {
namespace {

constexpr std::int64_t kDayS = 86400;
constexpr int kMaxOffsetHours = 24, kMaxTimeHours = 167;
constexpr std::size_t kLeastNameBytes = 3;

bool is_leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

class RuleReader {
public:
    explicit RuleReader(std::string_view text) : rest_(text) {}

    std::optional<ZoneRule> read() {
        ZoneRule rule;
        if (!name() || !offset(rule.standard_s)) return std::nullopt;
        if (rest_.empty()) return rule;
        ZoneRule::Summer summer;
        if (!name()) return std::nullopt;
        summer.offset_s = rule.standard_s + 3600;
        if (!rest_.empty() && rest_.front() != ',' && !offset(summer.offset_s)) return std::nullopt;
        if (!take(',') || !year_day(summer.from) || !take(',') || !year_day(summer.until) || !rest_.empty())
            return std::nullopt;
        rule.summer = summer;
        return rule;
    }

private:
    bool take(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool number(int most, int& value) {
        std::size_t digits = 0;
        value = 0;
        while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9' && digits < 4)
            value = value * 10 + (rest_[digits++] - '0');
        rest_.remove_prefix(digits);
        return digits > 0 && value <= most;
    }

    bool name() {
        const bool quoted = take('<');
        std::size_t size = 0;
        const auto letter = [&](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                   (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
        };
        while (size < rest_.size() && letter(rest_[size])) ++size;
        rest_.remove_prefix(size);
        return size >= kLeastNameBytes && (!quoted || take('>'));
    }

    // [+-]hh[:mm[:ss]]
    bool time(int most_hours, std::int64_t& seconds) {
        const bool minus = take('-');
        if (!minus) (void)take('+');
        int hours = 0, minutes = 0, rest = 0;
        if (!number(most_hours, hours)) return false;
        if (take(':') && !number(59, minutes)) return false;
        if (take(':') && !number(59, rest)) return false;
        seconds = hours * std::int64_t{3600} + minutes * 60 + rest;
        if (minus) seconds = -seconds;
        return true;
    }

    // POSIX counts west of UTC.
    bool offset(std::int64_t& seconds) {
        if (!time(kMaxOffsetHours, seconds)) return false;
        seconds = -seconds;
        return true;
    }

    bool year_day(YearDay& out) {
        if (take('J')) {
            out.kind = YearDay::Kind::julian;
            if (!number(365, out.day) || out.day < 1) return false;
        } else if (take('M')) {
            out.kind = YearDay::Kind::weekday_of_month;
            if (!number(12, out.month) || out.month < 1 || !take('.') || !number(5, out.week) || out.week < 1 || !take('.') ||
                !number(6, out.day))
                return false;
        } else {
            out.kind = YearDay::Kind::zero_based;
            if (!number(365, out.day)) return false;
        }
        return !take('/') || time(kMaxTimeHours, out.time_s);
    }

    std::string_view rest_;
};

}  // namespace

std::int64_t YearDay::in_year(std::int64_t year) const {
    const std::int64_t begin = days_from_civil(year, 1, 1);
    if (kind == Kind::zero_based) return (begin + day) * kDayS + time_s;
    if (kind == Kind::julian) return (begin + day - 1 + (is_leap(year) && day > 59 ? 1 : 0)) * kDayS + time_s;
    const auto of_month = static_cast<unsigned>(month);
    const std::int64_t first = days_from_civil(year, of_month, 1);
    const std::int64_t next = month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, of_month + 1, 1);
    std::int64_t found = first + (day - weekday_of(first) + 7) % 7 + (week - 1) * 7;
    if (found >= next) found -= 7;
    return found * kDayS + time_s;
}

std::optional<ZoneRule> parse_zone_rule(std::string_view text) { return RuleReader(text).read(); }

}  // namespace reprise
