// Keys that check signatures made elsewhere (RFC 7518, RFC 8037): HMAC, RSA, ECDSA over the NIST curves, Ed25519. Checking
// alone: nothing here signs but HMAC's own comparison, which takes the same time for every wrong tag.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

enum class KeyFamily { hmac, rsa, ec, ed25519 };
enum class SignatureScheme { hmac, rsa_pkcs1, rsa_pss, ecdsa, ed25519 };

// What a signature must be made with. PSS salts are as long as the digest; ECDSA signatures are r and s, fixed length.
struct SignatureMethod {
    SignatureScheme scheme = SignatureScheme::hmac;
    int digest_bits = 256;  // 256, 384 or 512; of no matter for Ed25519
};

// Immutable; any thread. All makers throw Failure{invalid_config, "key_invalid"} for what is no such key and
// Failure{invalid_config, "key_weak"} for RSA under 2048 bits or with an exponent of 1 or an even one.
class VerifyKey {
public:
    static VerifyKey hmac(const Secret& secret);
    // One public key as PEM: "PUBLIC KEY" (SPKI; "RSA PUBLIC KEY" too), or the one of a "CERTIFICATE".
    static VerifyKey from_pem(std::string_view pem);
    static VerifyKey rsa(std::string_view modulus, std::string_view exponent);            // big-endian bytes
    static VerifyKey ec(std::string_view curve, std::string_view x, std::string_view y);  // "P-256", "P-384", "P-521"
    static VerifyKey ed25519(std::string_view raw);                                       // 32 bytes

    KeyFamily type() const;
    std::size_t size_bits() const;  // of an HMAC secret: 8 × its bytes
    // False for every signature that is not exactly right, also when the method does not go with the key or its curve.
    bool verify(SignatureMethod method, std::string_view message, std::string_view signature) const;

private:
    struct State;
    explicit VerifyKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

}  // namespace reprise
