#include "service/admin_settings.h"

#include <algorithm>
#include <filesystem>

#include "base/failure.h"

namespace reprise {
namespace {

constexpr std::int64_t kLeewayS = 60;
constexpr std::size_t kLeastMonitorToken = 16;
constexpr std::int64_t kMostAgeHours = 24 * 366;
constexpr const char* kHidden = "***";

KeyRule text(const char* name) { return {name, KeyType::text, false, {}, 0, 0}; }

Failure bad_value(const std::string& key, const std::string& problem) {
    return Failure(Code::invalid_config, "key_value_wrong", "key " + key + " of the configuration: " + problem);
}

std::string absolute_file(const Json& json, const char* key) {
    const std::string path = text_or(json, key, "");
    if (path.empty()) return path;
    if (path[0] != '/') throw bad_value(std::string("admin.jwt.") + key, "it must be an absolute path");
    return path;
}

bool is_token(const std::string& name) {
    return std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return c > 0x20 && c < 0x7F &&
               std::string_view("()<>@,;:\\\"/[]?={}").find(static_cast<char>(c)) == std::string_view::npos;
    });
}

// Only what is an origin may stand in the page's policy: a quote or a semicolon would be a policy of its own.
bool is_origin(const std::string& text) {
    if (text == "'self'") return true;
    const std::size_t scheme = text.rfind("https://", 0) == 0 ? 8 : text.rfind("http://", 0) == 0 ? 7 : 0;
    return scheme > 0 && text.size() > scheme &&
           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(scheme), text.end(),
                       [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '*'; });
}

JwtSettings read_jwt(const Json& json) {
    JwtSettings out;
    out.algorithm = text_or(json, "algorithm", "");
    out.secret = Secret(text_or(json, "secret", ""));
    out.secret_file = absolute_file(json, "secret_file");
    out.public_key_file = absolute_file(json, "public_key_file");
    out.jwks_file = absolute_file(json, "jwks_file");
    out.issuer = text_or(json, "issuer", "");
    out.audience = text_or(json, "audience", "");
    out.role_claim = text_or(json, "role_claim", out.role_claim);
    out.role_value = text_or(json, "role_value", out.role_value);
    out.leeway_s = number_or(json, "leeway_s", out.leeway_s);
    out.require_expiry = yes_or(json, "require_expiry", true);
    const int sources = (out.secret.empty() ? 0 : 1) + (out.secret_file.empty() ? 0 : 1) +
                        (out.public_key_file.empty() ? 0 : 1) + (out.jwks_file.empty() ? 0 : 1);
    if (sources > 1)
        throw bad_value("admin.jwt", "give one of secret, secret_file, public_key_file and jwks_file, not several");
    if (sources == 1 && out.jwks_file.empty() && out.algorithm.empty())
        throw bad_value("admin.jwt.algorithm", "it is needed, because a key is for one algorithm alone (for example HS256)");
    if (out.role_claim.empty() || out.role_value.empty())
        throw bad_value("admin.jwt", "role_claim and role_value cannot be empty");
    return out;
}

}  // namespace

std::vector<KeyRule> admin_rules() {
    KeyRule jwt{"jwt", KeyType::object, false, {}, 0, 0};
    jwt.keys = {text("algorithm"),
                text("secret"),
                text("secret_file"),
                text("public_key_file"),
                text("jwks_file"),
                text("issuer"),
                text("audience"),
                text("role_claim"),
                text("role_value"),
                {"leeway_s", KeyType::number, false, {}, 0, kLeewayS},
                {"require_expiry", KeyType::yes_no, false, {}, 0, 0}};
    return {jwt,
            text("cookie"),
            {"frame_ancestors", KeyType::texts, false, {}, 0, 0},
            text("monitor_token"),
            {"max_age_hours", KeyType::number, false, {}, 1, kMostAgeHours}};
}

AdminSettings read_admin(const Json& admin) {
    AdminSettings out;
    out.jwt = read_jwt(object_or_empty(admin, "jwt"));
    out.cookie = text_or(admin, "cookie", "");
    if (!is_token(out.cookie)) throw bad_value("admin.cookie", "it is no name of a cookie");
    out.frame_ancestors = texts_of(admin, "frame_ancestors");
    for (std::size_t i = 0; i < out.frame_ancestors.size(); ++i)
        if (!is_origin(out.frame_ancestors[i]))
            throw bad_value("admin.frame_ancestors[" + std::to_string(i) + "]",
                            "it is no origin such as https://intranet.example, nor 'self'");
    out.max_age_hours = number_or(admin, "max_age_hours", out.max_age_hours);
    out.monitor_token = Secret(text_or(admin, "monitor_token", ""));
    if (!out.monitor_token.empty() && out.monitor_token.reveal().size() < kLeastMonitorToken)
        throw bad_value("admin.monitor_token", "it is shorter than 16 bytes");
    return out;
}

Json admin_to_json(const AdminSettings& settings) {
    const JwtSettings& jwt = settings.jwt;
    Json shown = Json::object();
    const auto add = [&](const char* key, const std::string& value) { shown.set(key, value.empty() ? Json() : Json(value)); };
    add("algorithm", jwt.algorithm);
    shown.set("secret", jwt.secret.empty() ? Json() : Json(kHidden));
    add("secret_file", jwt.secret_file);
    add("public_key_file", jwt.public_key_file);
    add("jwks_file", jwt.jwks_file);
    add("issuer", jwt.issuer);
    add("audience", jwt.audience);
    shown.set("role_claim", jwt.role_claim).set("role_value", jwt.role_value);
    shown.set("leeway_s", jwt.leeway_s).set("require_expiry", jwt.require_expiry);
    Json ancestors = Json::array();
    for (const auto& one : settings.frame_ancestors) ancestors.push(one);
    return Json::object({{"jwt", std::move(shown)},
                         {"cookie", settings.cookie.empty() ? Json() : Json(settings.cookie)},
                         {"frame_ancestors", std::move(ancestors)},
                         {"max_age_hours", settings.max_age_hours},
                         {"monitor_token", settings.monitor_token.empty() ? Json() : Json(kHidden)}});
}

}  // namespace reprise
