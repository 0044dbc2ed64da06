// Secrets in files, and secrets that the host pushed.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

// The content of a file that nobody but its owner may read. `what` it is, for messages: "the identity file". Failure{denied,
// "key_missing"} when it is not there, {denied, "secret_exposed"} when others may read or write it, {denied,
// "key_replaceable"} when it lies in a folder that everybody may write to, {invalid_config, "secret_file_invalid"} when it is
// no file, empty or over 64 KiB.
Secret read_secret_file(const std::string& path, const std::string& what);
// A file that anybody may read, and only its owner write; else the same.
std::string read_key_file(const std::string& path, const std::string& what);

// What the host pushed with reprise_secret_set. Thread-safe.
class PushedSecrets {
public:
    // An empty value takes it away. Failure{invalid_argument, "secret_unknown"} naming the known names, {invalid_argument,
    // "argument_too_long"} over 64 KiB.
    void set(const std::string& name, std::string_view bytes);
    std::optional<Secret> get(const std::string& name) const;
    bool has(const std::string& name) const;
    std::uint64_t revision() const;  // grows with every set()

private:
    mutable std::mutex mutex_;
    std::map<std::string, Secret> secrets_;
    std::uint64_t revision_ = 0;
};

constexpr const char* kIdentitySecret = "identity";
constexpr const char* kPassphraseSecret = "passphrase";
constexpr const char* kSigningSecret = "signing_key";
constexpr const char* kJwtSecret = "jwt_secret";        // bytes, for HMAC
constexpr const char* kJwtKeys = "jwt_keys";            // a JSON Web Key Set
constexpr const char* kMonitorToken = "monitor_token";  // as in the configuration

}  // namespace reprise
