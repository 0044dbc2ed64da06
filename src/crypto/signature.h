// Ed25519 (RFC 8032) with keys from PEM files: PKCS#8 to sign, SPKI to check. Over OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

constexpr std::size_t kEd25519KeyBytes = 32, kSignatureBytes = 64;

class SigningKey {
public:
    // Failure{invalid_config, "signing_key_invalid"} when it is no unencrypted PKCS#8 PEM of an Ed25519 key. Nobody is ever
    // asked for a password.
    explicit SigningKey(std::string_view pem);
    ~SigningKey();
    SigningKey(SigningKey&&) noexcept;
    std::string sign(std::string_view message) const;  // 64 bytes
    std::string public_key() const;                    // 32 bytes
    std::string public_pem() const;                    // SPKI

private:
    struct State;
    std::unique_ptr<State> state_;
};

// What stands at the end of a signed file.
struct FileSignature {
    std::string algorithm;  // "ed25519"
    std::string key;        // PublicKey::id()
    std::string value;      // base64 of the 64 bytes
};

struct PublicKey {
    std::string bytes;       // 32
    std::string id() const;  // the first 16 hex digits of the SHA-256 of the key
    bool verifies(std::string_view message, std::string_view signature) const;
};

// Failure{invalid_config, "trusted_key_invalid"} when it is no SPKI PEM of an Ed25519 key.
PublicKey public_key_from_pem(std::string_view pem);
// A new key: PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it.
Secret new_signing_key_pem();

}  // namespace reprise
