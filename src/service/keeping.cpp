#include "service/keeping.h"

#include <algorithm>

#include "format/names.h"

namespace reprise {
namespace {

constexpr std::int64_t kMostKept = 1000000;
constexpr std::int64_t kMostBytes = std::int64_t{1} << 60;

struct Counted {
    const char* key;
    std::int64_t RetentionRules::*field;
};
constexpr Counted kCounted[] = {{"keep_last", &RetentionRules::keep_last},
                                {"keep_hourly", &RetentionRules::keep_hourly},
                                {"keep_daily", &RetentionRules::keep_daily},
                                {"keep_weekly", &RetentionRules::keep_weekly},
                                {"keep_monthly", &RetentionRules::keep_monthly},
                                {"keep_yearly", &RetentionRules::keep_yearly},
                                {"max_total_bytes", &RetentionRules::max_total_bytes}};

// Where the keys stand, for messages: "retention." of the configuration, or the options of forget.
struct Place {
    Code code;
    std::string prefix, noun;
    Failure wrong(const std::string& problem) const { return Failure(code, "key_value_wrong", "key " + prefix + problem); }
};

void read_into(RetentionRules& rules, const Json& json, const Place& at) {
    for (const Counted& one : kCounted) rules.*one.field = number_or(json, one.key, rules.*one.field);
    rules.keep_within = text_or(json, "keep_within", rules.keep_within);
    if (!rules.keep_within.empty() && !parse_span(rules.keep_within))
        throw at.wrong("keep_within of the " + at.noun + " is no duration such as 7d or 1y6m, of y, m, d and h");
    if (rules.keep_nothing())
        throw at.wrong("keep_last of the " + at.noun +
                       " is 0 and no other rule keeps anything; to remove nothing at all: \"retention\": false");
}

}  // namespace

std::vector<KeyRule> keep_rules() {
    std::vector<KeyRule> rules;
    for (const Counted& one : kCounted) {
        const bool bytes = std::string(one.key) == "max_total_bytes";
        rules.push_back(
            {one.key, KeyType::number, false, {}, bytes ? 0 : RetentionRules::kAll, bytes ? kMostBytes : kMostKept});
    }
    rules.push_back({"keep_within", KeyType::text, false, {}, 0, 0});
    return rules;
}

KeyRule guard_rule() {
    return {"guard",
            KeyType::object,
            false,
            {},
            0,
            0,
            {{"least_share", KeyType::real, false, {}, 0, 1},
             {"sentinel", KeyType::yes_no, false, {}, 0, 0},
             {"may_empty", KeyType::texts, false, {}, 0, 0}}};
}

KeyRule retention_rule() {
    auto rules = keep_rules();
    rules.push_back({"time_zone", KeyType::text, false, {}, 0, 0});
    return {"retention", KeyType::object, false, {}, 0, 0, std::move(rules), true};
}

GuardRules read_guard(const Json& json, const std::string& database) {
    const Json& asked = object_or_empty(json, "guard");
    GuardRules rules;
    rules.least_share = real_or(asked, "least_share", rules.least_share);
    rules.watch_sentinel = yes_or(asked, "sentinel", rules.watch_sentinel);
    rules.may_empty = texts_of(asked, "may_empty");
    for (std::size_t i = 0; i < rules.may_empty.size(); ++i)
        if (const auto problem = collection_name_problem(database, rules.may_empty[i]))
            throw Failure(Code::invalid_config, "key_value_wrong",
                          "key guard.may_empty[" + std::to_string(i) + "] of the configuration: " + *problem);
    return rules;
}

std::optional<RetentionRules> read_retention(const Json& json) {
    if (!switch_or(json, "retention", true)) return std::nullopt;
    RetentionRules rules;
    read_into(rules, object_or_empty(json, "retention"), {Code::invalid_config, "retention.", "configuration"});
    return rules;
}

KeepZone read_keep_zone(const Json& json, const std::optional<Timing>& schedule) {
    const Json& asked = object_or_empty(json, "retention");
    KeepZone zone;
    if (asked.find("time_zone") == nullptr) {
        if (schedule) zone = {schedule->time_zone, schedule->zone};
        return zone;
    }
    zone.name = asked.at("time_zone").as_string();
    zone.zone = load_zone_for("retention.time_zone", zone.name);
    return zone;
}

RetentionRules overridden(const std::optional<RetentionRules>& configured, const Json& options) {
    RetentionRules rules = configured.value_or(RetentionRules());
    const auto known = keep_rules();
    const bool any =
        std::any_of(known.begin(), known.end(), [&](const KeyRule& rule) { return options.find(rule.name) != nullptr; });
    if (!configured && !any)
        throw Failure(Code::invalid_argument, "retention_off",
                      "retention is turned off in the configuration; say what to keep, for example keep_last");
    read_into(rules, options, {Code::invalid_argument, "", "options of forget"});
    return rules;
}

Json guard_to_json(const GuardRules& rules) {
    Json names = Json::array();
    for (const auto& name : rules.may_empty) names.push(name);
    return Json::object(
        {{"least_share", rules.least_share}, {"sentinel", rules.watch_sentinel}, {"may_empty", std::move(names)}});
}

Json retention_to_json(const std::optional<RetentionRules>& rules, const KeepZone& zone) {
    if (!rules) return false;
    Json out = Json::object();
    for (const Counted& one : kCounted) out.set(one.key, *rules.*one.field);
    out.set("keep_within", rules->keep_within.empty() ? Json() : Json(rules->keep_within));
    return out.set("time_zone", zone.name);
}

}  // namespace reprise
