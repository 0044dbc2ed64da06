// Signed tokens in the compact form (RFC 7515), checked with keys whose algorithm the configuration has pinned (RFC 8725 §3.1):
// what the token says of itself never chooses how it is checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/verify_key.h"

namespace reprise {

constexpr std::size_t kMaxTokenBytes = 8 * 1024;

// One key and the one algorithm that it may be used with.
struct JwsKey {
    std::string kid;  // empty: tried for tokens of every `kid`
    std::string algorithm;
    SignatureMethod method;
    VerifyKey key;
};

// A key for an algorithm of RFC 7518 or 8037: HS256 … HS512, RS256 … RS512, PS256 … PS512, ES256, ES384, ES512, EdDSA.
// Failure{invalid_config}: "algorithm_unknown" ("none" in any spelling too), "key_weak" for an HMAC secret shorter than its
// digest, "key_invalid" when key and algorithm do not go together, or an HMAC secret is a public key in PEM.
JwsKey pin_key(const std::string& kid, const std::string& algorithm, VerifyKey key);
JwsKey pin_secret(const std::string& kid, const std::string& algorithm, const Secret& secret);
// One key of a JWK (RFC 7517) as JSON text; `algorithm` pins it where the JWK has no `alg`. A key for encryption is refused.
JwsKey key_from_jwk(std::string_view jwk, const std::string& algorithm);

struct Jws {
    std::string type;          // header `typ`, empty when absent
    std::string content_type;  // header `cty`
    std::string payload;
};

// nullopt for everything that is not a token signed by one of the keys, without saying why: over 8 KiB, not three parts of
// canonical base64url, a header that is not an object of unique members, `crit`, a key or its address inside the header,
// another algorithm than the key's.
std::optional<Jws> open_jws(std::string_view token, const std::vector<JwsKey>& keys);

}  // namespace reprise
