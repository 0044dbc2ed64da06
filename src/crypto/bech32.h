// Bech32 (BIP 173) without its limit of 90 characters: how age writes keys. Strict: one case throughout, no bits left over.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace reprise {

constexpr std::size_t kBech32MostBytes = 1024;

struct Bech32 {
    std::string prefix;  // as written: either lower or upper case
    Secret bytes;
};

std::optional<Bech32> bech32_decode(std::string_view text);
Secret bech32_encode(std::string_view prefix, std::string_view bytes);  // lower case; the prefix too must be

}  // namespace reprise
