// The part of the configuration that says who may administer, key `admin`: read here with the rest, used by the room admin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"
#include "codec/json.h"
#include "service/health.h"
#include "service/schema.h"

namespace reprise {

// How bearer tokens are checked. One source of keys: `secret`, or one of the three files, or none (the host verifies).
struct JwtSettings {
    std::string algorithm;  // pinned; empty only where every key of jwks_file has an `alg`
    Secret secret;
    std::string secret_file, public_key_file, jwks_file;  // absolute
    std::string issuer, audience;
    std::string role_claim = "role", role_value = "admin";
    std::int64_t leeway_s = 30;
    bool require_expiry = true;
    bool any_key() const { return !(secret.empty() && secret_file.empty() && public_key_file.empty() && jwks_file.empty()); }
};

struct AdminSettings {
    JwtSettings jwt;
    std::string cookie;                             // the cookie that may carry the token; empty: none does
    std::vector<std::string> frame_ancestors;       // origins that may show the page in a frame; empty: none may
    std::int64_t max_age_hours = kHealthyAgeHours;  // an older last backup is no healthy state
    Secret monitor_token;                           // opens health and metrics, and nothing else
};

std::vector<KeyRule> admin_rules();
// Of the checked object under `admin`. Failure{invalid_config, "key_value_wrong"} for contradictions, by path.
AdminSettings read_admin(const Json& admin);
Json admin_to_json(const AdminSettings& settings);  // secrets as "***"

}  // namespace reprise
