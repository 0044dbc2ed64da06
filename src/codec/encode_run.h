// One document on its way to JSON: a walk over its bytes with a stack of open documents instead of recursion.
#pragma once

#include <vector>

#include "base/bson.h"
#include "codec/bson_to_json.h"
#include "codec/encode_scalar.h"
#include "codec/key_set.h"
#include "codec/text_buffer.h"

namespace reprise {

// What is open at the moment: a document, an array, or the scope of a piece of code (which closes two braces).
struct EncodeFrame {
    enum class Kind { document, array, scope };
    EncodeFrame(Kind kind_, std::string_view document, std::size_t out_start_, KeySet::Part keys_)
        : kind(kind_), begin(document.data()), end(begin + document.size() - 1), out_start(out_start_), keys(keys_) {}

    Kind kind;
    bool has_fields = false;
    std::uint32_t index = 0;           // of an array's next item
    std::uint32_t escapes_before = 0;  // so that escapes inside what is escaped itself are not counted
    const char* begin;                 // of the document's bytes
    const char* end;                   // its closing 0
    std::size_t out_start;             // where its text begins
    KeySet::Part keys;
};

struct Encoder::State {
    explicit State(Profile profile_) : profile(profile_) {}
    Profile profile;
    TextBuffer text;
    KeySet keys;
    std::vector<EncodeFrame> frames;
};

class EncodeRun {
public:
    EncodeRun(Encoder::State& state, std::string_view document) : state_(state), document_(document) {}

    // The text, valid until the next run.
    std::string_view run();
    std::uint32_t escapes() const { return escapes_; }

private:
    using Kind = EncodeFrame::Kind;
    static constexpr std::size_t kLineEndBytes = 2;  // the comma and the newline that the writer adds

    // Where the writer stands in the text and the reader in the document. Passed by value through the hot path.
    char* walk(char* at);
    char* put_field(char* at);
    std::string_view take_key();
    char* put_key(char* at);
    std::string_view put_plain_key(char* at);
    void prefetch() const;
    char* put_value(char* at, BsonType type);
    char* put_sized(char* at, BsonType type, std::string_view value);
    char* put_string(char* at, std::string_view text);
    char* put_text_value(char* at, const char* prefix, std::string_view value);
    char* put_binary(char* at, std::string_view value);
    char* put_regex(char* at, std::string_view value);
    char* put_db_pointer(char* at, std::string_view value);
    char* put_code_w_scope(char* at, std::string_view value);
    char* put_raw(char* at, BsonType type, std::string_view value);
    char* escape_value(std::size_t out_start, BsonType type, std::string_view value);
    char* escape_open_document();
    char* escape_line();

    char* open(char* at, Kind kind, std::string_view document, std::size_t out_start);
    char* close(char* at);
    std::string_view take(std::size_t size) {
        if (left() < size) refuse("a value is cut off");
        const std::string_view value(cursor_, size);
        cursor_ += size;
        return value;
    }
    std::string_view take_text();
    std::string_view take_document();
    std::size_t left() const { return static_cast<std::size_t>(state_.frames.back().end - cursor_); }
    std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - state_.text.begin()); }
    bool is_too_long(const char* at) const { return offset(at) > kMaxLineBytes - kLineEndBytes; }
    void check(BsonType type, std::string_view value) const;
    [[noreturn]] void refuse(const char* problem) const;

    Encoder::State& state_;
    std::string_view document_;
    const char* cursor_ = nullptr;
    std::uint32_t escapes_ = 0;
};

}  // namespace reprise
