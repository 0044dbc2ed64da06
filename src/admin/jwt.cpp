#include "admin/jwt.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"

namespace reprise {
namespace {

constexpr double kLatestTime = 253402300799.0;  // the year 9999
constexpr std::size_t kMaxSubjectBytes = 256;

bool same_word(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
               return std::tolower(x) == std::tolower(y);
           });
}

// `typ` is optional; another kind of token than an access token is refused (RFC 8725 §3.11). A nested token is none of ours.
bool is_access_token(const Jws& jws) {
    const bool known = jws.type.empty() || same_word(jws.type, "JWT") || same_word(jws.type, "at+jwt") ||
                       same_word(jws.type, "application/at+jwt");
    return known && jws.content_type.empty();
}

// The time in claim `key`; false when it is there and no time. Absent leaves `fallback`.
bool read_time(const Json& claims, const char* key, double& time) {
    const Json* value = claims.find(key);
    if (value == nullptr) return true;
    if (!value->is_number()) return false;
    time = value->is_int() ? static_cast<double>(value->as_int()) : value->as_double();
    return std::isfinite(time) && time >= 0 && time <= kLatestTime;
}

bool in_time(const Json& claims, const JwtRules& rules, std::int64_t now_s) {
    const double now = static_cast<double>(now_s);
    const double leeway = static_cast<double>(std::clamp<std::int64_t>(rules.leeway_s, 0, kMaxLeewayS));
    double expires = kLatestTime, begins = 0, issued = 0;
    if (rules.require_expiry && claims.find("exp") == nullptr) return false;
    if (!read_time(claims, "exp", expires) || !read_time(claims, "nbf", begins) || !read_time(claims, "iat", issued))
        return false;
    return now < expires + leeway && begins <= now + leeway;
}

bool holds_text(const Json& value, const std::string& wanted) {
    if (value.is_string()) return value.as_string() == wanted;
    if (!value.is_array()) return false;
    const auto& items = value.as_array();
    return std::any_of(items.begin(), items.end(),
                       [&](const Json& item) { return item.is_string() && item.as_string() == wanted; });
}

bool for_us(const Json& claims, const JwtRules& rules) {
    const Json* issuer = claims.find("iss");
    if (!rules.issuer.empty() && (issuer == nullptr || !issuer->is_string() || issuer->as_string() != rules.issuer))
        return false;
    const Json* audience = claims.find("aud");
    if (audience == nullptr) return rules.audience.empty();
    return !rules.audience.empty() && holds_text(*audience, rules.audience);
}

// The claim of that very name first: names may hold dots (they are often addresses).
const Json* find_claim(const Json& claims, std::string_view path) {
    if (const Json* exact = claims.find(path)) return exact;
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) return nullptr;
    const Json* inner = claims.find(path.substr(0, dot));
    return inner == nullptr ? nullptr : find_claim(*inner, path.substr(dot + 1));
}

std::string subject_of(const Json& claims) {
    const Json* subject = claims.find("sub");
    if (subject == nullptr) return {};
    if (subject->is_int()) return std::to_string(subject->as_int());
    return subject->is_string() ? std::string(cut_at_character(subject->as_string(), kMaxSubjectBytes)) : std::string();
}

}  // namespace

Caller check_token(std::string_view token, const JwtRules& rules, std::int64_t now_s) {
    const auto jws = open_jws(token, rules.keys);
    if (!jws || !is_access_token(*jws)) return {};
    try {
        const Json claims = parse_json(jws->payload);
        if (!claims.is_object() || !in_time(claims, rules, now_s) || !for_us(claims, rules)) return {};
        const Json* role = find_claim(claims, rules.role_claim);
        const bool admin = role != nullptr && holds_text(*role, rules.role_value);
        return {admin ? Caller::May::admin : Caller::May::no_admin, subject_of(claims)};
    } catch (const Failure&) {
        return {};
    }
}

}  // namespace reprise
