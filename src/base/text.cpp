#include "base/text.h"

#include <algorithm>
#include <array>

#include "base/civil.h"

namespace reprise {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr std::array<signed char, 256> make_base64_values() {
    std::array<signed char, 256> values{};
    for (auto& value : values) value = -1;
    for (int i = 0; i < 64; ++i) values[static_cast<unsigned char>(kBase64[i])] = static_cast<signed char>(i);
    return values;
}
constexpr auto kBase64Values = make_base64_values();

// Length of the valid UTF-8 sequence that starts at i, or 0.
std::size_t sequence_length(std::string_view text, std::size_t i) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char first = at(i);
    if (first < 0x80) return 1;
    std::size_t length = 0;
    unsigned char low = 0x80, high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3;
        if (first == 0xE0) low = 0xA0;
        if (first == 0xED) high = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4;
        if (first == 0xF0) low = 0x90;
        if (first == 0xF4) high = 0x8F;
    } else {
        return 0;
    }
    if (text.size() - i < length || at(i + 1) < low || at(i + 1) > high) return 0;
    for (std::size_t k = 2; k < length; ++k)
        if (at(i + k) < 0x80 || at(i + k) > 0xBF) return 0;
    return length;
}

void append_digits(std::string& out, std::int64_t value, int width) {
    char digits[20];
    for (int i = width; i-- > 0; value /= 10) digits[i] = static_cast<char>('0' + value % 10);
    out.append(digits, static_cast<std::size_t>(width));
}

struct Broken {
    Civil date;
    std::int64_t hour, minute, second, us;
};

Broken break_down(std::int64_t unix_us) {
    std::int64_t seconds = unix_us / 1000000, us = unix_us % 1000000;
    if (us < 0) us += 1000000, --seconds;
    std::int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) rest += 86400, --days;
    return {civil_from_days(days), rest / 3600, rest / 60 % 60, rest % 60, us};
}

bool take_digits(std::string_view& text, int width, std::int64_t& value) {
    value = 0;
    if (text.size() < static_cast<std::size_t>(width)) return false;
    for (int i = 0; i < width; ++i) {
        if (text[static_cast<std::size_t>(i)] < '0' || text[static_cast<std::size_t>(i)] > '9') return false;
        value = value * 10 + (text[static_cast<std::size_t>(i)] - '0');
    }
    text.remove_prefix(static_cast<std::size_t>(width));
    return true;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::string to_hex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
    return out;
}

std::optional<std::string> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::string out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
    }
    return out;
}

void append_base64(std::string& out, std::string_view bytes) {
    std::size_t i = 0;
    const auto at = [&](std::size_t k) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k])); };
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        const char text[4] = {kBase64[group >> 18], kBase64[group >> 12 & 63], kBase64[group >> 6 & 63], kBase64[group & 63]};
        out.append(text, 4);
    }
    const std::size_t rest = bytes.size() - i;
    if (rest == 0) return;
    const std::uint32_t group = at(i) << 16 | (rest == 2 ? at(i + 1) << 8 : 0);
    const char text[4] = {kBase64[group >> 18], kBase64[group >> 12 & 63], rest == 2 ? kBase64[group >> 6 & 63] : '=', '='};
    out.append(text, 4);
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    const auto value = [&](std::size_t k) { return static_cast<int>(kBase64Values[static_cast<unsigned char>(text[k])]); };
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        const int a = value(i), b = value(i + 1), c = padding == 2 ? 0 : value(i + 2), d = padding > 0 ? 0 : value(i + 3);
        if (a < 0 || b < 0 || c < 0 || d < 0) return std::nullopt;
        if ((padding == 2 && (b & 15) != 0) || (padding == 1 && (c & 3) != 0)) return std::nullopt;
        out += static_cast<char>(a << 2 | b >> 4);
        if (padding < 2) out += static_cast<char>((b & 15) << 4 | c >> 2);
        if (padding < 1) out += static_cast<char>((c & 3) << 6 | d);
    }
    return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string standard;
    standard.reserve(text.size() + 3);
    for (const char c : text) {
        if (c == '+' || c == '/' || c == '=') return std::nullopt;
        standard += c == '-' ? '+' : c == '_' ? '/' : c;
    }
    if (standard.size() % 4 == 1) return std::nullopt;
    while (standard.size() % 4 != 0) standard += '=';
    return from_base64(standard);
}

bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(text, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string_view cut_at_character(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

namespace {

// Controls (C0, DEL, C1), separators of lines, and marks that turn the direction of what follows.
bool steers_terminal(std::string_view one) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(one[i]); };
    if (one.size() == 1) return at(0) < 0x20 || at(0) == 0x7F;
    if (one.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
    if (one.size() != 3 || at(0) != 0xE2) return false;
    if (at(1) == 0x80) return at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xA8 && at(2) <= 0xAE);
    return at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size() && out.size() < 120;) {
        const std::size_t length = sequence_length(text, i);
        if (length == 0 || steers_terminal(text.substr(i, length))) {
            out += '?';
            i += std::max<std::size_t>(length, 1);
        } else {
            out.append(text, i, length);
            i += length;
        }
    }
    return out;
}

std::string iso_time(std::int64_t unix_us) {
    const Broken t = break_down(unix_us);
    std::string out;
    append_digits(out, t.date.year, 4);
    out += '-';
    append_digits(out, t.date.month, 2);
    out += '-';
    append_digits(out, t.date.day, 2);
    out += 'T';
    append_digits(out, t.hour, 2);
    out += ':';
    append_digits(out, t.minute, 2);
    out += ':';
    append_digits(out, t.second, 2);
    out += '.';
    append_digits(out, t.us, 6);
    return out += 'Z';
}

std::string compact_time(std::int64_t unix_us) {
    const Broken t = break_down(unix_us);
    std::string out;
    append_digits(out, t.date.year, 4);
    append_digits(out, t.date.month, 2);
    append_digits(out, t.date.day, 2);
    out += '_';
    append_digits(out, t.hour, 2);
    append_digits(out, t.minute, 2);
    append_digits(out, t.second, 2);
    return out;
}

std::optional<std::int64_t> from_compact_time(std::string_view text) {
    if (text.size() != 15 || text[8] != '_') return std::nullopt;
    const auto part = [&](std::size_t at, std::size_t size) { return std::string(text.substr(at, size)); };
    return from_iso_time(part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) + ":" +
                         part(13, 2) + "Z");
}

std::optional<std::int64_t> from_iso_time(std::string_view text) {
    std::int64_t year, month, day, hour, minute, second, fraction = 0;
    if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
        !take_digits(text, 2, day) || !take(text, 'T') || !take_digits(text, 2, hour) || !take(text, ':') ||
        !take_digits(text, 2, minute) || !take(text, ':') || !take_digits(text, 2, second))
        return std::nullopt;
    if (take(text, '.')) {
        const std::string_view before = text;
        if (take_digits(text, 6, fraction)) {
        } else if (text = before, take_digits(text, 3, fraction)) {
            fraction *= 1000;
        } else {
            return std::nullopt;
        }
    }
    if (text != "Z" || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59)
        return std::nullopt;
    const std::int64_t days = days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
    if (civil_from_days(days).day != static_cast<unsigned>(day)) return std::nullopt;
    return ((days * 24 + hour) * 60 + minute) * 60000000 + second * 1000000 + fraction;
}

}  // namespace reprise
