// Keys from keys (HKDF), from passphrases (scrypt), and HMAC. All over OpenSSL.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

constexpr std::size_t kKeyBytes = 32;

std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 bytes
// RFC 5869 with SHA-256, 32 bytes. An empty salt is the RFC's "not given".
Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info);

constexpr int kScryptMostLogN = 22;
// scrypt with N = 2^log_n, r = 8, p = 1, 32 bytes. Takes 2^log_n KiB of memory for as long as it works.
// Failure{out_of_memory, "out_of_memory"} when the system has not that much; log_n 1 … kScryptMostLogN is the caller's bound.
Secret scrypt_key(std::string_view passphrase, std::string_view salt, int log_n);

// In time that does not depend on where they differ.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace reprise
