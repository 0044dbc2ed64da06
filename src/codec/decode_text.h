// The tokenizer for documents: JSON read in place, a word of eight bytes at a time, strict (RFC 8259, UTF-8, no lone
// surrogates), without recursion. RapidJSON's reader takes a byte at a time and lets lone surrogates and NULs through; it
// reads the small JSON (json_parse.cpp).
#pragma once

#include <string_view>

#include "codec/decode_run.h"

namespace reprise {

class DecodeText {
public:
    // [text, end) is overwritten; *end must be readable and NUL.
    DecodeText(DecodeRun& run, char* text, char* end) : run_(run), begin_(text), at_(text), end_(end) {}

    bool parse();  // false: reason() and problem() say why, offset() where
    const char* reason() const { return problem_ != nullptr ? reason_ : run_.reason(); }
    const char* problem() const { return problem_ != nullptr ? problem_ : run_.problem(); }
    std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }

private:
    static constexpr std::size_t kMaxOpen = 1000;

    bool refuse(const char* problem, const char* reason = "json_invalid");
    void skip_space();
    bool value();
    bool follow_up();
    bool key();
    bool open(char bracket);
    bool close(char bracket);
    bool number();
    bool word(std::string_view wanted);
    // The string whose opening quote is at at_.
    bool string(std::string_view& text);
    bool unescape(char* first, std::string_view& text);
    bool escape(char*& out);
    bool hex4(unsigned& value);

    DecodeRun& run_;
    char* const begin_;
    char* at_;
    char* const end_;
    std::size_t open_count_ = 0;
    char open_[kMaxOpen];
    const char* reason_ = nullptr;
    const char* problem_ = nullptr;
};

}  // namespace reprise
