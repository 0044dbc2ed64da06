// The configuration's key "startup": what counts as empty, how long to wait, and what a host does when the data are not there.
#pragma once

#include <cstdint>
#include <string>

#include "codec/json.h"
#include "service/candidates.h"
#include "service/schema.h"

namespace reprise {

struct StartupConfig {
    WantedRule empty;
    std::int64_t wait_ms = 15 * 60 * 1000;  // for another process at work
    bool start_anyway = false;
};

KeyRule startup_key();
// on_failure: a word that has been checked.
bool starts_anyway(const std::string& on_failure);
KeyRule on_failure_key();
// `checked`: the whole configuration, by its schema. Failure{invalid_config, "key_value_wrong"}.
StartupConfig parse_startup(const Json& checked, const std::string& database);
Json startup_config_to_json(const StartupConfig& config);

}  // namespace reprise
