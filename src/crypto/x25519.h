// X25519 (RFC 7748) over OpenSSL.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

constexpr std::size_t kX25519Bytes = 32;

Secret x25519_new_key();                                  // a private key
std::string x25519_public(std::string_view private_key);  // 32 bytes
// The shared secret; nullopt when it is all zero: a point of low order, which nobody sends by accident.
std::optional<Secret> x25519_shared(std::string_view private_key, std::string_view public_key);

}  // namespace reprise
