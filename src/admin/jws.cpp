#include "admin/jws.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"

namespace reprise {
namespace {

struct Algorithm {
    const char* name;
    SignatureMethod method;
    KeyFamily key;
};

constexpr Algorithm kAlgorithms[] = {
    {"HS256", {SignatureScheme::hmac, 256}, KeyFamily::hmac},
    {"HS384", {SignatureScheme::hmac, 384}, KeyFamily::hmac},
    {"HS512", {SignatureScheme::hmac, 512}, KeyFamily::hmac},
    {"RS256", {SignatureScheme::rsa_pkcs1, 256}, KeyFamily::rsa},
    {"RS384", {SignatureScheme::rsa_pkcs1, 384}, KeyFamily::rsa},
    {"RS512", {SignatureScheme::rsa_pkcs1, 512}, KeyFamily::rsa},
    {"PS256", {SignatureScheme::rsa_pss, 256}, KeyFamily::rsa},
    {"PS384", {SignatureScheme::rsa_pss, 384}, KeyFamily::rsa},
    {"PS512", {SignatureScheme::rsa_pss, 512}, KeyFamily::rsa},
    {"ES256", {SignatureScheme::ecdsa, 256}, KeyFamily::ec},
    {"ES384", {SignatureScheme::ecdsa, 384}, KeyFamily::ec},
    {"ES512", {SignatureScheme::ecdsa, 512}, KeyFamily::ec},
    {"EdDSA", {SignatureScheme::ed25519, 512}, KeyFamily::ed25519},
};

// A token that brings its own key, or says where to fetch one, is somebody else's idea of whom to trust.
constexpr const char* kForeignKeys[] = {"jwk", "jku", "x5u", "x5c"};

Failure wrong_key(const std::string& what) { return Failure(Code::invalid_config, "key_invalid", what); }

const Algorithm& known_algorithm(const std::string& name) {
    for (const auto& one : kAlgorithms)
        if (name == one.name) return one;
    throw Failure(Code::invalid_config, "algorithm_unknown",
                  "the algorithm " + printable(name) + " is none of HS256, HS384, HS512, RS256, PS256, ES256, EdDSA");
}

std::size_t curve_bits(int digest_bits) { return digest_bits == 512 ? 521 : static_cast<std::size_t>(digest_bits); }

std::string number_of(const Json& jwk, const char* key) {
    const Json* value = jwk.find(key);
    const auto bytes = value != nullptr && value->is_string() ? from_base64url(value->as_string()) : std::nullopt;
    if (!bytes || bytes->empty()) throw wrong_key(std::string("the JWK has no member ") + key + " in base64url");
    return *bytes;
}

std::string text_of(const Json& json, const char* key) {
    const Json* value = json.find(key);
    if (value == nullptr) return {};
    if (!value->is_string()) throw wrong_key(std::string("the JWK's member ") + key + " is not a string");
    return value->as_string();
}

void check_use(const Json& jwk) {
    const std::string use = text_of(jwk, "use");
    if (!use.empty() && use != "sig") throw wrong_key("the JWK is for encryption (use), not for signatures");
    const Json* operations = jwk.find("key_ops");
    if (operations == nullptr) return;
    if (operations->is_array())
        for (const auto& one : operations->as_array())
            if (one.is_string() && one.as_string() == "verify") return;
    throw wrong_key("the JWK is not for verifying (key_ops)");
}

VerifyKey key_of(const Json& jwk) {
    const std::string type = text_of(jwk, "kty");
    if (type == "oct") return VerifyKey::hmac(Secret(number_of(jwk, "k")));
    if (type == "RSA") return VerifyKey::rsa(number_of(jwk, "n"), number_of(jwk, "e"));
    if (type == "EC") return VerifyKey::ec(text_of(jwk, "crv"), number_of(jwk, "x"), number_of(jwk, "y"));
    if (type == "OKP" && text_of(jwk, "crv") == "Ed25519") return VerifyKey::ed25519(number_of(jwk, "x"));
    throw wrong_key("the JWK's type (kty) is none of oct, RSA, EC, OKP with Ed25519");
}

struct Parts {
    std::string_view signed_part, header, payload, signature;
};

std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
    return Parts{token.substr(0, second), token.substr(0, first), token.substr(first + 1, second - first - 1),
                 token.substr(second + 1)};
}

struct Header {
    std::string algorithm, kid, type, content_type;
    bool has_kid = false;
};

// An absent member is empty; one of another type than string makes the whole header unusable.
bool read_text(const Json& header, const char* key, std::string& out) {
    const Json* value = header.find(key);
    if (value == nullptr) return true;
    if (!value->is_string()) return false;
    out = value->as_string();
    return true;
}

std::optional<Header> read_header(const std::string& text) {
    try {
        const Json json = parse_json(text);
        if (!json.is_object() || json.find("crit") != nullptr) return std::nullopt;
        for (const char* foreign : kForeignKeys)
            if (json.find(foreign) != nullptr) return std::nullopt;
        Header out;
        if (!read_text(json, "alg", out.algorithm) || !read_text(json, "kid", out.kid) || !read_text(json, "typ", out.type) ||
            !read_text(json, "cty", out.content_type))
            return std::nullopt;
        out.has_kid = json.find("kid") != nullptr;
        return out;
    } catch (const Failure&) {
        return std::nullopt;
    }
}

bool may_be(const JwsKey& key, const Header& header) {
    return key.algorithm == header.algorithm && (key.kid.empty() || !header.has_kid || key.kid == header.kid);
}

}  // namespace

JwsKey pin_key(const std::string& kid, const std::string& algorithm, VerifyKey key) {
    const Algorithm& known = known_algorithm(algorithm);
    const std::size_t bits = key.size_bits();
    if (key.type() != known.key || (known.key == KeyFamily::ec && bits != curve_bits(known.method.digest_bits)))
        throw wrong_key("the key does not go with the algorithm " + algorithm);
    if (known.key == KeyFamily::hmac && bits < static_cast<std::size_t>(known.method.digest_bits))
        throw Failure(Code::invalid_config, "key_weak",
                      "the secret for " + algorithm + " has " + std::to_string(bits / 8) + " bytes; it needs at least " +
                          std::to_string(known.method.digest_bits / 8) + ", chosen at random");
    return {kid, algorithm, known.method, std::move(key)};
}

JwsKey pin_secret(const std::string& kid, const std::string& algorithm, const Secret& secret) {
    if (secret.reveal().find("-----BEGIN ") != std::string_view::npos)
        throw wrong_key("the secret for " + algorithm + " is a key in PEM; a public key is no secret");
    return pin_key(kid, algorithm, VerifyKey::hmac(secret));
}

JwsKey key_from_jwk(std::string_view jwk, const std::string& algorithm) {
    const Json json = parse_json(jwk);
    check_use(json);
    const std::string own = text_of(json, "alg");
    if (!own.empty() && !algorithm.empty() && own != algorithm)
        throw wrong_key("the JWK is for " + printable(own) + ", not for " + printable(algorithm));
    return pin_key(text_of(json, "kid"), own.empty() ? algorithm : own, key_of(json));
}

std::optional<Jws> open_jws(std::string_view token, const std::vector<JwsKey>& keys) {
    if (token.size() > kMaxTokenBytes) return std::nullopt;
    const auto parts = split(token);
    if (!parts) return std::nullopt;
    const auto header_text = from_base64url(parts->header), payload = from_base64url(parts->payload),
               signature = from_base64url(parts->signature);
    if (!header_text || !payload || !signature) return std::nullopt;
    const auto header = read_header(*header_text);
    if (!header) return std::nullopt;
    const bool signed_by_one = std::any_of(keys.begin(), keys.end(), [&](const JwsKey& key) {
        return may_be(key, *header) && key.key.verify(key.method, parts->signed_part, *signature);
    });
    if (!signed_by_one) return std::nullopt;
    return Jws{header->type, header->content_type, *payload};
}

}  // namespace reprise
