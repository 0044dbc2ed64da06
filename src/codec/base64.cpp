#include "codec/base64.h"

#include <array>
#include <cstdint>

namespace reprise {
namespace {

constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kHexDigits[] = "0123456789abcdef";
constexpr std::uint8_t kNoDigit = 0xFF;

using Table = std::array<std::uint8_t, 256>;

constexpr Table base64_values() {
    Table values{};
    for (auto& value : values) value = kNoDigit;
    for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
    return values;
}

constexpr Table hex_values() {
    Table values{};
    for (auto& value : values) value = kNoDigit;
    for (std::uint8_t i = 0; i < 10; ++i) values['0' + i] = i;
    for (std::uint8_t i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
    return values;
}

constexpr std::array<char, 512> hex_pairs() {
    std::array<char, 512> pairs{};
    for (std::size_t i = 0; i < 256; ++i) {
        pairs[2 * i] = kHexDigits[i >> 4];
        pairs[2 * i + 1] = kHexDigits[i & 15];
    }
    return pairs;
}

constexpr Table kBase64Values = base64_values();
constexpr Table kHexValues = hex_values();
constexpr auto kHexPairs = hex_pairs();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

std::uint32_t digit_at(std::string_view text, std::size_t i) { return kBase64Values[static_cast<unsigned char>(text[i])]; }

// The last group, which may be padded.
char* read_last_group(char* at, std::string_view text) {
    const std::size_t padding = text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
    std::uint32_t group = 0, all = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint32_t digit = i < 4 - padding ? digit_at(text, i) : 0;
        all |= digit;
        group = group << 6 | (digit & 63);
    }
    const std::uint32_t unused = padding == 0 ? 0 : padding == 1 ? 0xFF : 0xFFFF;
    if (all == kNoDigit || (all & 0xC0) != 0 || (group & unused) != 0) return nullptr;
    for (std::size_t i = 0; i < 3 - padding; ++i) *at++ = static_cast<char>(group >> (16 - 8 * i));
    return at;
}

}  // namespace

char* put_base64(char* at, std::string_view bytes) {
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
        *at++ = kDigits[group >> 18];
        *at++ = kDigits[group >> 12 & 63];
        *at++ = kDigits[group >> 6 & 63];
        *at++ = kDigits[group & 63];
    }
    const std::size_t rest = bytes.size() - i;
    if (rest == 0) return at;
    const std::uint32_t group = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
    *at++ = kDigits[group >> 18];
    *at++ = kDigits[group >> 12 & 63];
    *at++ = rest == 2 ? kDigits[group >> 6 & 63] : '=';
    *at++ = '=';
    return at;
}

char* put_hex(char* at, std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint32_t pair = 2 * byte_at(bytes, i);
        *at++ = kHexPairs[pair];
        *at++ = kHexPairs[pair + 1];
    }
    return at;
}

char* read_base64(char* at, std::string_view text) {
    if (text.size() % 4 != 0) return nullptr;
    if (text.empty()) return at;
    const std::size_t last = text.size() - 4;
    for (std::size_t i = 0; i < last; i += 4) {
        const std::uint32_t a = digit_at(text, i), b = digit_at(text, i + 1), c = digit_at(text, i + 2),
                            d = digit_at(text, i + 3);
        if (((a | b | c | d) & 0xC0) != 0) return nullptr;
        const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
        *at++ = static_cast<char>(group >> 16);
        *at++ = static_cast<char>(group >> 8);
        *at++ = static_cast<char>(group);
    }
    return read_last_group(at, text.substr(last));
}

char* read_hex(char* at, std::string_view text) {
    if (text.size() % 2 != 0) return nullptr;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const unsigned high = kHexValues[byte_at(text, i)], low = kHexValues[byte_at(text, i + 1)];
        if ((high | low) == kNoDigit || ((high | low) & 0xF0) != 0) return nullptr;
        *at++ = static_cast<char>(high << 4 | low);
    }
    return at;
}

}  // namespace reprise
