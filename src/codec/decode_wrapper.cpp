// Wrappers: {"$oid":"…"} and its kin, gathered token by token and written when they are complete.
#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/bson_check.h"
#include "codec/bson_to_json.h"
#include "codec/date.h"
#include "codec/decimal128.h"
#include "codec/decode_run.h"
#include "codec/number.h"

namespace reprise {
namespace {

constexpr std::size_t kOidHex = 24;
constexpr unsigned char kOldBinary = 0x02;
constexpr char kUuidSubtype = 0x04;
constexpr std::uint64_t kPlainNan = 0x7FF8000000000000u;
constexpr std::uint64_t kInfinity = 0x7FF0000000000000u;
constexpr std::uint64_t kMinusInfinity = 0xFFF0000000000000u;

const char* wrapper_problem(WrapperKey key) {
    switch (key) {
        case WrapperKey::oid: return "a malformed $oid";
        case WrapperKey::symbol: return "a malformed $symbol";
        case WrapperKey::number_int: return "a malformed $numberInt";
        case WrapperKey::number_long: return "a malformed $numberLong";
        case WrapperKey::number_double: return "a malformed $numberDouble";
        case WrapperKey::number_decimal: return "a malformed $numberDecimal";
        case WrapperKey::binary: return "a malformed $binary";
        case WrapperKey::uuid: return "a malformed $uuid";
        case WrapperKey::code: return "a malformed $code";
        case WrapperKey::scope: return "a malformed $scope";
        case WrapperKey::timestamp: return "a malformed $timestamp";
        case WrapperKey::regular_expression: return "a malformed $regularExpression";
        case WrapperKey::db_pointer: return "a malformed $dbPointer";
        case WrapperKey::date: return "a malformed $date";
        case WrapperKey::min_key: return "a malformed $minKey";
        case WrapperKey::max_key: return "a malformed $maxKey";
        case WrapperKey::undefined: return "a malformed $undefined";
        case WrapperKey::raw_bson: return "a malformed $rawBson";
        default: return "a malformed wrapper";
    }
}

bool read_uint32(std::string_view text, std::uint32_t& value) {
    std::int64_t number = 0;
    if (read_int64(text, number) != Range::fits || number < 0 || number > UINT32_MAX) return false;
    value = static_cast<std::uint32_t>(number);
    return true;
}

// One or two hex digits.
bool read_subtype(std::string_view text, char& subtype) {
    char padded[2] = {'0', '0'};
    if (text.empty() || text.size() > 2) return false;
    std::memcpy(padded + 2 - text.size(), text.data(), text.size());
    return read_hex(&subtype, {padded, 2}) != nullptr;
}

bool is_lower_hex_pair(std::string_view text) {
    return text.size() == 2 &&
           std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool DecodeRun::refuse_wrapper() {
    if (tokens_.key == WrapperKey::raw_bson) return refuse("escape_invalid", wrapper_problem(tokens_.key));
    return refuse("extended_json_invalid", wrapper_problem(tokens_.key));
}

bool DecodeRun::begin_wrapper(WrapperKey key, std::string_view text) {
    tokens_.count = 0;
    tokens_.depth = 1;
    tokens_.key = key;
    if (key == WrapperKey::scope) return begin_scope(nullptr);
    gathering_ = true;
    return gather(TokenKind::key, text);
}

bool DecodeRun::gather(TokenKind kind, std::string_view text) {
    if (kind == TokenKind::begin) ++tokens_.depth;
    if (kind == TokenKind::end && --tokens_.depth == 0) {
        gathering_ = false;
        return put_wrapper();
    }
    const bool wants_scope =
        tokens_.key == WrapperKey::code && tokens_.count == 2 && kind == TokenKind::key && text == "$scope";
    if (wants_scope && tokens_.items[1].kind == TokenKind::string) {
        gathering_ = false;
        const std::string_view code = tokens_.items[1].text;
        return begin_scope(&code);
    }
    if (tokens_.count == WrapperTokens::kMax) return refuse_wrapper();
    tokens_.items[tokens_.count++] = {kind, text};
    return true;
}

// Code with scope: its total length and the code, when that came first; then the scope as a document of its own.
bool DecodeRun::begin_scope(const std::string_view* code) {
    if (!begin_value(BsonType::code_w_scope)) return false;
    DecodeFrame frame{Kind::scope};
    frame.start = offset();
    frame.has_code = code != nullptr;
    frames_.push_back(frame);
    at_ += 4;
    if (code != nullptr) put_text(*code);
    return true;
}

bool DecodeRun::scope_key(std::string_view key) {
    const DecodeFrame& frame = frames_.back();
    if (frame.has_document && !frame.has_code && key == "$code") return true;
    return refuse("extended_json_invalid", "a malformed $code with $scope");
}

// $code after $scope: the scope moves up to make room.
bool DecodeRun::late_code(std::string_view code) {
    DecodeFrame& frame = frames_.back();
    if (!frame.has_document || frame.has_code) return refuse("extended_json_invalid", "a malformed $code with $scope");
    frame.has_code = true;
    const std::size_t added = 4 + code.size() + 1;
    ensure(added);
    char* const first = out_.begin() + frame.start + 4;
    const std::size_t scope_bytes = static_cast<std::size_t>(at_ - first);
    std::memmove(first + added, first, scope_bytes);
    store_le(first, static_cast<std::int32_t>(code.size() + 1));
    *put_bytes(first + 4, code) = '\0';
    at_ += added;
    return true;
}

bool DecodeRun::end_scope() {
    const DecodeFrame frame = frames_.back();
    if (!frame.has_document || !frame.has_code) return refuse("extended_json_invalid", "a malformed $code with $scope");
    const std::size_t size = offset() - frame.start;
    if (size > kMaxDocumentBytes) return refuse("document_too_large", "the document is larger than 16 MiB and 16 KiB");
    store_le(out_.begin() + frame.start, static_cast<std::int32_t>(size));
    frames_.pop_back();
    return true;
}

bool DecodeRun::put_wrapper() {
    const WrapperToken& value = tokens_.items[1];
    if (tokens_.count == 2 && value.kind == TokenKind::string) return put_text_wrapper(value.text);
    if (tokens_.count > 2) return put_object_wrapper();
    if (tokens_.count != 2) return refuse_wrapper();
    switch (tokens_.key) {
        case WrapperKey::min_key: return value.is(TokenKind::number, "1") ? begin_value(BsonType::min_key) : refuse_wrapper();
        case WrapperKey::max_key: return value.is(TokenKind::number, "1") ? begin_value(BsonType::max_key) : refuse_wrapper();
        case WrapperKey::undefined:
            return value.is(TokenKind::literal, "true") ? begin_value(BsonType::undefined) : refuse_wrapper();
        default: return refuse_wrapper();
    }
}

bool DecodeRun::put_text_wrapper(std::string_view text) {
    switch (tokens_.key) {
        case WrapperKey::oid: return put_oid(text);
        case WrapperKey::date: return put_date(text);
        case WrapperKey::symbol: return put_text_value(BsonType::symbol, text);
        case WrapperKey::code: return put_text_value(BsonType::code, text);
        case WrapperKey::number_int: return put_int32(text);
        case WrapperKey::number_long: return put_int64_text(BsonType::int64, text);
        case WrapperKey::number_double: return put_double_text(text);
        case WrapperKey::number_decimal: return put_decimal(text);
        case WrapperKey::uuid: return put_uuid(text);
        default: return refuse_wrapper();
    }
}

bool DecodeRun::put_object_wrapper() {
    std::string_view values[2];
    switch (tokens_.key) {
        case WrapperKey::binary:
            return two_fields(TokenKind::string, "base64", "subType", values) ? put_binary(values[0], values[1])
                                                                              : refuse_wrapper();
        case WrapperKey::timestamp:
            return two_fields(TokenKind::number, "t", "i", values) ? put_timestamp(values[0], values[1]) : refuse_wrapper();
        case WrapperKey::regular_expression:
            return two_fields(TokenKind::string, "pattern", "options", values) ? put_regex(values[0], values[1])
                                                                               : refuse_wrapper();
        case WrapperKey::raw_bson:
            return two_fields(TokenKind::string, "type", "base64", values) ? put_raw(values[0], values[1]) : refuse_wrapper();
        case WrapperKey::db_pointer: return put_db_pointer();
        case WrapperKey::date: {
            const WrapperToken* items = tokens_.items;
            const bool is_long = tokens_.count == 5 && items[1].kind == TokenKind::begin &&
                                 items[2].is(TokenKind::key, "$numberLong") && items[3].kind == TokenKind::string &&
                                 items[4].kind == TokenKind::end;
            return is_long ? put_int64_text(BsonType::date, items[3].text) : refuse_wrapper();
        }
        default: return refuse_wrapper();
    }
}

bool DecodeRun::two_fields(TokenKind kind, std::string_view first, std::string_view second,
                           std::string_view (&values)[2]) const {
    const WrapperToken* items = tokens_.items;
    if (tokens_.count != 7 || items[1].kind != TokenKind::begin || items[6].kind != TokenKind::end) return false;
    if (items[3].kind != kind || items[5].kind != kind) return false;
    const bool in_order = items[2].is(TokenKind::key, first) && items[4].is(TokenKind::key, second);
    if (!in_order && !(items[2].is(TokenKind::key, second) && items[4].is(TokenKind::key, first))) return false;
    values[0] = items[in_order ? 3 : 5].text;
    values[1] = items[in_order ? 5 : 3].text;
    return true;
}

bool DecodeRun::put_oid(std::string_view text) {
    if (text.size() != kOidHex) return refuse_wrapper();
    if (!begin_value(BsonType::oid)) return false;
    char* const end = read_hex(at_, text);
    if (end == nullptr) return refuse_wrapper();
    at_ = end;
    return true;
}

bool DecodeRun::put_uuid(std::string_view text) {
    constexpr std::size_t kDashes[] = {8, 13, 18, 23};
    if (text.size() != 36) return refuse_wrapper();
    for (const std::size_t dash : kDashes)
        if (text[dash] != '-') return refuse_wrapper();
    if (!begin_value(BsonType::binary)) return false;
    ensure(32);
    store_le(at_, std::int32_t{16});
    at_[4] = kUuidSubtype;
    at_ += 5;
    std::size_t from = 0;
    for (const std::size_t until : {kDashes[0], kDashes[1], kDashes[2], kDashes[3], text.size()}) {
        char* const end = read_hex(at_, text.substr(from, until - from));
        if (end == nullptr) return refuse_wrapper();
        at_ = end;
        from = until + 1;
    }
    return true;
}

bool DecodeRun::put_int32(std::string_view text) {
    std::int64_t number = 0;
    const Range range = read_int64(text, number);
    if (range == Range::malformed) return refuse_wrapper();
    if (range == Range::overflow || number < INT32_MIN || number > INT32_MAX)
        return refuse("number_out_of_range", "a $numberInt needs more than 32 bits");
    return put_fixed(BsonType::int32, static_cast<std::int32_t>(number));
}

bool DecodeRun::put_int64_text(BsonType type, std::string_view text) {
    std::int64_t number = 0;
    const Range range = read_int64(text, number);
    if (range == Range::malformed) return refuse_wrapper();
    if (range == Range::overflow) return refuse("number_out_of_range", "a $numberLong needs more than 64 bits");
    return put_fixed(type, number);
}

bool DecodeRun::put_double_text(std::string_view text) {
    if (text == "NaN") return put_fixed(BsonType::double_, kPlainNan);
    if (text == "Infinity") return put_fixed(BsonType::double_, kInfinity);
    if (text == "-Infinity") return put_fixed(BsonType::double_, kMinusInfinity);
    double number = 0;
    if (!is_json_number(text)) return refuse_wrapper();
    if (read_double(text, number) != Range::fits) return refuse("number_out_of_range", "a $numberDouble is too large");
    return put_fixed(BsonType::double_, number);
}

bool DecodeRun::put_decimal(std::string_view text) {
    if (!begin_value(BsonType::decimal128)) return false;
    ensure(kDecimal128Bytes);
    const DecimalText state = read_decimal128(at_, text);
    if (state == DecimalText::malformed) return refuse_wrapper();
    if (state == DecimalText::inexact) return refuse("number_out_of_range", "a $numberDecimal would have to be rounded");
    at_ += kDecimal128Bytes;
    return true;
}

bool DecodeRun::put_date(std::string_view text) {
    std::int64_t unix_ms = 0;
    return read_date(text, unix_ms) ? put_fixed(BsonType::date, unix_ms) : refuse_wrapper();
}

bool DecodeRun::put_binary(std::string_view base64, std::string_view subtype_text) {
    char subtype = 0;
    if (!read_subtype(subtype_text, subtype)) return refuse_wrapper();
    if (!begin_value(BsonType::binary)) return false;
    ensure(base64.size() + 16);
    const bool is_old = static_cast<unsigned char>(subtype) == kOldBinary;
    char* const header = at_;
    char* const bytes = header + (is_old ? 9 : 5);
    char* const end = read_base64(bytes, base64);
    if (end == nullptr) return refuse_wrapper();
    const auto size = static_cast<std::int32_t>(end - bytes);
    store_le(header, is_old ? size + 4 : size);
    header[4] = subtype;
    if (is_old) store_le(header + 5, size);
    at_ = end;
    return true;
}

bool DecodeRun::put_timestamp(std::string_view seconds_text, std::string_view increment_text) {
    std::uint32_t seconds = 0, increment = 0;
    if (!read_uint32(seconds_text, seconds) || !read_uint32(increment_text, increment)) return refuse_wrapper();
    return put_fixed(BsonType::timestamp, std::uint64_t{seconds} << 32 | increment);
}

bool DecodeRun::put_regex(std::string_view pattern, std::string_view options) {
    const auto holds_nul = [](std::string_view text) { return text.find('\0') != std::string_view::npos; };
    if (holds_nul(pattern) || holds_nul(options)) return refuse_wrapper();
    if (!begin_value(BsonType::regex)) return false;
    ensure(pattern.size() + options.size() + 2);
    at_ = put_bytes(at_, pattern);
    *at_++ = '\0';
    char* const first = at_;
    at_ = put_bytes(at_, options);
    // The specification sorts them; those that are stored in another order or twice are written as escapes.
    std::sort(first, at_, [](char a, char b) { return static_cast<unsigned char>(a) < static_cast<unsigned char>(b); });
    if (std::adjacent_find(first, at_) != at_) return refuse_wrapper();
    *at_++ = '\0';
    return true;
}

// {"$dbPointer":{"$ref":"…","$id":{"$oid":"…"}}}, the inner two in either order.
bool DecodeRun::put_db_pointer() {
    const WrapperToken* items = tokens_.items;
    if (tokens_.count != 10 || items[1].kind != TokenKind::begin || items[9].kind != TokenKind::end) return refuse_wrapper();
    const std::size_t ref = items[2].is(TokenKind::key, "$ref") ? 2 : 7;
    const std::size_t id = ref == 2 ? 4 : 2;
    const bool right = items[ref].is(TokenKind::key, "$ref") && items[ref + 1].kind == TokenKind::string &&
                       items[id].is(TokenKind::key, "$id") && items[id + 1].kind == TokenKind::begin &&
                       items[id + 2].is(TokenKind::key, "$oid") && items[id + 3].kind == TokenKind::string &&
                       items[id + 4].kind == TokenKind::end;
    const std::string_view oid = items[id + 3].text;
    if (!right || oid.size() != kOidHex) return refuse_wrapper();
    if (!begin_value(BsonType::db_pointer)) return false;
    put_text(items[ref + 1].text);
    ensure(kOidHex);
    char* const end = read_hex(at_, oid);
    if (end == nullptr) return refuse_wrapper();
    at_ = end;
    return true;
}

// Our own escape: the value's bytes as they stood after its key.
bool DecodeRun::put_raw(std::string_view type_text, std::string_view base64) {
    char type = 0;
    if (!is_lower_hex_pair(type_text) || read_hex(&type, type_text) == nullptr) return refuse_wrapper();
    if (!begin_value(static_cast<BsonType>(type))) return false;
    ensure(base64.size());
    char* const end = read_base64(at_, base64);
    if (end == nullptr) return refuse("escape_invalid", "a $rawBson is not canonical base64");
    const std::string_view value(at_, static_cast<std::size_t>(end - at_));
    const BsonProblem problem = check_bson_value(static_cast<unsigned char>(type), value, kMaxBsonDepth - depth_);
    if (problem == BsonProblem::too_deep) return refuse("document_too_deep", "the document is more than 200 levels deep");
    if (problem == BsonProblem::invalid) return refuse("escape_invalid", "a $rawBson does not hold one complete value");
    at_ = end;
    return true;
}

}  // namespace reprise
