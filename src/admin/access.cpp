#include "admin/access.h"

#include <algorithm>
#include <filesystem>

#include "base/failure.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxKeys = 32;

constexpr const char* kNotAuthenticated = "not_authenticated";

// Keys of a set that are for something else, or of a kind that is not known here, are passed over (RFC 7517 §5); a set of which
// none is left is an error.
std::vector<JwsKey> keys_of_set(const std::string& text, const std::string& algorithm) {
    const Json set = parse_json(text);
    const Json* keys = set.find("keys");
    if (keys == nullptr) return {key_from_jwk(text, algorithm)};
    std::vector<JwsKey> out;
    std::optional<Failure> first;
    for (const auto& key : keys->as_array()) {
        if (out.size() == kMaxKeys) throw Failure(Code::invalid_config, "key_invalid", "the file of keys holds more than 32");
        try {
            out.push_back(key_from_jwk(key.text(), algorithm));
        } catch (const Failure& failure) {
            if (!first) first = failure;
        }
    }
    if (out.empty() && first)
        throw Failure(first->code, first->reason, "no key of the set can be used; of the first: " + first->message);
    if (out.empty()) throw Failure(Code::invalid_config, "key_invalid", "the set of keys is empty");
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    return text;
}

std::vector<JwsKey> keys_for(const JwtSettings& jwt, const PushedSecrets& pushed) {
    if (const auto set = pushed.get(kJwtKeys)) return keys_of_set(std::string(set->reveal()), jwt.algorithm);
    if (const auto secret = pushed.get(kJwtSecret)) return {pin_secret("", jwt.algorithm, *secret)};
    if (!jwt.secret.empty()) return {pin_secret("", jwt.algorithm, jwt.secret)};
    if (!jwt.secret_file.empty()) {
        const Secret secret = read_secret_file(jwt.secret_file, "the secret for tokens");
        return {pin_secret("", jwt.algorithm, Secret(trimmed(secret.reveal())))};
    }
    if (!jwt.public_key_file.empty())
        return {pin_key("", jwt.algorithm, VerifyKey::from_pem(read_key_file(jwt.public_key_file, "the key for tokens")))};
    if (jwt.jwks_file.empty()) return {};
    std::vector<JwsKey> keys = keys_of_set(read_key_file(jwt.jwks_file, "the keys for tokens"), jwt.algorithm);
    const bool secret =
        std::any_of(keys.begin(), keys.end(), [](const JwsKey& key) { return key.algorithm.rfind("HS", 0) == 0; });
    if (secret) read_secret_file(jwt.jwks_file, "the file of secret keys for tokens");  // nobody else may read it
    return keys;
}

// Changes when the file does, or when the host pushes something.
std::string mark_of(const JwtSettings& jwt, const PushedSecrets& pushed) {
    std::string out = std::to_string(pushed.revision());
    for (const std::string& path : {jwt.secret_file, jwt.public_key_file, jwt.jwks_file}) {
        if (path.empty()) continue;
        std::error_code error;
        const auto written = std::filesystem::last_write_time(path, error);
        out += " " + (error ? "?" : std::to_string(written.time_since_epoch().count()));
        out += " " + std::to_string(std::filesystem::file_size(path, error));
    }
    return out;
}

// "Bearer TOKEN", the scheme in any case; empty when it is something else, as the Basic of a proxy's own login.
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
    if (name.empty()) return {};
    std::string found;
    int times = 0;
    for (const std::string_view one : request.elements("cookie", ';')) {
        if (one.size() <= name.size() || one.substr(0, name.size()) != name || one[name.size()] != '=') continue;
        found = std::string(one.substr(name.size() + 1));
        ++times;
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

// A host that vouches for somebody may know him by a cookie of its own: what a browser says to come from elsewhere is refused.
bool comes_from_elsewhere(const Request& request) {
    if (request.method == "GET" || request.method == "HEAD") return false;
    const std::string* site = request.header("sec-fetch-site");
    if (site != nullptr) return *site != "same-origin" && *site != "none";
    return request.header("origin") != nullptr && !same_origin(request);
}

std::string form_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' && i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
        if (byte) {
            out += *byte;
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

struct Access::Keys {
    std::string mark;
    JwtRules rules;
    std::string monitor_hash;  // empty: there is no such token
};

Access::Access(Service& service) : service_(service), settings_(service.admin_settings()) { keys(); }

std::shared_ptr<const Access::Keys> Access::keys() const {
    const JwtSettings& jwt = settings_.jwt;
    const PushedSecrets& pushed = service_.secrets();
    const std::lock_guard<std::mutex> hold(mutex_);
    const std::string mark = mark_of(jwt, pushed);
    if (keys_ && keys_->mark == mark) return keys_;
    auto fresh = std::make_shared<Keys>();
    fresh->mark = mark;
    fresh->rules.issuer = jwt.issuer;
    fresh->rules.audience = jwt.audience;
    fresh->rules.leeway_s = jwt.leeway_s;
    fresh->rules.require_expiry = jwt.require_expiry;
    fresh->rules.role_claim = jwt.role_claim;
    fresh->rules.role_value = jwt.role_value;
    const Secret monitor = pushed.get(kMonitorToken).value_or(settings_.monitor_token);
    if (!monitor.empty()) fresh->monitor_hash = sha256_hex(monitor.reveal());
    try {
        fresh->rules.keys = keys_for(jwt, pushed);
    } catch (const Failure& failure) {
        if (!keys_) throw;
        service_.warn("the keys for tokens stay as they were: " + failure.message);
        fresh->rules.keys = keys_->rules.keys;
    }
    return keys_ = std::move(fresh);
}

Permit Access::by_token(const std::string& token, std::int64_t now_s) const {
    const Caller caller = check_token(token, keys()->rules, now_s);
    if (caller.may == Caller::May::nothing) return {"", kNotAuthenticated, true};
    return {caller.subject, caller.may == Caller::May::no_admin ? "not_admin" : nullptr, true};
}

Permit Access::need_admin(const Request& request, std::int64_t now_s) const {
    if (request.principal && !request.principal->empty())
        return {*request.principal, comes_from_elsewhere(request) ? "cross_site" : nullptr, true};
    const std::string shown = bearer(request), token = cookie_of(request, settings_.cookie);
    if (!shown.empty() || (request.header("authorization") != nullptr && token.empty())) return by_token(shown, now_s);
    if (token.empty()) return {"", kNotAuthenticated, false};
    Permit permit = by_token(token, now_s);
    if (permit.refusal == nullptr && !asked_from_here(request)) permit.refusal = "cross_site";
    return permit;
}

Permit Access::need_admin_by_form(const Request& request, std::int64_t now_s) const {
    if (request.principal && !request.principal->empty())
        return {*request.principal, comes_from_elsewhere(request) ? "cross_site" : nullptr, true};
    return by_token(form_field(request.body, "token"), now_s);
}

Permit Access::need_monitor(const Request& request, std::int64_t now_s) const {
    const std::string token = bearer(request);
    const std::string monitor = keys()->monitor_hash;
    // Hashes are compared, so that the time tells nothing of the token.
    if (!monitor.empty() && !token.empty() && sha256_hex(token) == monitor) return {"monitor", nullptr, true};
    return need_admin(request, now_s);
}

}  // namespace reprise
