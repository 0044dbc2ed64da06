// The keys `guard` and `retention` of the configuration, and the keep_… keys of the kind `forget`.
#pragma once

#include <optional>
#include <vector>

#include "policy/guard.h"
#include "policy/retention.h"
#include "service/schema.h"
#include "service/timing.h"

namespace reprise {

// Whose days and hours retention counts.
struct KeepZone {
    std::string name = "UTC";
    TimeZone zone;
};

KeyRule guard_rule();
KeyRule retention_rule();
std::vector<KeyRule> keep_rules();  // keep_last … max_total_bytes

// `json` has been checked against the schema; database: of the configuration, for names of collections.
GuardRules read_guard(const Json& json, const std::string& database);
// nullopt: retention is off. Failure{invalid_config, "key_value_wrong"}: keep_within is no duration, or nothing is kept.
std::optional<RetentionRules> read_retention(const Json& json);
// `retention.time_zone`; where it is not given the schedule's, or UTC. Failure{invalid_config, "time_zone_unknown" |
// "time_zone_invalid"}.
KeepZone read_keep_zone(const Json& json, const std::optional<Timing>& schedule);
// The configured rules with what the options name put in their place. Failure{invalid_argument, "retention_off"} when
// retention is off and the options name none; {invalid_argument, "key_value_wrong"} as above.
RetentionRules overridden(const std::optional<RetentionRules>& configured, const Json& options);

Json guard_to_json(const GuardRules& rules);
Json retention_to_json(const std::optional<RetentionRules>& rules, const KeepZone& zone);

}  // namespace reprise
