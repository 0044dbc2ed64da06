// One document on its way to BSON: takes the events of a JSON reader and writes bytes.
// Wrappers like {"$oid":"…"} are gathered as a handful of tokens and written when they are complete.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bson.h"
#include "codec/key_set.h"
#include "codec/text_buffer.h"
#include "codec/wrapper_keys.h"

namespace reprise {

// What is open at the moment. `top` and `scope` hold one document each, without type and key before it.
struct DecodeFrame {
    enum class Kind { top, document, array, scope };
    Kind kind;
    bool has_document = false;   // top, scope: it is there
    bool has_code = false;       // scope
    bool has_old_regex = false;  // document: $regex or $options is among the keys
    std::uint32_t index = 0;     // of an array's next item
    std::size_t start = 0;       // where its length stands in the output
    KeySet::Part keys = {};
};

struct WrapperToken {
    enum class Kind { key, string, number, literal, begin, end };
    Kind kind;
    std::string_view text;
    bool is(Kind wanted, std::string_view wanted_text) const { return kind == wanted && text == wanted_text; }
};

// The tokens of one wrapper object: its first key is tokens[0], its closing brace is left out.
struct WrapperTokens {
    static constexpr std::size_t kMax = 12;  // $dbPointer, the longest, has ten
    WrapperToken items[kMax];
    std::size_t count = 0;
    int depth = 0;
    WrapperKey key = WrapperKey::none;
};

class DecodeRun {
public:
    // plain: documents of the replaced system. No wrappers; NaN and ±Infinity are numbers.
    enum class Dialect { extended, plain };
    explicit DecodeRun(Dialect dialect) : dialect_(dialect) {}

    // Forgets everything and begins a new document; buffers are kept.
    void reset();
    std::string_view document() const { return {out_.begin(), offset()}; }
    const char* reason() const { return reason_; }
    const char* problem() const { return problem_; }

    // The events of a JSON reader, in the text's order; texts are UTF-8 and stay where they are until the end (keys) or
    // until the wrapper around them ends. False when the document is refused.
    bool null();
    bool boolean(bool yes);
    bool number(std::string_view text, bool is_whole);  // of RFC 8259's grammar
    bool string(std::string_view text);
    bool key(std::string_view text);
    bool begin_object();
    bool end_object();
    bool begin_array();
    bool end_array();

private:
    using Kind = DecodeFrame::Kind;
    using TokenKind = WrapperToken::Kind;

    bool refuse(const char* reason, const char* problem);
    bool refuse_wrapper();
    bool refuse_plain();
    bool begin_value(BsonType type);
    bool open(Kind kind);
    bool close();
    bool has_old_regex(std::size_t start) const;
    bool begin_document();
    bool plain_key(std::string_view key);
    bool scope_key(std::string_view key);
    bool late_code(std::string_view code);
    bool put_text_value(BsonType type, std::string_view text);
    void put_text(std::string_view text);
    bool put_number(std::string_view text, bool is_whole);
    bool put_plain_number(std::string_view text, bool is_whole);
    template <typename T>
    bool put_fixed(BsonType type, T value);

    bool gather(TokenKind kind, std::string_view text);
    bool begin_wrapper(WrapperKey key, std::string_view text);
    bool begin_scope(const std::string_view* code);
    bool end_scope();
    bool put_wrapper();
    bool put_text_wrapper(std::string_view text);
    bool put_object_wrapper();
    bool put_oid(std::string_view text);
    bool put_uuid(std::string_view text);
    bool put_int32(std::string_view text);
    bool put_int64_text(BsonType type, std::string_view text);
    bool put_double_text(std::string_view text);
    bool put_decimal(std::string_view text);
    bool put_date(std::string_view text);
    bool put_binary(std::string_view base64, std::string_view subtype);
    bool put_timestamp(std::string_view seconds, std::string_view increment);
    bool put_regex(std::string_view pattern, std::string_view options);
    bool put_db_pointer();
    bool put_raw(std::string_view type, std::string_view base64);
    // The two fields of tokens {key:{first:…,second:…}} in either order; false when they are not these or of another kind.
    bool two_fields(TokenKind kind, std::string_view first, std::string_view second, std::string_view (&values)[2]) const;

    std::size_t offset() const { return static_cast<std::size_t>(at_ - out_.begin()); }
    void ensure(std::size_t bytes) { at_ = out_.ensure(at_, bytes); }

    const Dialect dialect_;
    TextBuffer out_;
    char* at_ = nullptr;
    KeySet keys_;
    std::vector<DecodeFrame> frames_;
    int depth_ = 0;              // open documents and arrays
    bool object_begun_ = false;  // an object whose first key will tell what it is
    bool gathering_ = false;     // inside a wrapper
    std::string_view key_;       // of the value to come
    WrapperTokens tokens_;
    const char* reason_ = nullptr;
    const char* problem_ = nullptr;
};

}  // namespace reprise
