// service composes the other rooms: what to do (config, options), when it may (jobs), and with which engine. It may include
// every room but capi and admin; nothing but capi and admin includes it. It never speaks to the network on a caller's thread.
//
// The configuration, parsed and checked; opening it speaks to no server and makes no file; of the system it reads
// the working directory and, for a schedule, a time zone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/secret.h"
#include "codec/bson_to_json.h"
#include "format/model.h"
#include "policy/guard.h"
#include "policy/retention.h"
#include "service/admin_settings.h"
#include "service/keeping.h"
#include "service/keys.h"
#include "service/schema.h"
#include "service/startup_config.h"
#include "service/timing.h"
#include "stream/compression.h"

namespace reprise {

struct Config {
    Secret mongo_url;
    std::string database;
    std::string directory;  // absolute
    std::string sentinel;   // empty: not set
    StartupConfig startup;
    std::vector<std::string> include, exclude;
    Profile profile = Profile::readable;
    bool require_snapshot = false;
    GuardRules guard;  // with the sentinel and what startup asks
    std::optional<RetentionRules> retention = RetentionRules();
    KeepZone keep_zone;
    std::optional<Timing> schedule;
    std::int64_t before_keep_days = kBeforeDays;
    KeysConfig keys;
    std::int64_t connect_timeout_ms = 10000;
    Compression compression;  // of the files that are written
    Level log_level = Level::info;
    AdminSettings admin;
    Json policy;  // the keys of folder_policy.h that were given
};

// What work is given: the configuration, and the secrets that the host pushed until then.
struct Setup {
    std::shared_ptr<const Config> config;
    std::shared_ptr<const PushedSecrets> secrets;
    std::unique_ptr<Vault> vault() const { return make_vault(config->keys, secrets); }
};

const Schema& config_schema();
// The guard with the sentinel and what startup asks. `json`: of checked keys. Failure{invalid_config, …}.
GuardRules read_guard_rules(const Json& json, const std::string& database);
// Failure{invalid_config, …} naming the key, its value's type and what is expected; values are not repeated (S10, S12).
Config parse_config(std::string_view json);
Scope configured_scope(const Config& config);  // what is backed up when a call says nothing else
// Defaults filled in, secrets as "***".
Json config_to_json(const Config& config);

}  // namespace reprise
