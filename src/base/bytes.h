// Bytes are carried as std::string (owned) and std::string_view (valid as long as its owner says).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace reprise {

// Loads and stores in little-endian order, as BSON has them; the callers have checked the bounds.
template <typename T>
T load_le(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    auto* bytes = reinterpret_cast<unsigned char*>(&value);
    for (std::size_t i = 0; i < sizeof value / 2; ++i) std::swap(bytes[i], bytes[sizeof value - 1 - i]);
#endif
    return value;
}

template <typename T>
void append_le(std::string& out, T value) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    auto* bytes = reinterpret_cast<unsigned char*>(&value);
    for (std::size_t i = 0; i < sizeof value / 2; ++i) std::swap(bytes[i], bytes[sizeof value - 1 - i]);
#endif
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void store_le(char* at, T value) {
    std::memcpy(at, &value, sizeof value);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (std::size_t i = 0; i < sizeof value / 2; ++i) std::swap(at[i], at[sizeof value - 1 - i]);
#endif
}

}  // namespace reprise
