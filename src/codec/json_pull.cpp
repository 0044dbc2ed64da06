#include "codec/json_pull.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/failure.h"
#include "codec/number.h"
#include "codec/utf8.h"

namespace reprise {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxTokenBytes = 32 * 1024 * 1024;
constexpr std::size_t kMaxNumberText = 64 * 1024;
constexpr std::size_t kMaxDepth = 1000;
constexpr int kEndOfText = -1;

bool is_space(int c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t point) {
    if (point < 0x80) {
        out += static_cast<char>(point);
        return;
    }
    if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            out += static_cast<char>(0xE0 | point >> 12);
        } else {
            out += static_cast<char>(0xF0 | point >> 18);
            out += static_cast<char>(0x80 | (point >> 12 & 63));
        }
        out += static_cast<char>(0x80 | (point >> 6 & 63));
    }
    out += static_cast<char>(0x80 | (point & 63));
}

}  // namespace

struct JsonPull::State {
    enum class Expect { value, item_or_end, key_or_end, key, comma_or_end, nothing };

    State(Read read_, bool lenient_) : read(std::move(read_)), lenient(lenient_) { restart(); }

    void restart();
    Token next();
    std::string_view take_raw(std::size_t max_bytes);

    int peek() { return position < filled || fill(position) ? static_cast<unsigned char>(buffer[position]) : kEndOfText; }
    bool fill(std::size_t keep_from);
    int skip_space();
    void take_newline();
    int need();  // the next character of a token; the end is an error
    [[noreturn]] void refuse(const char* reason, const char* problem) const;

    Token value(int c);
    Token open(char bracket);
    Token close(int c);
    Token after_value(int c);
    Token key(int c);
    void after();  // sets what may follow a complete value
    void string();
    void escape();
    std::uint32_t hex4();
    void surrogate(std::uint32_t first);
    void replace_surrogate();
    Token number();
    Token word(std::string_view wanted, Token token);

    Read read;
    bool lenient;
    std::vector<char> buffer;
    std::size_t filled = 0, position = 0;
    std::uint64_t dropped = 0;  // bytes before the buffer
    std::uint64_t line = 1, line_start = 0;
    bool at_end = false;
    Expect expect = Expect::value;
    std::vector<char> open_brackets, raw_brackets;
    std::string text;
    std::uint32_t replaced = 0;
    Token last = Token::end;
};

void JsonPull::State::restart() {
    filled = position = 0;
    dropped = line_start = 0;
    line = 1;
    at_end = false;
    expect = Expect::value;
    open_brackets.clear();
    text.clear();
    replaced = 0;
    last = Token::end;
}

// Reads more; keeps what stands from `keep_from` on, which becomes the buffer's beginning.
bool JsonPull::State::fill(std::size_t keep_from) {
    if (at_end) return false;
    if (keep_from > 0) {
        std::memmove(buffer.data(), buffer.data() + keep_from, filled - keep_from);
        filled -= keep_from;
        position -= keep_from;
        dropped += keep_from;
    }
    if (buffer.size() < filled + kReadBytes) buffer.resize(std::max(filled + kReadBytes, buffer.size() * 2));
    const std::size_t got = read(buffer.data() + filled, buffer.size() - filled);
    filled += got;
    at_end = got == 0;
    return got > 0;
}

void JsonPull::State::take_newline() {
    ++line;
    line_start = dropped + position + 1;
}

int JsonPull::State::skip_space() {
    for (;; ++position) {
        const int c = peek();
        if (!is_space(c)) return c;
        if (c == '\n') take_newline();
    }
}

int JsonPull::State::need() {
    const int c = peek();
    if (c == kEndOfText) refuse("file_truncated", "the text ends in the middle of a value");
    return c;
}

void JsonPull::State::refuse(const char* reason, const char* problem) const {
    const std::uint64_t column = dropped + position - line_start + 1;
    throw Failure(Code::corrupt, reason,
                  "invalid JSON at line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + problem);
}

JsonPull::Token JsonPull::State::next() {
    const int c = skip_space();
    if (c == kEndOfText) {
        if (expect != Expect::nothing) refuse("file_truncated", "the text ends too early");
        return Token::end;
    }
    switch (expect) {
        case Expect::value: return value(c);
        case Expect::item_or_end: return c == ']' ? close(c) : value(c);
        case Expect::key_or_end: return c == '}' ? close(c) : key(c);
        case Expect::key: return key(c);
        case Expect::comma_or_end: return after_value(c);
        case Expect::nothing: break;
    }
    refuse("json_invalid", "there are bytes after the end");
}

JsonPull::Token JsonPull::State::after_value(int c) {
    if (c != ',') return close(c);
    ++position;
    const int following = skip_space();
    if (following == kEndOfText) refuse("file_truncated", "the text ends too early");
    return open_brackets.back() == '{' ? key(following) : value(following);
}

JsonPull::Token JsonPull::State::key(int c) {
    if (c != '"') refuse("json_invalid", "a key was expected");
    string();
    if (skip_space() != ':') {
        need();
        refuse("json_invalid", "a colon was expected");
    }
    ++position;
    expect = Expect::value;
    return Token::key;
}

JsonPull::Token JsonPull::State::value(int c) {
    switch (c) {
        case '{':
        case '[': return open(static_cast<char>(c));
        case '"':
            string();
            after();
            return Token::string;
        case 't': return word("true", Token::literal);
        case 'f': return word("false", Token::literal);
        case 'n': return word("null", Token::literal);
        case 'N':
            if (lenient) return word("NaN", Token::number);
            break;
        case 'I':
            if (lenient) return word("Infinity", Token::number);
            break;
        default:
            if (c == '-' || (c >= '0' && c <= '9')) return number();
    }
    refuse("json_invalid", "a value was expected");
}

void JsonPull::State::after() { expect = open_brackets.empty() ? Expect::nothing : Expect::comma_or_end; }

JsonPull::Token JsonPull::State::open(char bracket) {
    if (open_brackets.size() == kMaxDepth) refuse("json_too_deep", "more than 1000 brackets are open");
    open_brackets.push_back(bracket);
    ++position;
    expect = bracket == '{' ? Expect::key_or_end : Expect::item_or_end;
    return bracket == '{' ? Token::begin_object : Token::begin_array;
}

JsonPull::Token JsonPull::State::close(int c) {
    const bool is_object = open_brackets.back() == '{';
    if (c != (is_object ? '}' : ']')) refuse("json_invalid", "a comma or a closing bracket was expected");
    open_brackets.pop_back();
    ++position;
    after();
    return is_object ? Token::end_object : Token::end_array;
}

JsonPull::Token JsonPull::State::word(std::string_view wanted, Token token) {
    for (const char c : wanted) {
        if (need() != c) refuse("json_invalid", "an unknown word");
        ++position;
    }
    text = wanted;
    after();
    return token;
}

JsonPull::Token JsonPull::State::number() {
    text.clear();
    for (int c = peek(); c != kEndOfText && std::strchr("+-.0123456789eE", c) != nullptr && c != 0; c = peek()) {
        if (text.size() == kMaxNumberText) refuse("json_invalid", "a number is too long");
        text += static_cast<char>(c);
        ++position;
        if (lenient && text == "-" && peek() == 'I') {
            word("Infinity", Token::number);
            text = "-Infinity";
            return Token::number;
        }
    }
    if (!is_json_number(text)) {
        if (peek() == kEndOfText) refuse("file_truncated", "the text ends in the middle of a number");
        refuse("json_invalid", "a malformed number");
    }
    after();
    return Token::number;
}

void JsonPull::State::string() {
    text.clear();
    ++position;
    for (;;) {
        need();
        const char* const from = buffer.data() + position;
        const char* const end = buffer.data() + filled;
        const char* at = from;
        while (at != end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
        text.append(from, at);
        position += static_cast<std::size_t>(at - from);
        if (text.size() > kMaxTokenBytes) refuse("document_too_large", "a string is larger than 32 MiB");
        if (at == end) continue;
        if (*at == '"') break;
        if (*at != '\\') refuse("json_invalid", "a control character in a string");
        escape();
    }
    if (!utf8_valid(text)) refuse("json_invalid", "a string is not UTF-8");
    ++position;
}

void JsonPull::State::escape() {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    ++position;
    const int c = need();
    ++position;
    if (c == 'u') {
        const std::uint32_t point = hex4();
        if (point >= 0xD800 && point < 0xE000)
            surrogate(point);
        else
            append_utf8(text, point);
        return;
    }
    const auto found = kLetters.find(static_cast<char>(c));
    if (found == std::string_view::npos) refuse("json_invalid", "an unknown escape in a string");
    text += kMeanings[found];
}

std::uint32_t JsonPull::State::hex4() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i, ++position) {
        const int c = need();
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) refuse("json_invalid", "an unknown escape in a string");
        value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
}

// The first half of a pair, or a lone half. A high half may be followed by more high halves before its low one comes.
void JsonPull::State::surrogate(std::uint32_t first) {
    while (first < 0xDC00) {
        if (need() != '\\') break;
        if (position + 1 == filled) fill(position);
        if (position + 1 == filled) break;
        if (buffer[position + 1] != 'u') break;
        position += 2;
        const std::uint32_t second = hex4();
        if (second >= 0xDC00 && second < 0xE000) {
            append_utf8(text, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            return;
        }
        replace_surrogate();
        if (second < 0xD800 || second >= 0xE000) {
            append_utf8(text, second);
            return;
        }
        first = second;
    }
    replace_surrogate();
}

void JsonPull::State::replace_surrogate() {
    if (!lenient) refuse("json_invalid", "a lone surrogate in a string");
    append_utf8(text, 0xFFFD);
    ++replaced;
}

// Only brackets and strings are looked at: whoever decodes the raw text checks the rest.
std::string_view JsonPull::State::take_raw(std::size_t max_bytes) {
    std::size_t start = position - 1;
    raw_brackets.assign(1, open_brackets.back());
    bool in_string = false;
    while (!raw_brackets.empty()) {
        if (position - start >= max_bytes) refuse("document_too_large", "a value is larger than what may be read at once");
        if (position == filled) {
            const bool more = fill(start);
            start = 0;
            if (!more) refuse("file_truncated", "the text ends in the middle of a value");
        }
        const char c = buffer[position];
        if (in_string && c == '\\') {
            // The escaped character cannot end the string; a `u` and its digits cannot either.
            ++position;
            if (position == filled) {
                const bool more = fill(start);
                start = 0;
                if (!more) refuse("file_truncated", "the text ends in the middle of a value");
            }
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            if (open_brackets.size() + raw_brackets.size() > kMaxDepth)
                refuse("json_too_deep", "more than 1000 brackets are open");
            raw_brackets.push_back(c);
        } else if (!in_string && (c == '}' || c == ']')) {
            if (raw_brackets.back() != (c == '}' ? '{' : '[')) refuse("json_invalid", "a bracket does not match");
            raw_brackets.pop_back();
        } else if (c == '\n') {
            take_newline();
        }
        ++position;
    }
    open_brackets.pop_back();
    after();
    return {buffer.data() + start, position - start};
}

JsonPull::JsonPull(Read read, bool lenient) : state_(std::make_unique<State>(std::move(read), lenient)) {}
JsonPull::~JsonPull() = default;

JsonPull::Token JsonPull::next() { return state_->last = state_->next(); }

std::string_view JsonPull::text() const { return state_->text; }

std::string_view JsonPull::take_raw(std::size_t max_bytes) {
    if (state_->last != Token::begin_object && state_->last != Token::begin_array)
        throw Failure(Code::internal, "internal", "take_raw without an open bracket before it");
    state_->last = Token::end;
    return state_->take_raw(max_bytes);
}

std::uint64_t JsonPull::line() const { return state_->line; }

std::uint32_t JsonPull::replaced_surrogates() const { return state_->replaced; }

void JsonPull::restart() { state_->restart(); }

}  // namespace reprise
