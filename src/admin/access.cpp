#include "admin/access.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "service/key_file.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxKeys = 32;

constexpr const char* kNotAuthenticated = "not_authenticated";

std::vector<JwsKey> keys_of_set(const std::string& text, const std::string& algorithm) {
    const Json set = parse_json(text);
    const Json* keys = set.find("keys");
    std::vector<JwsKey> out;
    if (keys == nullptr) return {key_from_jwk(text, algorithm)};
    for (const auto& key : keys->as_array()) {
        if (out.size() == kMaxKeys) throw Failure(Code::invalid_config, "key_invalid", "the file of keys holds more than 32");
        out.push_back(key_from_jwk(key.text(), algorithm));
    }
    return out;
}

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

std::vector<JwsKey> keys_for(const JwtSettings& jwt) {
    if (!jwt.secret.empty()) return {pin_secret("", jwt.algorithm, jwt.secret)};
    if (!jwt.secret_file.empty())
        return {pin_secret("", jwt.algorithm, Secret(trimmed(read_key_file(jwt.secret_file, KeyFile::secret))))};
    if (!jwt.public_key_file.empty())
        return {pin_key("", jwt.algorithm, VerifyKey::from_pem(read_key_file(jwt.public_key_file, KeyFile::open)))};
    if (!jwt.jwks_file.empty()) return keys_of_set(read_key_file(jwt.jwks_file, KeyFile::open), jwt.algorithm);
    return {};
}

// "Bearer TOKEN", the scheme in any case; empty when it is something else.
std::string bearer(const Request& request) {
    const std::string* value = request.header("authorization");
    constexpr std::string_view kScheme = "bearer ";
    if (value == nullptr || value->size() <= kScheme.size()) return {};
    for (std::size_t i = 0; i < kScheme.size(); ++i)
        if (std::tolower(static_cast<unsigned char>((*value)[i])) != kScheme[i]) return {};
    return value->substr(kScheme.size());
}

// Every value of that name: two are as good as none, because which one a browser means cannot be told.
std::string cookie_of(const Request& request, const std::string& name) {
    const std::string* header = request.header("cookie");
    if (header == nullptr || name.empty()) return {};
    std::string found;
    int times = 0;
    for (std::size_t at = 0; at < header->size();) {
        const std::size_t end = std::min(header->find(';', at), header->size());
        std::string_view one = std::string_view(*header).substr(at, end - at);
        while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
        if (one.size() > name.size() && one.substr(0, name.size()) == name && one[name.size()] == '=') {
            found = std::string(one.substr(name.size() + 1));
            ++times;
        }
        at = end + 1;
    }
    if (found.size() >= 2 && found.front() == '"' && found.back() == '"') found = found.substr(1, found.size() - 2);
    return times == 1 ? found : std::string();
}

bool same_origin(const Request& request) {
    if (const std::string* site = request.header("sec-fetch-site")) return *site == "same-origin";
    const std::string* origin = request.header("origin");
    const std::string* host = request.header("host");
    if (origin == nullptr || host == nullptr) return false;
    const std::size_t scheme = origin->find("://");
    return scheme != std::string::npos && origin->substr(scheme + 3) == *host;
}

// A browser sends a cookie on behalf of any page: what changes something must be asked for by a page of this application.
bool asked_from_here(const Request& request) {
    if (request.method == "GET" || request.method == "HEAD") return true;
    const std::string* mark = request.header("x-reprise");
    return mark != nullptr && *mark == "1" && same_origin(request);
}

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

std::string form_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped =
            text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        if (escaped) {
            out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

}  // namespace

std::string form_field(std::string_view form, std::string_view name) {
    while (!form.empty()) {
        const std::string_view one = form.substr(0, form.find('&'));
        const std::size_t equals = one.find('=');
        if (equals != std::string_view::npos && form_decoded(one.substr(0, equals)) == name)
            return form_decoded(one.substr(equals + 1));
        form.remove_prefix(std::min(form.size(), one.size() + 1));
    }
    return {};
}

Access::Access(const AdminSettings& settings) : settings_(settings) {
    const JwtSettings& jwt = settings.jwt;
    rules_.keys = keys_for(jwt);
    rules_.issuer = jwt.issuer;
    rules_.audience = jwt.audience;
    rules_.leeway_s = jwt.leeway_s;
    rules_.require_expiry = jwt.require_expiry;
    rules_.role_claim = jwt.role_claim;
    rules_.role_value = jwt.role_value;
}

Permit Access::by_token(const std::string& token, std::int64_t now_s) const {
    const Caller caller = check_token(token, rules_, now_s);
    if (caller.may == Caller::May::nothing) return {"", kNotAuthenticated};
    return {caller.subject, caller.may == Caller::May::no_admin ? "not_admin" : nullptr};
}

Permit Access::need_admin(const Request& request, std::int64_t now_s) const {
    if (request.principal) return {*request.principal, nullptr};
    if (request.header("authorization") != nullptr) return by_token(bearer(request), now_s);
    const std::string token = cookie_of(request, settings_.cookie);
    if (token.empty()) return {"", kNotAuthenticated};
    Permit permit = by_token(token, now_s);
    if (permit.refusal == nullptr && !asked_from_here(request)) permit.refusal = "cross_site";
    return permit;
}

Permit Access::need_admin_by_form(const Request& request, std::int64_t now_s) const {
    if (request.principal) return {*request.principal, nullptr};
    return by_token(form_field(request.body, "token"), now_s);
}

Permit Access::need_monitor(const Request& request, std::int64_t now_s) const {
    const std::string token = bearer(request);
    // Hashes are compared, so that the time tells nothing of the token.
    if (!settings_.monitor_token.empty() && !token.empty() && sha256_hex(token) == sha256_hex(settings_.monitor_token.reveal()))
        return {"monitor", nullptr};
    return need_admin(request, now_s);
}

}  // namespace reprise
