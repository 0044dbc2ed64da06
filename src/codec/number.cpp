#include "codec/number.h"

#include <charconv>
#include <cmath>
#include <cstring>

namespace reprise {
namespace {

constexpr double kIntegralBelow = 9007199254740992.0;  // 2^53: below it an integral double is exact as an int64

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t i) {
    while (i < text.size() && is_digit(text[i])) ++i;
    return i;
}

// "d.ddde±xx" as to_chars writes it, taken apart.
struct Digits {
    char digits[20];
    int count = 0;
    int exponent = 0;  // of the first digit
};

Digits take_apart(const char* text, const char* end) {
    Digits parts;
    const char* at = text;
    for (; at != end && *at != 'e'; ++at)
        if (*at != '.') parts.digits[parts.count++] = *at;
    ++at;
    if (*at == '+') ++at;
    std::from_chars(at, end, parts.exponent);
    return parts;
}

char* put_fixed(char* at, const Digits& parts) {
    const auto put = [&at](const char* from, int count) {
        std::memcpy(at, from, static_cast<std::size_t>(count));
        at += count;
    };
    const auto zeros = [&at](int count) {
        std::memset(at, '0', static_cast<std::size_t>(count));
        at += count;
    };
    const int whole = parts.exponent + 1;
    if (whole <= 0) {
        put("0.", 2);
        zeros(-whole);
        put(parts.digits, parts.count);
    } else if (whole >= parts.count) {
        put(parts.digits, parts.count);
        zeros(whole - parts.count);
        put(".0", 2);
    } else {
        put(parts.digits, whole);
        *at++ = '.';
        put(parts.digits + whole, parts.count - whole);
    }
    return at;
}

// Amounts of money and the like: at most three decimals. A whole number below 2^50 divided by a power of ten is rounded
// once, as reading the text is, so equality means that it reads back; the first that fits has the fewest digits.
char* put_few_decimals(char* at, double magnitude) {
    constexpr double kExactBelow = 1125899906842624.0;  // 2^50
    constexpr double kPowers[] = {10, 100, 1000};
    for (int decimals = 1; decimals <= 3; ++decimals) {
        const double power = kPowers[decimals - 1];
        const double scaled = std::floor(magnitude * power + 0.5);
        if (scaled >= kExactBelow) return nullptr;
        if (scaled / power != magnitude) continue;
        const auto number = static_cast<std::int64_t>(scaled), divisor = static_cast<std::int64_t>(power);
        at = put_int64(at, number / divisor);
        *at = '.';
        std::int64_t rest = number % divisor;
        for (int i = decimals; i > 0; --i, rest /= 10) at[i] = static_cast<char>('0' + rest % 10);
        return at + 1 + decimals;
    }
    return nullptr;
}

// Whether a finite decimal number that no double can hold is too large (else it is too small).
bool is_huge(std::string_view text) {
    long long first_digit = 0;  // decimal exponent of the first nonzero digit
    bool seen = false, after_point = false;
    std::size_t i = text[0] == '-' ? 1 : 0;
    for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
        if (text[i] == '.') {
            after_point = true;
            continue;
        }
        seen = seen || text[i] != '0';
        if (!after_point && seen) ++first_digit;
        if (after_point && !seen) --first_digit;
    }
    if (i == text.size()) return first_digit > 0;
    ++i;
    const bool negative = text[i] == '-';
    if (text[i] == '-' || text[i] == '+') ++i;
    long long exponent = 0;
    const auto result = std::from_chars(text.data() + i, text.data() + text.size(), exponent);
    if (result.ec == std::errc::result_out_of_range) return !negative;
    return negative ? first_digit > exponent : exponent > -first_digit;
}

}  // namespace

char* put_int64(char* at, std::int64_t value) { return std::to_chars(at, at + kMaxNumberBytes, value).ptr; }

char* put_double(char* at, double value) {
    const double magnitude = std::fabs(value);
    if (std::signbit(value)) *at++ = '-';
    if (magnitude < kIntegralBelow && magnitude == std::floor(magnitude)) {
        at = put_int64(at, static_cast<std::int64_t>(magnitude));
        std::memcpy(at, ".0", 2);
        return at + 2;
    }
    if (magnitude >= 1e-3) {
        char* const done = put_few_decimals(at, magnitude);
        if (done != nullptr) return done;
    }
    char text[kMaxNumberBytes];
    const char* end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
    if (magnitude >= 1e-6 && magnitude < 1e21) return put_fixed(at, take_apart(text, end));
    std::memcpy(at, text, static_cast<std::size_t>(end - text));
    return at + (end - text);
}

bool is_json_number(std::string_view text) {
    std::size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
    const std::size_t whole = i;
    i = skip_digits(text, i);
    if (i == whole || (text[whole] == '0' && i > whole + 1)) return false;
    if (i < text.size() && text[i] == '.') {
        const std::size_t decimals = ++i;
        i = skip_digits(text, i);
        if (i == decimals) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        const std::size_t exponent = i;
        i = skip_digits(text, i);
        if (i == exponent) return false;
    }
    return i == text.size();
}

bool is_integer_text(std::string_view text) {
    for (const char c : text)
        if (c == '.' || c == 'e' || c == 'E') return false;
    return true;
}

Range read_double(std::string_view text, double& value) {
    const char* end = text.data() + text.size();
    // from_chars leaves its target untouched when the number is out of range, in either direction.
    double number = 0;
    const auto result = std::from_chars(text.data(), end, number);
    if (result.ec == std::errc::invalid_argument || (result.ec == std::errc() && result.ptr != end)) return Range::malformed;
    if (result.ec == std::errc::result_out_of_range) {
        if (is_huge(text)) return Range::overflow;
        number = text[0] == '-' ? -0.0 : 0.0;
    }
    if (!std::isfinite(number)) return Range::overflow;
    value = number;
    return Range::fits;
}

Range read_int64(std::string_view text, std::int64_t& value) {
    const std::size_t first = !text.empty() && text[0] == '-' ? 1 : 0;
    if (text.size() == first || skip_digits(text, first) != text.size()) return Range::malformed;
    if (text[first] == '0' && text.size() > 1) return Range::malformed;
    std::int64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc()) return Range::overflow;
    value = number;
    return Range::fits;
}

}  // namespace reprise
