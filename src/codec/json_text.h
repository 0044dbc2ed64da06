// JSON strings, written into raw buffers: format 1's escapes (\" \\ \b \f \n \r \t, other U+0000-001F as lower-case \u00xx,
// everything else as it is).
#pragma once

#include <algorithm>
#include <cstddef>

#include "codec/utf8.h"

namespace reprise {

constexpr std::size_t kMaxEscapedBytes = 6;  // what one byte of text can become

char* put_json_escape(char* at, unsigned char byte);  // one byte that needs an escape

// Marks those of eight bytes that are not plain ASCII text: control characters, '"', '\\', parts of longer characters.
// Exact up to the first marked one; behind it a borrow may mark others.
inline std::uint64_t mark_special(std::uint64_t word) {
    const std::uint64_t quote = word ^ (kLowBits * '"');
    const std::uint64_t backslash = word ^ (kLowBits * '\\');
    const std::uint64_t control = word - kLowBits * 0x20;
    return ((quote - kLowBits) | (backslash - kLowBits) | control | word) & kHighBits;
}

// Writes [from, until) escaped; may go on to the end of a character that starts before `until`. Returns the end of what
// was written; `from` is moved past what was read, or is nullptr when the text is not UTF-8 (`text_end` ends all of it).
// Bytes up to `readable_end` may be read, and eight bytes more than what the text needs may be written.
inline char* put_json_text(char* at, const char*& from, const char* until, const char* text_end, const char* readable_end) {
    const char* source = from;
    while (source < until) {
        if (readable_end - source >= 8) {
            const std::uint64_t special = mark_special(load_word(source));
            const std::ptrdiff_t plain = std::min<std::ptrdiff_t>(special == 0 ? 8 : first_marked(special), until - source);
            std::memcpy(at, source, 8);
            at += plain;
            source += plain;
            if (plain == 8 || source == until) continue;
        }
        const auto byte = static_cast<unsigned char>(*source);
        if (byte >= 0x80) {
            const std::size_t length = utf8_sequence(source, text_end);
            if (length == 0) {
                from = nullptr;
                return at;
            }
            for (std::size_t i = 0; i < length; ++i) *at++ = *source++;
        } else if (byte < 0x20 || byte == '"' || byte == '\\') {
            at = put_json_escape(at, byte);
            ++source;
        } else {
            *at++ = *source++;
        }
    }
    from = source;
    return at;
}

}  // namespace reprise
