#include "codec/decimal128.h"

#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "codec/number.h"

namespace reprise {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kMaxDigits = 34;
constexpr int kBias = 6176;
constexpr int kMaxExponent = 6111;
constexpr int kMinExponent = -6176;
constexpr std::uint64_t kSign = 0x8000000000000000u;
constexpr std::uint64_t kInfinity = 0x7800000000000000u;
constexpr std::uint64_t kNan = 0x7C00000000000000u;
constexpr Wide kLimit = (Wide{0x0001ED09BEAD87C0u} << 64 | 0x378D8E6400000000u);  // 10^34

char* put(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
}

char* put_zeros(char* at, int count) {
    std::memset(at, '0', static_cast<std::size_t>(count));
    return at + count;
}

char* put_scientific(char* at, std::string_view digits, int exponent) {
    *at++ = digits[0];
    if (digits.size() > 1) {
        *at++ = '.';
        at = put(at, digits.substr(1));
    }
    *at++ = 'E';
    if (exponent >= 0) *at++ = '+';
    return put_int64(at, exponent);
}

char* put_plain(char* at, std::string_view digits, int exponent) {
    const int whole = static_cast<int>(digits.size()) + exponent;
    if (exponent == 0) return put(at, digits);
    if (whole <= 0) {
        at = put_zeros(put(at, "0."), -whole);
        return put(at, digits);
    }
    at = put(at, digits.substr(0, static_cast<std::size_t>(whole)));
    *at++ = '.';
    return put(at, digits.substr(static_cast<std::size_t>(whole)));
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((text[i] | 0x20) != lower[i]) return false;
    return true;
}

void store(char* at, std::uint64_t high, std::uint64_t low) {
    store_le(at, low);
    store_le(at + 8, high);
}

// "123.45E6" without its sign, taken apart: leading zeros dropped, trailing zeros counted apart from the other digits.
struct Parts {
    Wide significand = 0;    // without `zeros`
    int digits = 0;          // of the significand
    long long zeros = 0;     // that follow it
    long long exponent = 0;  // of the last of those zeros
    DecimalText state = DecimalText::exact;
};

void add_digit(Parts& parts, char digit) {
    if (digit == '0') {
        if (parts.digits > 0) ++parts.zeros;
        return;
    }
    if (parts.digits + parts.zeros + 1 > kMaxDigits) {
        parts.state = DecimalText::inexact;
        return;
    }
    for (; parts.zeros > 0; --parts.zeros, ++parts.digits) parts.significand *= 10;
    parts.significand = parts.significand * 10 + static_cast<unsigned>(digit - '0');
    ++parts.digits;
}

bool read_exponent(Parts& parts, std::string_view text) {
    if (!text.empty() && text[0] == '+') {
        text.remove_prefix(1);
        if (!text.empty() && text[0] == '-') return false;
    }
    if (text.empty()) return false;
    long long exponent = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (result.ec == std::errc::invalid_argument || result.ptr != text.data() + text.size()) return false;
    constexpr long long kFarOut = 1'000'000'000;
    if (result.ec == std::errc::result_out_of_range || exponent > kFarOut || exponent < -kFarOut)
        exponent = text[0] == '-' ? -kFarOut : kFarOut;
    parts.exponent += exponent;
    return true;
}

Parts take_apart(std::string_view text) {
    Parts parts;
    bool point = false, any = false;
    std::size_t i = 0;
    for (; i < text.size() && (text[i] | 0x20) != 'e'; ++i) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') return parts.state = DecimalText::malformed, parts;
        any = true;
        add_digit(parts, text[i]);
        if (point) --parts.exponent;
    }
    if (!any || (i < text.size() && !read_exponent(parts, text.substr(i + 1)))) parts.state = DecimalText::malformed;
    return parts;
}

// Moves zeros between significand and exponent until both fit: exactly, or not at all.
bool clamp(Parts& parts) {
    if (parts.digits == 0) {
        if (parts.exponent > kMaxExponent) parts.exponent = kMaxExponent;
        if (parts.exponent < kMinExponent) parts.exponent = kMinExponent;
        return true;
    }
    const auto drop_zeros = [&parts](long long count) {
        parts.zeros -= count;
        parts.exponent += count;
        return parts.zeros >= 0;
    };
    if (parts.digits + parts.zeros > kMaxDigits && !drop_zeros(parts.digits + parts.zeros - kMaxDigits)) return false;
    if (parts.exponent < kMinExponent && !drop_zeros(kMinExponent - parts.exponent)) return false;
    if (parts.exponent > kMaxExponent) drop_zeros(kMaxExponent - parts.exponent);  // a negative count adds zeros
    return parts.digits + parts.zeros <= kMaxDigits;
}

}  // namespace

char* put_decimal128(char* at, const char* bytes) {
    const auto low = load_le<std::uint64_t>(bytes), high = load_le<std::uint64_t>(bytes + 8);
    if (high == kNan && low == 0) return put(at, "NaN");
    if ((high & kSign) != 0) *at++ = '-';
    const std::uint64_t magnitude = high & ~kSign;
    if (magnitude == kInfinity && low == 0) return put(at, "Infinity");
    if ((magnitude >> 61) == 3) return nullptr;  // specials with stray bits, and significands that are always too large
    const Wide significand = Wide{magnitude & 0x0001FFFFFFFFFFFFu} << 64 | low;
    if (significand >= kLimit) return nullptr;
    const int exponent = static_cast<int>(magnitude >> 49) - kBias;
    char text[40];
    char* first = text + sizeof text;
    Wide rest = significand;
    do {
        *--first = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    } while (rest != 0);
    const std::string_view digits(first, static_cast<std::size_t>(text + sizeof text - first));
    const int scientific = static_cast<int>(digits.size()) - 1 + exponent;
    if (exponent > 0 || scientific < -6) return put_scientific(at, digits, scientific);
    return put_plain(at, digits, exponent);
}

DecimalText read_decimal128(char* at, std::string_view text) {
    std::uint64_t sign = 0;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        sign = text[0] == '-' ? kSign : 0;
        text.remove_prefix(1);
    }
    if (equals_ignoring_case(text, "nan")) {
        store(at, kNan, 0);
        return DecimalText::exact;
    }
    if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
        store(at, sign | kInfinity, 0);
        return DecimalText::exact;
    }
    Parts parts = take_apart(text);
    if (parts.state != DecimalText::exact) return parts.state;
    if (!clamp(parts)) return DecimalText::inexact;
    Wide significand = parts.significand;
    for (long long i = 0; i < parts.zeros; ++i) significand *= 10;
    const std::uint64_t exponent = static_cast<std::uint64_t>(parts.exponent + kBias) << 49;
    store(at, sign | exponent | static_cast<std::uint64_t>(significand >> 64), static_cast<std::uint64_t>(significand));
    return DecimalText::exact;
}

}  // namespace reprise
