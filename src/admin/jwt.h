// admin answers requests about backups and knows no socket: a request comes in, a response goes out.
//
// jwt: who may. Claims of a signed token (RFC 7519) under rules that the configuration pins (RFC 8725).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "admin/jws.h"

namespace reprise {

constexpr std::int64_t kMaxLeewayS = 60;

struct JwtRules {
    std::vector<JwsKey> keys;
    std::string issuer;          // empty: any
    std::string audience;        // empty: only tokens without `aud` (RFC 7519 §4.1.3)
    std::int64_t leeway_s = 30;  // at most kMaxLeewayS
    bool require_expiry = true;
    // The claim that says what its bearer may, a string or a list of them; "a.b" also names a member of an object.
    std::string role_claim = "role";
    std::string role_value = "admin";
};

struct Caller {
    enum class May { nothing, no_admin, admin };  // 401, 403, welcome
    May may = May::nothing;
    std::string subject;  // claim `sub`; empty when it is absent or may is `nothing`
};

// now_s: seconds since 1970. Never throws for a token, and never says why one is refused.
Caller check_token(std::string_view token, const JwtRules& rules, std::int64_t now_s);

}  // namespace reprise
