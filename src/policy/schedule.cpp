#include "policy/schedule.h"

#include <algorithm>

#include "base/civil.h"

namespace reprise {
namespace {

constexpr std::int64_t kMaxStretches = 400;  // over 50 years, two changes a year
constexpr std::int64_t kMaxRepeated = 26 * 60;
constexpr std::int64_t kStepBackS = 3 * 3600;
constexpr std::int64_t kGraceS = 60;  // without catch_up: a run this late is late, not missed
constexpr std::int64_t kFirstRetryS = 5, kLongestRetryS = 15 * 60;

// Times of day: the minutes as local clocks should show them, each at its first instant. Those that a change repeats map
// to instants before `after_s` and are passed over.
std::optional<std::int64_t> next_time_of_day(const Cron& cron, const TimeZone& zone, std::int64_t after_s) {
    std::int64_t from = floor_div(zone.local(after_s), 60);
    for (std::int64_t i = 0; i <= kMaxRepeated; ++i) {
        const auto minute = cron.next_minute(from);
        if (!minute) return std::nullopt;
        const std::int64_t instant = zone.first_instant(*minute * 60);
        if (instant > after_s) return instant;
        from = *minute + 1;
    }
    return std::nullopt;
}

// Every so often: whatever local clocks show, stretch by stretch.
std::optional<std::int64_t> next_repeated(const Cron& cron, const TimeZone& zone, std::int64_t after_s) {
    std::int64_t from_s = after_s + 1;
    for (std::int64_t i = 0; i < kMaxStretches; ++i) {
        const Stretch here = zone.at(from_s);
        const auto minute = cron.next_minute(floor_div(from_s + here.offset_s + 59, 60));
        if (!minute) return std::nullopt;
        const std::int64_t instant = *minute * 60 - here.offset_s;
        if (instant < here.until_s) return instant;
        from_s = here.until_s;
    }
    return std::nullopt;
}

// splitmix64: neighbours in, nothing alike out.
std::uint64_t mixed(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15u;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
    return value ^ (value >> 31);
}

std::int64_t delay_s(const Schedule& schedule, std::uint64_t seed, std::int64_t due_s) {
    if (schedule.jitter_s <= 0) return 0;
    const std::uint64_t chance = mixed(seed ^ mixed(static_cast<std::uint64_t>(due_s)));
    return static_cast<std::int64_t>(chance % static_cast<std::uint64_t>(schedule.jitter_s + 1));
}

// What was dealt with lies ahead of the clock: it went back.
bool is_corrected(const Schedule& schedule, const TimeZone& zone, const TickFacts& facts) {
    const std::int64_t step = facts.handled_s - facts.now_s;
    if (step <= 0) return false;
    const auto next = next_due(schedule, zone, facts.now_s);
    const auto second = next ? next_due(schedule, zone, *next) : std::nullopt;
    return step >= (second ? std::min(kStepBackS, *second - *next) : kStepBackS);
}

}  // namespace

std::optional<std::int64_t> parse_every(std::string_view text) {
    constexpr std::string_view units = "smhdw";
    constexpr std::int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
    if (text.size() < 2 || text.size() > 9) return std::nullopt;
    const std::size_t unit = units.find(text.back());
    if (unit == std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;
    for (const char digit : text.substr(0, text.size() - 1)) {
        if (digit < '0' || digit > '9') return std::nullopt;
        value = value * 10 + (digit - '0');
    }
    value *= seconds[unit];
    return value >= 1 && value <= kMaxEveryS ? std::optional<std::int64_t>(value) : std::nullopt;
}

std::optional<std::int64_t> next_due(const Schedule& schedule, const TimeZone& zone, std::int64_t after_s) {
    if (schedule.every_s > 0) return (floor_div(after_s, schedule.every_s) + 1) * schedule.every_s;
    if (schedule.cron.repeats) return next_repeated(schedule.cron, zone, after_s);
    return next_time_of_day(schedule.cron, zone, after_s);
}

std::optional<TickPlan> plan_tick(const Schedule& schedule, const TimeZone& zone, const TickFacts& facts) {
    TickPlan plan;
    plan.handled_s = is_corrected(schedule, zone, facts) ? facts.now_s : facts.handled_s;
    auto due = next_due(schedule, zone, plan.handled_s);
    if (!due) return std::nullopt;
    std::int64_t at_s = *due + delay_s(schedule, facts.seed, *due);
    if (!schedule.catch_up && facts.failures == 0 && facts.now_s - at_s > kGraceS) {
        plan.handled_s = facts.now_s;
        due = next_due(schedule, zone, plan.handled_s);
        if (!due) return std::nullopt;
        at_s = *due + delay_s(schedule, facts.seed, *due);
    }
    plan.due_s = *due;
    plan.at_s = facts.failures > 0 ? std::max(at_s, std::min(facts.retry_s, facts.now_s + kLongestRetryS)) : at_s;
    plan.run = plan.at_s <= facts.now_s;
    return plan;
}

std::int64_t retry_delay_s(std::int64_t failures) {
    const auto doublings = static_cast<unsigned>(std::clamp<std::int64_t>(failures - 1, 0, 10));
    return std::min(kFirstRetryS << doublings, kLongestRetryS);
}

}  // namespace reprise
