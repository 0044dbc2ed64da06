#include "service/timing.h"

#include "base/failure.h"
#include "service/zone.h"

namespace reprise {
namespace {

constexpr std::int64_t kMostJitterS = 86400;

Failure wrong(const char* key, const std::string& problem) {
    return Failure(Code::invalid_config, "key_value_wrong",
                   std::string("key schedule.") + key + " of the configuration " + problem);
}

void check_contradictions(const Json& asked, const Timing& timing) {
    const int ways = !timing.at.empty() + !timing.every.empty() + !timing.cron.empty();
    if (ways != 1)
        throw Failure(Code::invalid_config, "keys_contradict",
                      std::string("key schedule of the configuration has ") + (ways == 0 ? "none" : "more than one") +
                          " of schedule.at (a time of day), schedule.every (a duration) and schedule.cron: give one of them");
    if (!timing.every.empty() && asked.find("time_zone") != nullptr)
        throw Failure(Code::invalid_config, "keys_contradict",
                      "key schedule.time_zone of the configuration means nothing beside schedule.every, which counts whole "
                      "durations in UTC; leave it out, or use schedule.cron");
}

void read_times(Timing& timing) {
    Schedule& schedule = timing.schedule;
    if (!timing.every.empty()) {
        const auto every = parse_every(timing.every);
        if (!every) throw wrong("every", "is no duration from 1s to 366d, such as 90s, 30m, 6h, 1d or 2w");
        schedule.every_s = *every;
    } else if (!timing.at.empty()) {
        const auto at = parse_time_of_day(timing.at);
        if (!at) throw wrong("at", "is no time of day from 00:00 to 23:59, such as 02:00");
        schedule.cron = *at;
    } else {
        std::string problem;
        const auto cron = parse_cron(timing.cron, problem);
        if (!cron) throw wrong("cron", "cannot be used: " + problem);
        schedule.cron = *cron;
    }
    if (schedule.every_s > 0 && schedule.jitter_s >= schedule.every_s)
        throw wrong("jitter_s", "must be less than schedule.every");
}

}  // namespace

KeyRule schedule_rule() {
    return {"schedule",
            KeyType::object,
            false,
            {},
            0,
            0,
            {{"at", KeyType::text, false, {}, 0, 0},
             {"every", KeyType::text, false, {}, 0, 0},
             {"cron", KeyType::text, false, {}, 0, 0},
             {"time_zone", KeyType::text, false, {}, 0, 0},
             {"jitter_s", KeyType::number, false, {}, 0, kMostJitterS},
             {"catch_up", KeyType::yes_no, false, {}, 0, 0}}};
}

KeyRule before_rule() {
    return {"before", KeyType::object, false, {}, 0, 0, {{"keep_days", KeyType::number, false, {}, 0, kMostBeforeDays}}};
}

TimeZone load_zone_for(const char* key, const std::string& name) {
    try {
        return load_zone(name);
    } catch (const Failure& failure) {
        throw Failure(failure.code, failure.reason, "key " + std::string(key) + " of the configuration: " + failure.message);
    }
}

std::optional<Timing> read_schedule(const Json& json) {
    if (json.find("schedule") == nullptr) return std::nullopt;
    const Json& asked = object_or_empty(json, "schedule");
    Timing timing;
    timing.at = text_or(asked, "at", "");
    timing.every = text_or(asked, "every", "");
    timing.cron = text_or(asked, "cron", "");
    timing.time_zone = text_or(asked, "time_zone", timing.time_zone);
    timing.schedule.jitter_s = number_or(asked, "jitter_s", 0);
    timing.schedule.catch_up = yes_or(asked, "catch_up", true);
    check_contradictions(asked, timing);
    read_times(timing);
    timing.zone = load_zone_for("schedule.time_zone", timing.time_zone);
    return timing;
}

std::int64_t read_before_days(const Json& json) { return number_or(object_or_empty(json, "before"), "keep_days", kBeforeDays); }

Json schedule_to_json(const std::optional<Timing>& timing) {
    if (!timing) return Json();
    Json out = Json::object();
    if (!timing->at.empty()) out.set("at", timing->at);
    if (!timing->every.empty()) out.set("every", timing->every);
    if (!timing->cron.empty()) out.set("cron", timing->cron);
    if (timing->every.empty()) out.set("time_zone", timing->time_zone);
    return out.set("jitter_s", timing->schedule.jitter_s).set("catch_up", timing->schedule.catch_up);
}

}  // namespace reprise
