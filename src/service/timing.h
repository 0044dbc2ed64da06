// The keys `schedule` and `before` of the configuration.
#pragma once

#include <optional>
#include <string>

#include "policy/schedule.h"
#include "service/schema.h"

namespace reprise {

struct Timing {
    std::string at, every, cron, time_zone = "UTC";  // as given
    Schedule schedule;
    TimeZone zone;
};

constexpr std::int64_t kBeforeDays = 7;
constexpr std::int64_t kBeforeWaitMs = 60 * 1000;
constexpr std::int64_t kMostBeforeDays = 36500;

KeyRule schedule_rule();
KeyRule before_rule();
// load_zone, whose failure names the key.
TimeZone load_zone_for(const char* key, const std::string& name);
// `json` has been checked against the schema. nullopt: no schedule. Failure{invalid_config, "key_value_wrong" |
// "keys_contradict" | "time_zone_unknown" | "time_zone_invalid"} naming the key.
std::optional<Timing> read_schedule(const Json& json);
std::int64_t read_before_days(const Json& json);
Json schedule_to_json(const std::optional<Timing>& timing);

}  // namespace reprise
