#include "codec/decode_text.h"

#include <cstring>

#include "codec/utf8.h"

namespace reprise {
namespace {

// Marks '"', '\\' and control characters among eight bytes; exact up to the first marked one.
std::uint64_t mark_string_end(std::uint64_t word) {
    const std::uint64_t quote = word ^ (kLowBits * '"');
    const std::uint64_t backslash = word ^ (kLowBits * '\\');
    return (((quote - kLowBits) & ~quote) | ((backslash - kLowBits) & ~backslash) | ((word - kLowBits * 0x20) & ~word)) &
           kHighBits;
}

bool is_string_end(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

char* put_utf8(char* at, unsigned point) {
    if (point < 0x80) {
        *at++ = static_cast<char>(point);
    } else if (point < 0x800) {
        *at++ = static_cast<char>(0xC0 | point >> 6);
        *at++ = static_cast<char>(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *at++ = static_cast<char>(0xE0 | point >> 12);
        *at++ = static_cast<char>(0x80 | (point >> 6 & 63));
        *at++ = static_cast<char>(0x80 | (point & 63));
    } else {
        *at++ = static_cast<char>(0xF0 | point >> 18);
        *at++ = static_cast<char>(0x80 | (point >> 12 & 63));
        *at++ = static_cast<char>(0x80 | (point >> 6 & 63));
        *at++ = static_cast<char>(0x80 | (point & 63));
    }
    return at;
}

}  // namespace

bool DecodeText::refuse(const char* problem, const char* reason) {
    problem_ = problem;
    reason_ = reason;
    return false;
}

// The NUL at the end stops every loop here.
void DecodeText::skip_space() {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r') ++at_;
}

bool DecodeText::parse() {
    do {
        if (!value() || !follow_up()) return false;
    } while (open_count_ > 0);
    skip_space();
    return at_ == end_ || refuse("there are bytes after the document");
}

// One value, or the opening bracket of one and what must follow it at once.
bool DecodeText::value() {
    skip_space();
    switch (*at_) {
        case '{':
        case '[': return open(*at_);
        case '"': {
            std::string_view text;
            return string(text) && run_.string(text);
        }
        case 't': return word("true") && run_.boolean(true);
        case 'f': return word("false") && run_.boolean(false);
        case 'n': return word("null") && run_.null();
        default: return number();
    }
}

// After a value: closing brackets, then a comma, and the key that follows it in an object. After a bracket that was just
// opened and is not empty: nothing.
bool DecodeText::follow_up() {
    while (open_count_ > 0) {
        const char bracket = open_[open_count_ - 1];
        if (bracket == 0) {
            // Just opened: open() left a mark under which the bracket itself stands.
            --open_count_;
            return true;
        }
        skip_space();
        const char c = *at_;
        if (c == ',') {
            ++at_;
            return bracket == '[' || key();
        }
        if (c != (bracket == '{' ? '}' : ']'))
            return refuse(at_ == end_ ? "the text ends too early" : "a comma or a closing bracket was expected");
        if (!close(bracket)) return false;
    }
    return true;
}

bool DecodeText::open(char bracket) {
    if (open_count_ + 2 > kMaxOpen) return refuse("more than 1000 brackets are open", "document_too_deep");
    ++at_;
    if (!(bracket == '{' ? run_.begin_object() : run_.begin_array())) return false;
    open_[open_count_++] = bracket;
    skip_space();
    if (*at_ == (bracket == '{' ? '}' : ']')) return true;
    if (bracket == '{' && !key()) return false;
    open_[open_count_++] = 0;
    return true;
}

bool DecodeText::close(char bracket) {
    if (!(bracket == '{' ? run_.end_object() : run_.end_array())) return false;
    ++at_;
    --open_count_;
    return true;
}

bool DecodeText::key() {
    skip_space();
    if (*at_ != '"') return refuse("a key was expected");
    std::string_view text;
    if (!string(text) || !run_.key(text)) return false;
    skip_space();
    if (*at_ != ':') return refuse("a colon was expected");
    ++at_;
    return true;
}

bool DecodeText::word(std::string_view wanted) {
    if (static_cast<std::size_t>(end_ - at_) < wanted.size() || std::memcmp(at_, wanted.data(), wanted.size()) != 0)
        return refuse("an unknown word");
    at_ += wanted.size();
    return true;
}

bool DecodeText::number() {
    const char* const first = at_;
    bool is_whole = true;
    char* at = at_;
    const auto digits = [&at] {
        const char* const from = at;
        while (is_digit(*at)) ++at;
        return at != from;
    };
    if (*at == '-') ++at;
    if (*at == '0' ? (++at, is_digit(*at)) : !digits())
        return refuse(at == first ? "a value was expected" : "a malformed number");
    if (*at == '.') {
        ++at;
        is_whole = false;
        if (!digits()) return refuse("a malformed number");
    }
    if (*at == 'e' || *at == 'E') {
        ++at;
        is_whole = false;
        if (*at == '+' || *at == '-') ++at;
        if (!digits()) return refuse("a malformed number");
    }
    if (!run_.number({first, static_cast<std::size_t>(at - first)}, is_whole)) return false;
    at_ = at;
    return true;
}

bool DecodeText::string(std::string_view& text) {
    char* const first = at_ + 1;
    char* at = first;
    std::uint64_t high = 0;
    for (;;) {
        if (end_ - at >= 8) {
            const std::uint64_t word = load_word(at);
            const std::uint64_t marked = mark_string_end(word);
            high |= word;  // may count what stands behind the string: then it is only checked for nothing
            if (marked == 0) {
                at += 8;
                continue;
            }
            at += first_marked(marked);
            break;
        }
        if (is_string_end(*at)) break;
        high |= static_cast<unsigned char>(*at++);
    }
    at_ = at;
    if (*at == '\\') return unescape(first, text);
    if (*at != '"') return refuse(at == end_ ? "the text ends in a string" : "a control character in a string");
    text = {first, static_cast<std::size_t>(at - first)};
    if ((high & kHighBits) != 0 && !utf8_valid(text)) return refuse("a string is not UTF-8");
    ++at_;
    return true;
}

// The slower half: at_ is at the first backslash, what comes from there on is moved down in place.
bool DecodeText::unescape(char* first, std::string_view& text) {
    char* out = at_;
    while (*at_ != '"') {
        if (*at_ == '\\') {
            if (!escape(out)) return false;
            continue;
        }
        if (static_cast<unsigned char>(*at_) < 0x20)
            return refuse(at_ == end_ ? "the text ends in a string" : "a control character in a string");
        *out++ = *at_++;
    }
    text = {first, static_cast<std::size_t>(out - first)};
    if (!utf8_valid(text)) return refuse("a string is not UTF-8");
    ++at_;
    return true;
}

bool DecodeText::escape(char*& out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (*at_ != 'u') {
        const auto found = kLetters.find(*at_);
        if (found == std::string_view::npos) return refuse("an unknown escape in a string");
        *out++ = kMeanings[found];
        ++at_;
        return true;
    }
    unsigned point = 0, low = 0;
    if (!hex4(point)) return false;
    if (point >= 0xD800 && point < 0xDC00) {
        if (at_[0] != '\\' || at_[1] != 'u') return refuse("a lone surrogate in a string");
        ++at_;
        if (!hex4(low)) return false;
        if (low < 0xDC00 || low > 0xDFFF) return refuse("a lone surrogate in a string");
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
        return refuse("a lone surrogate in a string");
    }
    out = put_utf8(out, point);
    return true;
}

// at_ is at the 'u'.
bool DecodeText::hex4(unsigned& value) {
    value = 0;
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
        const char c = *at_;
        const int digit = is_digit(c)            ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return refuse("an unknown escape in a string");
        value = value << 4 | static_cast<unsigned>(digit);
    }
    return true;
}

}  // namespace reprise
