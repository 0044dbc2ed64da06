// UTF-8 as the codec's inner loops need it: eight ASCII bytes at a time, the rest by the table of the Unicode standard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace reprise {

// The first byte is the lowest, on every machine.
inline std::uint64_t load_word(const char* at) { return load_le<std::uint64_t>(at); }

// Of a mask with the high bits of some bytes set: the index of the first of them.
inline int first_marked(std::uint64_t mask) { return __builtin_ctzll(mask) / 8; }

constexpr std::uint64_t kHighBits = 0x8080808080808080u;
constexpr std::uint64_t kLowBits = 0x0101010101010101u;

// Length of the valid sequence that starts at `at`, or 0: surrogates and overlong forms are not UTF-8.
inline std::size_t utf8_sequence(const char* at, const char* end) {
    const auto byte = [at](std::size_t i) { return static_cast<unsigned char>(at[i]); };
    const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
    const auto left = static_cast<std::size_t>(end - at);
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return left >= 2 && follows(1) ? 2 : 0;
    if (first < 0xF0) {
        if (left < 3 || !follows(1) || !follows(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0;
        return first == 0xED && byte(1) >= 0xA0 ? 0 : 3;
    }
    if (first > 0xF4 || left < 4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    return first == 0xF4 && byte(1) >= 0x90 ? 0 : 4;
}

inline bool utf8_valid(std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        if (end - at >= 8 && (load_word(at) & kHighBits) == 0) {
            at += 8;
            continue;
        }
        const std::size_t length = utf8_sequence(at, end);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

}  // namespace reprise
