#include "service/folder_policy.h"

#include "base/failure.h"
#include "base/leaving.h"

namespace reprise {
namespace {

constexpr const char* kKey = "policy";
constexpr const char *kSentinel = "sentinel", *kStartup = "startup", *kGuard = "guard", *kRetention = "retention";
constexpr const char* kKeys[] = {kSentinel, kStartup, kGuard, kRetention};

const Schema& policy_schema() {
    static const Schema& schema = lasting(Schema{Code::corrupt,
                                                 "file .reprise/policy",
                                                 {{kSentinel, KeyType::text, false, {}, 0, 0},
                                                  startup_key(),
                                                  guard_rule(),
                                                  retention_rule()}});
    return schema;
}

}  // namespace

Json policy_in(const Json& config) {
    Json out = Json::object();
    for (const char* key : kKeys)
        if (const Json* value = config.find(key)) out.set(key, *value);
    return out;
}

std::shared_ptr<const Config> with_folder_policy(const std::shared_ptr<const Config>& config, Store& store,
                                                 const Context& context) {
    const auto text = store.read_state(kKey);
    if (!text) return config;
    try {
        Json rules = parse_checked(*text, policy_schema());
        for (const auto& [key, value] : config->policy.as_object()) rules.set(key, value);
        auto out = std::make_shared<Config>(*config);
        out->guard = read_guard_rules(rules, config->database);
        out->retention = read_retention(rules);
        out->keep_zone = read_keep_zone(rules, config->schedule);
        return out;
    } catch (const Failure& failure) {
        context.log(Level::warning, "the folder's own rules are passed over: " + failure.message);
        return config;
    }
}

void remember_policy(const Config& config, const Actor& actor, Store& store, const Context& context) {
    if (actor.via == "command" || config.policy.as_object().empty()) return;
    try {
        const std::string text = config.policy.text(2) + "\n";
        if (store.read_state(kKey) != text) store.write_state(kKey, text);
    } catch (const Failure& failure) {
        context.log(Level::warning, "the rules of this backup were not remembered in the folder: " + failure.message);
    }
}

}  // namespace reprise
