#include "policy/cron.h"

#include <array>
#include <vector>

#include "base/civil.h"

namespace reprise {
namespace {

constexpr std::int64_t kMaxDays = 50 * 366;  // 29 February on one weekday: up to 40 years apart
constexpr std::int64_t kDayMinutes = 24 * 60;
constexpr std::size_t kMaxBytes = 1000;
constexpr std::size_t kFields = 5;
constexpr const char* kNames[] = {"minute", "hour", "day of month", "month", "day of week"};
constexpr int kLeast[] = {0, 0, 1, 1, 0}, kMost[] = {59, 23, 31, 12, 7};
constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::size_t kMonthField = 3, kWeekdayField = 4;

struct Nickname {
    std::string_view name, means;
};
constexpr Nickname kNicknames[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                   {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                                   {"@annually", "0 0 1 1 *"}};

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t end = text.find_first_of(at, begin);
        parts.push_back(text.substr(begin, end - begin));
        if (end == std::string_view::npos) return parts;
        begin = end + 1;
    }
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> out;
    for (const auto part : split(text, " \t"))
        if (!part.empty()) out.push_back(part);
    return out;
}

std::optional<int> number(std::string_view text) {
    if (text.empty() || text.size() > 4) return std::nullopt;
    int value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value = value * 10 + (digit - '0');
    }
    return value;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& letter : out)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    return out;
}

template <typename Names>
std::optional<int> name_in(const Names& names, std::string_view text, int first) {
    const std::string word = lower(text);
    int value = first;
    for (const auto name : names) {
        if (word == name) return value;
        ++value;
    }
    return std::nullopt;
}

class FieldReader {
public:
    FieldReader(std::size_t field, std::string& problem) : field_(field), problem_(problem) {}

    std::optional<std::bitset<60>> read(std::string_view text) {
        for (const auto item : split(text, ","))
            if (!add(item)) return std::nullopt;
        return set_;
    }

private:
    bool wrong(const std::string& what) {
        problem_ = std::string("the field ") + kNames[field_] + " " + what;
        return false;
    }

    std::optional<int> value(std::string_view text) {
        auto found = number(text);
        if (!found && field_ == kMonthField) found = name_in(kMonths, text, 1);
        if (!found && field_ == kWeekdayField) found = name_in(kWeekdays, text, 0);
        if (found && *found >= kLeast[field_] && *found <= kMost[field_]) return found;
        wrong("takes *, numbers from " + std::to_string(kLeast[field_]) + " to " + std::to_string(kMost[field_]) +
              (field_ >= kMonthField ? ", names of three letters" : "") + ", lists, ranges and steps");
        return std::nullopt;
    }

    bool add(std::string_view item) {
        const auto parts = split(item, "/");
        if (parts.size() > 2) return wrong("has an item with two steps");
        int step = 1;
        if (parts.size() == 2) {
            const auto given = number(parts[1]);
            if (!given || *given < 1) return wrong("has a step that is no number from 1 on");
            step = *given;
        }
        int low = kLeast[field_], high = field_ == kWeekdayField ? 6 : kMost[field_];
        if (parts[0] != "*" && !range(parts[0], parts.size() == 2, low, high)) return false;
        for (int each = low; each <= high; each += step)
            set_.set(static_cast<std::size_t>(field_ == kWeekdayField ? each % 7 : each));
        return true;
    }

    bool range(std::string_view text, bool stepped, int& low, int& high) {
        const auto ends = split(text, "-");
        if (ends.size() > 2) return wrong("has a range with more than two ends");
        const auto first = value(ends[0]);
        const auto last = ends.size() == 2 ? value(ends[1]) : first;
        if (!first || !last) return false;
        if (ends.size() == 1 && stepped) return wrong("has a step behind a single value; give a range, or * before it");
        low = *first;
        high = *last;
        if (field_ == kWeekdayField && high == 0 && low > 0) high = 7;  // "fri-sun"
        return low <= high || wrong("has a range that ends before it begins");
    }

    const std::size_t field_;
    std::string& problem_;
    std::bitset<60> set_;
};

template <std::size_t size>
void copy(const std::bitset<60>& from, std::bitset<size>& to) {
    for (std::size_t i = 0; i < size && i < from.size(); ++i) to[i] = from[i];
}

std::string_view meant(std::string_view text) {
    for (const auto& nickname : kNicknames)
        if (lower(text) == nickname.name) return nickname.means;
    return text;
}

}  // namespace

bool Cron::on_day(std::int64_t day) const {
    const Civil date = civil_from_days(day);
    if (!months[date.month]) return false;
    const bool by_date = days[date.day], by_weekday = weekdays[static_cast<std::size_t>(weekday_of(day))];
    return any_day || any_weekday ? by_date && by_weekday : by_date || by_weekday;
}

std::optional<std::int64_t> Cron::next_minute(std::int64_t minute) const {
    const std::int64_t first = floor_div(minute, kDayMinutes);
    for (std::int64_t day = first; day <= first + kMaxDays; ++day) {
        if (!on_day(day)) continue;
        const std::int64_t from = day == first ? minute - day * kDayMinutes : 0;
        for (std::int64_t of_day = from; of_day < kDayMinutes; ++of_day) {
            if (!hours[static_cast<std::size_t>(of_day / 60)]) {
                of_day = (of_day / 60 + 1) * 60 - 1;
            } else if (minutes[static_cast<std::size_t>(of_day % 60)]) {
                return day * kDayMinutes + of_day;
            }
        }
    }
    return std::nullopt;
}

std::optional<Cron> parse_cron(std::string_view text, std::string& problem) {
    const auto fields = text.size() > kMaxBytes ? std::vector<std::string_view>() : words(meant(text));
    if (fields.size() != kFields) {
        problem =
            "it takes five fields: minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, "
            "@yearly";
        return std::nullopt;
    }
    std::array<std::bitset<60>, kFields> sets;
    for (std::size_t i = 0; i < kFields; ++i) {
        const auto read = FieldReader(i, problem).read(fields[i]);
        if (!read) return std::nullopt;
        sets[i] = *read;
    }
    Cron cron;
    cron.minutes = sets[0];
    copy(sets[1], cron.hours);
    copy(sets[2], cron.days);
    copy(sets[3], cron.months);
    copy(sets[4], cron.weekdays);
    cron.any_day = fields[2].front() == '*';
    cron.any_weekday = fields[4].front() == '*';
    cron.repeats = fields[0].front() == '*' || fields[1].front() == '*';
    if (cron.next_minute(0)) return cron;
    problem = "it never comes: no month has such a day";
    return std::nullopt;
}

std::optional<Cron> parse_time_of_day(std::string_view text) {
    const auto parts = split(text, ":");
    if (parts.size() != 2 || parts[0].size() != 2 || parts[1].size() != 2) return std::nullopt;
    const auto hour = number(parts[0]), minute = number(parts[1]);
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    std::string problem;
    return parse_cron(std::to_string(*minute) + " " + std::to_string(*hour) + " * * *", problem);
}

}  // namespace reprise
