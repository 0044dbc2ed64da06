#include "service/config.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/failure.h"
#include "base/leaving.h"
#include "base/text.h"
#include "format/names.h"
#include "mongo/client.h"
#include "service/folder_policy.h"
#include "service/keeping.h"

namespace reprise {
namespace {

constexpr std::int64_t kMaxConnectMs = 10 * 60 * 1000;
constexpr const char* kHidden = "***";
const char* const kLevels[] = {"debug", "info", "warning", "error"};

Level level_of(const std::string& word) {
    for (int i = 0; i < 4; ++i)
        if (word == kLevels[i]) return static_cast<Level>(i);
    return Level::info;
}

Failure bad_value(const std::string& key, const std::string& problem) {
    return Failure(Code::invalid_config, "key_value_wrong", "key " + key + " of the configuration: " + problem);
}

void check_names(const Config& config) {
    if (const auto problem = database_name_problem(config.database)) throw bad_value("database", *problem);
    const auto check = [&](const std::string& key, const std::string& name) {
        if (const auto problem = collection_name_problem(config.database, name)) throw bad_value(key, *problem);
    };
    if (!config.sentinel.empty()) check("sentinel", config.sentinel);
    for (std::size_t i = 0; i < config.include.size(); ++i) check("include[" + std::to_string(i) + "]", config.include[i]);
    for (std::size_t i = 0; i < config.exclude.size(); ++i) check("exclude[" + std::to_string(i) + "]", config.exclude[i]);
}

// What tells that the data are lost has to be in the backups: else nobody watches it, and none of them may be restored.
void check_watched(const Config& config) {
    const Scope scope = configured_scope(config);
    const auto check = [&](const char* key, const std::string& name) {
        if (scope.selects(name)) return;
        const bool excluded = std::count(config.exclude.begin(), config.exclude.end(), name) > 0;
        throw Failure(Code::invalid_config, "keys_contradict",
                      std::string("keys ") + key + " and " + (excluded ? "exclude" : "include") +
                          " of the configuration contradict each other: collection " + printable(name) +
                          " tells whether the data are lost, and " +
                          (excluded ? "exclude leaves it out of every backup" : "include does not name it") +
                          "; back it up, or let another collection tell");
    };
    if (!config.sentinel.empty()) check("sentinel", config.sentinel);
    for (const std::string& name : config.startup.empty.rule.collections) check("startup.collections", name);
}

Json names_to_json(const std::vector<std::string>& names) {
    Json out = Json::array();
    for (const auto& name : names) out.push(name);
    return out;
}

// Against the working directory, which is not changed.
std::string made_absolute(const std::string& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error);
    if (error) throw bad_value("directory", "it is relative, and the working directory cannot be read");
    std::string text = absolute.lexically_normal().string();
    while (text.size() > 1 && text.back() == '/') text.pop_back();
    return text;
}

}  // namespace

const Schema& config_schema() {
    static const Schema& schema =
        lasting(Schema{Code::invalid_config,
                       "configuration",
                       {{"mongo_url", KeyType::text, true, {}, 0, 0},
                        {"database", KeyType::text, true, {}, 0, 0},
                        {"directory", KeyType::text, true, {}, 0, 0},
                        {"sentinel", KeyType::text, false, {}, 0, 0},
                        startup_key(),
                        {"include", KeyType::texts, false, {}, 0, 0},
                        {"exclude", KeyType::texts, false, {}, 0, 0},
                        {"profile", KeyType::text, false, {"readable", "portable"}, 0, 0},
                        {"consistency", KeyType::text, false, {"prefer_snapshot", "require_snapshot"}, 0, 0},
                        guard_rule(),
                        retention_rule(),
                        {"compression", KeyType::text, false, {}, 0, 0},
                        schedule_rule(),
                        before_rule(),
                        encryption_rule(),
                        signature_rule(),
                        {"connect_timeout_ms", KeyType::number, false, {}, 1, kMaxConnectMs},
                        {"log_level", KeyType::text, false, {"debug", "info", "warning", "error"}, 0, 0},
                        {"admin", KeyType::object, false, {}, 0, 0, admin_rules()}}});
    return schema;
}

GuardRules read_guard_rules(const Json& json, const std::string& database) {
    GuardRules rules = read_guard(json, database);
    rules.sentinel = text_or(json, "sentinel", "");
    const WantedRule asked = parse_startup(json, database).empty;
    rules.together = asked.automatic ? usual_rule(asked).collections : asked.rule.collections;
    rules.least_together = asked.rule.minimum;
    return rules;
}

Config parse_config(std::string_view text) {
    const Json json = parse_checked(text, config_schema());
    Config config;
    config.mongo_url = Secret(json.at("mongo_url").as_string());
    config.database = json.at("database").as_string();
    config.directory = made_absolute(json.at("directory").as_string());
    config.sentinel = text_or(json, "sentinel", "");
    config.startup = parse_startup(json, config.database);
    config.include = texts_of(json, "include");
    config.exclude = texts_of(json, "exclude");
    config.profile = text_or(json, "profile", "readable") == "portable" ? Profile::portable : Profile::readable;
    config.require_snapshot = text_or(json, "consistency", "prefer_snapshot") == "require_snapshot";
    config.guard = read_guard_rules(json, config.database);
    config.retention = read_retention(json);
    config.compression = parse_compression(text_or(json, "compression", "none"), "key compression of the configuration");
    config.schedule = read_schedule(json);
    config.keep_zone = read_keep_zone(json, config.schedule);
    config.before_keep_days = read_before_days(json);
    config.keys = parse_keys(json);
    config.connect_timeout_ms = number_or(json, "connect_timeout_ms", config.connect_timeout_ms);
    config.log_level = level_of(text_or(json, "log_level", "info"));
    config.admin = read_admin(object_or_empty(json, "admin"));
    config.policy = policy_in(json);
    check_mongo_url(config.mongo_url);
    check_names(config);
    check_watched(config);
    return config;
}

Scope configured_scope(const Config& config) {
    Scope scope;
    scope.include = config.include;
    scope.exclude = config.exclude;
    if (!scope.include.empty() || !scope.exclude.empty()) scope.is = "configured";
    return scope;
}

Json config_to_json(const Config& config) {
    Json out = Json::object({{"mongo_url", kHidden}, {"database", config.database}, {"directory", config.directory}});
    out.set("sentinel", config.sentinel.empty() ? Json() : Json(config.sentinel));
    out.set("startup", startup_config_to_json(config.startup));
    out.set("include", names_to_json(config.include));
    out.set("exclude", names_to_json(config.exclude));
    out.set("profile", config.profile == Profile::portable ? "portable" : "readable");
    out.set("consistency", config.require_snapshot ? "require_snapshot" : "prefer_snapshot");
    out.set("guard", guard_to_json(config.guard)).set("retention", retention_to_json(config.retention, config.keep_zone));
    out.set("compression", config.compression.text());
    out.set("schedule", schedule_to_json(config.schedule));
    out.set("before", Json::object({{"keep_days", config.before_keep_days}}));
    add_keys(out, config.keys);
    out.set("connect_timeout_ms", config.connect_timeout_ms);
    out.set("log_level", kLevels[static_cast<int>(config.log_level)]);
    out.set("admin", admin_to_json(config.admin));
    return out;
}

}  // namespace reprise
