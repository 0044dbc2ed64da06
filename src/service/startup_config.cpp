#include "service/startup_config.h"

#include <algorithm>

#include "base/failure.h"
#include "format/names.h"
#include "service/options.h"

namespace reprise {
namespace {

constexpr std::int64_t kMaxMinimum = 10000;
constexpr const char *kSentinel = "sentinel", *kCollections = "collections", *kDatabase = "database";
constexpr const char *kFail = "fail", *kStartAnyway = "start_anyway";

Failure wrong(const std::string& key, const std::string& problem) {
    return Failure(Code::invalid_config, "key_value_wrong", "key startup." + key + " of the configuration: " + problem);
}

std::vector<std::string> collections_of(const Json& startup, const std::string& database) {
    std::vector<std::string> out;
    const auto given = texts_of(startup, "collections");
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (const auto problem = collection_name_problem(database, given[i]))
            throw wrong("collections[" + std::to_string(i) + "]", *problem);
        if (std::find(out.begin(), out.end(), given[i]) == out.end()) out.push_back(given[i]);
    }
    return out;
}

WantedRule rule_of(const Json& startup, const std::string& sentinel, const std::string& database) {
    WantedRule wanted;
    wanted.rule.minimum = number_or(startup, "minimum", 1);
    wanted.rule.collections = collections_of(startup, database);
    const bool listed = startup.find("collections") != nullptr;
    const std::string empty = text_or(startup, "empty", listed ? kCollections : kSentinel);
    if (empty == kCollections && wanted.rule.collections.empty())
        throw wrong("collections", "name at least one collection, or leave startup.empty out");
    if (empty != kCollections && listed)
        throw wrong("collections", "they count only with startup.empty \"collections\"; leave one of the two out");
    if (empty == kSentinel && !sentinel.empty()) wanted.rule.collections = {sentinel};
    wanted.automatic = empty == kSentinel && sentinel.empty();
    return wanted;
}

}  // namespace

KeyRule on_failure_key() { return {"on_failure", KeyType::text, false, {kFail, kStartAnyway}, 0, 0}; }

KeyRule startup_key() {
    KeyRule rule{"startup", KeyType::object, false, {}, 0, 0};
    rule.keys = {{"empty", KeyType::text, false, {kSentinel, kCollections, kDatabase}, 0, 0},
                 {"collections", KeyType::texts, false, {}, 0, 0},
                 {"minimum", KeyType::number, false, {}, 1, kMaxMinimum},
                 {"wait_ms", KeyType::number, false, {}, -1, kLongestWaitMs},
                 on_failure_key()};
    return rule;
}

bool starts_anyway(const std::string& on_failure) { return on_failure == kStartAnyway; }

StartupConfig parse_startup(const Json& checked, const std::string& database) {
    const Json& startup = object_or_empty(checked, "startup");
    StartupConfig config;
    config.empty = rule_of(startup, text_or(checked, "sentinel", ""), database);
    config.wait_ms = number_or(startup, "wait_ms", config.wait_ms);
    if (config.wait_ms < 0) config.wait_ms = kLongestWaitMs;
    config.start_anyway = starts_anyway(text_or(startup, "on_failure", kFail));
    return config;
}

Json startup_config_to_json(const StartupConfig& config) {
    const auto& names = config.empty.rule.collections;
    Json collections = Json::array();
    for (const auto& name : names) collections.push(name);
    // A single one reads back as the same rule, whether it was called a sentinel or a list.
    const char* empty = config.empty.automatic ? kSentinel : names.empty() ? kDatabase : kCollections;
    return Json::object({{"empty", empty},
                         {"collections", names.empty() ? Json() : std::move(collections)},
                         {"minimum", config.empty.rule.minimum},
                         {"wait_ms", config.wait_ms},
                         {"on_failure", config.start_anyway ? kStartAnyway : kFail}});
}

}  // namespace reprise
