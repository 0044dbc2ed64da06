#include "crypto/bech32.h"

#include <cstdint>

namespace reprise {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumSize = 6;

std::uint32_t step(std::uint32_t sum, std::uint32_t value) {
    constexpr std::uint32_t kGenerators[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = sum >> 25;
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; ++i)
        if ((top >> i & 1) != 0) sum ^= kGenerators[i];
    return sum;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint32_t sum_of_prefix(std::string_view prefix) {
    std::uint32_t sum = 1;
    for (const char c : prefix) sum = step(sum, static_cast<std::uint32_t>(lower(c)) >> 5);
    sum = step(sum, 0);
    for (const char c : prefix) sum = step(sum, static_cast<std::uint32_t>(lower(c)) & 31);
    return sum;
}

bool one_case_and_printable(std::string_view text) {
    bool small = false, large = false;
    for (const char c : text) {
        if (c < 33 || c > 126) return false;
        small |= c >= 'a' && c <= 'z';
        large |= c >= 'A' && c <= 'Z';
    }
    return !(small && large);
}

// 5-bit groups to bytes. False when a group is no letter of the alphabet, or bits other than zeros are left over.
bool unpack(std::string_view letters, char* out) {
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : letters) {
        bits = (bits << 5 | static_cast<std::uint32_t>(kAlphabet.find(lower(c)))) & 0xfff;
        held += 5;
        if (held < 8) continue;
        held -= 8;
        *out++ = static_cast<char>(bits >> held & 0xff);
    }
    return held < 5 && (bits & ((1U << held) - 1)) == 0;
}

}  // namespace

std::optional<Bech32> bech32_decode(std::string_view text) {
    const std::size_t separator = text.rfind('1');
    if (text.size() > 2 * kBech32MostBytes || separator == std::string_view::npos || separator == 0) return std::nullopt;
    if (!one_case_and_printable(text) || text.size() - separator - 1 < kChecksumSize) return std::nullopt;
    Bech32 out;
    out.prefix = std::string(text.substr(0, separator));
    const std::string_view letters = text.substr(separator + 1);
    std::uint32_t sum = sum_of_prefix(out.prefix);
    for (const char c : letters) {
        const std::size_t value = kAlphabet.find(lower(c));
        if (value == std::string_view::npos) return std::nullopt;
        sum = step(sum, static_cast<std::uint32_t>(value));
    }
    if (sum != 1) return std::nullopt;
    const std::string_view data = letters.substr(0, letters.size() - kChecksumSize);
    out.bytes = Secret::zeroed(data.size() * 5 / 8);
    if (!unpack(data, out.bytes.data())) return std::nullopt;
    return out;
}

Secret bech32_encode(std::string_view prefix, std::string_view bytes) {
    const std::size_t groups = (bytes.size() * 8 + 4) / 5;
    Secret out = Secret::zeroed(prefix.size() + 1 + groups + kChecksumSize);
    char* at = out.data();
    at += prefix.copy(at, prefix.size());
    *at++ = '1';
    std::uint32_t sum = sum_of_prefix(prefix), bits = 0;
    unsigned held = 0;
    const auto put = [&](std::uint32_t value) {
        sum = step(sum, value);
        *at++ = kAlphabet[value];
    };
    for (const char c : bytes) {
        bits = (bits << 8 | static_cast<unsigned char>(c)) & 0xfff;
        for (held += 8; held >= 5;) {
            held -= 5;
            put(bits >> held & 31);
        }
    }
    if (held > 0) put(bits << (5 - held) & 31);
    for (std::size_t i = 0; i < kChecksumSize; ++i) sum = step(sum, 0);
    sum ^= 1;
    for (std::size_t i = 0; i < kChecksumSize; ++i) *at++ = kAlphabet[sum >> (5 * (kChecksumSize - 1 - i)) & 31];
    return out;
}

}  // namespace reprise
