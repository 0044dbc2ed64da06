// The values of one document, by type. Whatever comes back as nullptr is written as an escape.
#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/bson_check.h"
#include "codec/encode_run.h"
#include "codec/encode_scalar.h"
#include "codec/number.h"

namespace reprise {
namespace {

constexpr std::size_t kOidBytes = 12;
constexpr std::size_t kUuidBytes = 16;
constexpr unsigned char kOldBinary = 0x02;
constexpr unsigned char kUuid = 0x04;

bool is_strictly_sorted(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i)
        if (static_cast<unsigned char>(text[i - 1]) >= static_cast<unsigned char>(text[i])) return false;
    return true;
}

// String, code and symbol without their length and closing 0 (take() has checked both).
std::string_view text_of(std::string_view value) { return value.substr(4, value.size() - 5); }

}  // namespace

// A string's, code's or symbol's text, and a document's bytes: the lengths that are met most, checked without detours.
std::string_view EncodeRun::take_text() {
    constexpr std::size_t kLengthBytes = 4;
    const std::size_t room = left();
    if (room < kLengthBytes) refuse("a value is cut off");
    const std::size_t size = load_le<std::uint32_t>(cursor_);
    if (size == 0 || size > room - kLengthBytes || cursor_[kLengthBytes + size - 1] != '\0')
        refuse("a string's length is wrong");
    const std::string_view text(cursor_ + kLengthBytes, size - 1);
    cursor_ += kLengthBytes + size;
    return text;
}

std::string_view EncodeRun::take_document() {
    if (left() < 4) refuse("a value is cut off");
    return take(load_le<std::uint32_t>(cursor_));
}

char* EncodeRun::put_value(char* at, BsonType type) {
    const char* const value = cursor_;
    const std::size_t out_start = offset(at);
    char* end = nullptr;
    std::size_t size = 0;
    switch (type) {
        case BsonType::string:
            end = put_string(at, take_text());
            size = static_cast<std::size_t>(cursor_ - value);
            break;
        case BsonType::document: return open(at, Kind::document, take_document(), out_start);
        case BsonType::array: return open(at, Kind::array, take_document(), out_start);
        case BsonType::double_: end = put_double_value(at, take(size = 8).data(), state_.profile); break;
        case BsonType::oid: return put_oid_value(at, take(kOidBytes).data());
        case BsonType::boolean: end = put_boolean_value(at, take(size = 1).data()); break;
        case BsonType::date: return put_date_value(at, take(8).data());
        case BsonType::null: return put_bytes(at, "null");
        case BsonType::int32: return put_int64(at, load_le<std::int32_t>(take(4).data()));
        case BsonType::int64: return put_int64_value(at, take(8).data());
        case BsonType::timestamp: return put_timestamp_value(at, take(8).data());
        case BsonType::decimal128: end = put_decimal_value(at, take(size = 16).data()); break;
        case BsonType::undefined: return put_bytes(at, "{\"$undefined\":true}");
        case BsonType::min_key: return put_bytes(at, "{\"$minKey\":1}");
        case BsonType::max_key: return put_bytes(at, "{\"$maxKey\":1}");
        default: {
            const auto found = bson_value_size(type, {cursor_, left()});
            if (!found) refuse("a value is cut off or of unknown type");
            size = *found;
            end = put_sized(at, type, take(size));
        }
    }
    return end != nullptr ? end : escape_value(out_start, type, {value, size});
}

char* EncodeRun::put_sized(char* at, BsonType type, std::string_view value) {
    switch (type) {
        case BsonType::binary: return put_binary(at, value);
        case BsonType::regex: return put_regex(at, value);
        case BsonType::code: return put_text_value(at, "{\"$code\":", text_of(value));
        case BsonType::symbol: return put_text_value(at, "{\"$symbol\":", text_of(value));
        case BsonType::code_w_scope: return put_code_w_scope(at, value);
        case BsonType::db_pointer: return put_db_pointer(at, value);
        default: refuse("a value is of unknown type");
    }
}

char* EncodeRun::put_text_value(char* at, const char* prefix, std::string_view text) {
    at = put_string(put_bytes(at, prefix), text);
    if (at == nullptr) return nullptr;
    at = state_.text.ensure(at, 1);
    *at++ = '}';
    return at;
}

char* EncodeRun::put_binary(char* at, std::string_view value) {
    const auto subtype = static_cast<unsigned char>(value[4]);
    std::string_view bytes = value.substr(5);
    if (subtype == kUuid && bytes.size() == kUuidBytes) return put_uuid_value(at, bytes.data());
    if (subtype == kOldBinary) {
        // It holds a second length, which Extended JSON leaves out.
        if (bytes.size() < 4 || load_le<std::uint32_t>(bytes.data()) != bytes.size() - 4) return nullptr;
        bytes.remove_prefix(4);
    }
    at = state_.text.ensure(at, base64_size(bytes.size()) + kMaxScalarText);
    at = put_bytes(at, "{\"$binary\":{\"base64\":\"");
    at = put_bytes(put_base64(at, bytes), "\",\"subType\":\"");
    return put_bytes(put_hex(at, value.substr(4, 1)), "\"}}");
}

char* EncodeRun::put_regex(char* at, std::string_view value) {
    const std::string_view pattern(value.data());
    const std::string_view options(value.data() + pattern.size() + 1);
    if (!is_strictly_sorted(options)) return nullptr;
    at = put_string(put_bytes(at, "{\"$regularExpression\":{\"pattern\":"), pattern);
    if (at == nullptr) return nullptr;
    at = put_bytes(state_.text.ensure(at, kMaxScalarText), ",\"options\":");
    at = put_string(at, options);
    if (at == nullptr) return nullptr;
    return put_bytes(state_.text.ensure(at, 2), "}}");
}

char* EncodeRun::put_db_pointer(char* at, std::string_view value) {
    const std::string_view oid = value.substr(value.size() - kOidBytes);
    const std::string_view name = value.substr(0, value.size() - kOidBytes);
    at = put_string(put_bytes(at, "{\"$dbPointer\":{\"$ref\":"), text_of(name));
    if (at == nullptr) return nullptr;
    at = put_bytes(state_.text.ensure(at, kMaxScalarText), ",\"$id\":");
    return put_bytes(put_oid_value(at, oid.data()), "}}");
}

char* EncodeRun::put_code_w_scope(char* at, std::string_view value) {
    std::string_view code, scope;
    if (!split_code_w_scope(value, code, scope)) refuse("the lengths of code with scope do not agree");
    at = put_string(put_bytes(at, "{\"$code\":"), code);
    if (at == nullptr) return nullptr;
    at = put_bytes(state_.text.ensure(at, kMaxScalarText), ",\"$scope\":");
    return open(at, Kind::scope, scope, offset(at));
}

}  // namespace reprise
