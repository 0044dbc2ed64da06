#include "codec/decode_run.h"

#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "codec/bson_to_json.h"
#include "codec/number.h"

namespace reprise {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kFixedBytes = 32;  // more than type, index, closing 0 and any value of fixed size take

char* put_index(char* at, std::uint32_t index) {
    if (index >= 10) return put_int64(at, index);
    *at = static_cast<char>('0' + index);
    return at + 1;
}

template <typename T>
char* put_le(char* at, T value) {
    store_le(at, value);
    return at + sizeof value;
}

}  // namespace

void DecodeRun::reset() {
    at_ = out_.begin();
    keys_.clear();
    frames_.clear();
    frames_.push_back({Kind::top});
    depth_ = 0;
    object_begun_ = gathering_ = false;
    key_ = {};
    reason_ = problem_ = nullptr;
}

bool DecodeRun::refuse(const char* reason, const char* problem) {
    reason_ = reason;
    problem_ = problem;
    return false;
}

// Writes type and key of a value, as its surroundings want them.
bool DecodeRun::begin_value(BsonType type) {
    DecodeFrame& frame = frames_.back();
    ensure(key_.size() + kFixedBytes);
    if (offset() > kMaxDocumentBytes) return refuse("document_too_large", "the document is larger than 16 MiB and 16 KiB");
    switch (frame.kind) {
        case Kind::document:
            *at_++ = static_cast<char>(type);
            at_ = put_bytes(at_, key_);
            *at_++ = '\0';
            return true;
        case Kind::array:
            *at_++ = static_cast<char>(type);
            at_ = put_index(at_, frame.index++);
            *at_++ = '\0';
            return true;
        case Kind::top:
            if (type != BsonType::document) return refuse("json_invalid", "a document must be an object");
            break;
        case Kind::scope:
            if (type != BsonType::document) return refuse("extended_json_invalid", "a $scope must be a document");
            break;
    }
    frame.has_document = true;
    return true;
}

template <typename T>
bool DecodeRun::put_fixed(BsonType type, T value) {
    if (!begin_value(type)) return false;
    at_ = put_le(at_, value);
    return true;
}
template bool DecodeRun::put_fixed(BsonType, std::int32_t);
template bool DecodeRun::put_fixed(BsonType, std::int64_t);
template bool DecodeRun::put_fixed(BsonType, std::uint64_t);
template bool DecodeRun::put_fixed(BsonType, double);

void DecodeRun::put_text(std::string_view text) {
    ensure(text.size() + kFixedBytes);
    at_ = put_le(at_, static_cast<std::int32_t>(text.size() + 1));
    at_ = put_bytes(at_, text);
    *at_++ = '\0';
}

bool DecodeRun::put_text_value(BsonType type, std::string_view text) {
    if (!begin_value(type)) return false;
    put_text(text);
    return true;
}

bool DecodeRun::null() { return gathering_ ? gather(TokenKind::literal, "null") : begin_value(BsonType::null); }

bool DecodeRun::boolean(bool yes) {
    if (gathering_) return gather(TokenKind::literal, yes ? "true" : "false");
    if (!begin_value(BsonType::boolean)) return false;
    *at_++ = yes ? '\1' : '\0';
    return true;
}

bool DecodeRun::number(std::string_view text, bool is_whole) {
    if (dialect_ == Dialect::plain) return put_plain_number(text, is_whole);
    return gathering_ ? gather(TokenKind::number, text) : put_number(text, is_whole);
}

// As Python's json writes them: NaN and the infinities are numbers, and a -0 is the whole number 0.
bool DecodeRun::put_plain_number(std::string_view text, bool is_whole) {
    if (text == "NaN") return put_fixed(BsonType::double_, std::numeric_limits<double>::quiet_NaN());
    if (text == "Infinity") return put_fixed(BsonType::double_, std::numeric_limits<double>::infinity());
    if (text == "-Infinity") return put_fixed(BsonType::double_, -std::numeric_limits<double>::infinity());
    return put_number(text == "-0" ? "0" : text, is_whole);
}

bool DecodeRun::put_number(std::string_view text, bool is_whole) {
    if (!is_whole) {
        double value = 0;
        if (read_double(text, value) != Range::fits) return refuse("number_out_of_range", "a number is too large for a double");
        return put_fixed(BsonType::double_, value);
    }
    std::int64_t whole = 0;
    const Range range = read_int64(text, whole);
    if (range == Range::malformed) return refuse("json_invalid", "a bare -0 has no type: write 0 or -0.0");
    if (range == Range::overflow) return refuse("number_out_of_range", "a whole number needs more than 64 bits");
    if (whole >= INT32_MIN && whole <= INT32_MAX) return put_fixed(BsonType::int32, static_cast<std::int32_t>(whole));
    return put_fixed(BsonType::int64, whole);
}

bool DecodeRun::string(std::string_view text) {
    if (gathering_) return gather(TokenKind::string, text);
    if (frames_.back().kind == Kind::scope) return late_code(text);
    return put_text_value(BsonType::string, text);
}

bool DecodeRun::key(std::string_view text) {
    if (gathering_) return gather(TokenKind::key, text);
    if (object_begun_) {
        const WrapperKey wrapper = !text.empty() && text[0] == '$' ? wrapper_key(text) : WrapperKey::none;
        if (wrapper != WrapperKey::none && dialect_ == Dialect::plain) return refuse_plain();
        const bool is_operator = wrapper == WrapperKey::type || wrapper == WrapperKey::regex || wrapper == WrapperKey::options;
        if (wrapper != WrapperKey::none && !is_operator) {
            object_begun_ = false;
            return begin_wrapper(wrapper, text);
        }
        if (!begin_document()) return false;
    }
    return frames_.back().kind == Kind::scope ? scope_key(text) : plain_key(text);
}

bool DecodeRun::refuse_plain() {
    return refuse("legacy_extended_json", "it holds Extended JSON, which the replaced system never wrote");
}

bool DecodeRun::plain_key(std::string_view key) {
    DecodeFrame& frame = frames_.back();
    if (!key.empty() && key[0] == '$') {
        const WrapperKey wrapper = wrapper_key(key);
        if (wrapper != WrapperKey::none && dialect_ == Dialect::plain) return refuse_plain();
        if (wrapper == WrapperKey::regex || wrapper == WrapperKey::options)
            frame.has_old_regex = true;
        else if (wrapper != WrapperKey::none && wrapper != WrapperKey::type)
            return refuse("extended_json_invalid", "a wrapper key stands among other keys");
    }
    if (std::memchr(key.data(), 0, key.size()) != nullptr) return refuse("json_invalid", "a key holds a NUL");
    if (!keys_.add(frame.keys, key)) return refuse("duplicate_key", "an object has the same key twice");
    key_ = key;
    return true;
}

bool DecodeRun::begin_object() {
    if (gathering_) return gather(TokenKind::begin, {});
    object_begun_ = true;
    return true;
}

bool DecodeRun::end_object() {
    if (gathering_) return gather(TokenKind::end, {});
    if (object_begun_ && !begin_document()) return false;
    return frames_.back().kind == Kind::scope ? end_scope() : close();
}

bool DecodeRun::begin_array() {
    if (gathering_) return refuse_wrapper();
    return begin_value(BsonType::array) && open(Kind::array);
}

bool DecodeRun::end_array() { return close(); }

bool DecodeRun::begin_document() {
    object_begun_ = false;
    return begin_value(BsonType::document) && open(Kind::document);
}

bool DecodeRun::open(Kind kind) {
    if (depth_ == kMaxBsonDepth) return refuse("document_too_deep", "the document is more than 200 levels deep");
    ++depth_;
    DecodeFrame frame{kind};
    frame.start = offset();
    frame.keys = keys_.open();
    frames_.push_back(frame);
    ensure(kLengthBytes);
    at_ += kLengthBytes;
    return true;
}

bool DecodeRun::close() {
    const DecodeFrame frame = frames_.back();
    if (!keys_.close(frame.keys)) return refuse("duplicate_key", "an object has the same key twice");
    ensure(1);
    *at_++ = '\0';
    const std::size_t size = offset() - frame.start;
    if (size > kMaxDocumentBytes) return refuse("document_too_large", "the document is larger than 16 MiB and 16 KiB");
    store_le(out_.begin() + frame.start, static_cast<std::int32_t>(size));
    if (frame.has_old_regex && has_old_regex(frame.start))
        return refuse("extended_json_invalid", "$regex with $options is the old form: write $regularExpression");
    frames_.pop_back();
    --depth_;
    return true;
}

// Version 1 of Extended JSON wrote regular expressions as {"$regex":"…","$options":"…"}; as operators of a query one of
// the two is not a string.
bool DecodeRun::has_old_regex(std::size_t start) const {
    const BsonView view({out_.begin() + start, offset() - start});
    const auto pattern = view.find("$regex"), options = view.find("$options");
    return pattern && options && pattern->type == BsonType::string && options->type == BsonType::string;
}

}  // namespace reprise
