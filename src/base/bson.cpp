#include "base/bson.h"

#include <cmath>

#include "base/bytes.h"
#include "base/failure.h"

namespace reprise {
namespace {

Failure invalid(const char* what) { return Failure(Code::corrupt, "bson_invalid", std::string("invalid BSON: ") + what); }

std::optional<std::size_t> cstring_size(std::string_view at) {
    const auto end = at.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    return end + 1;
}

// A value led by its own int32 length; `extra` bytes come besides what the length counts.
std::optional<std::size_t> counted(std::string_view at, std::size_t extra, std::size_t minimum) {
    if (at.size() < 4) return std::nullopt;
    const auto length = load_le<std::int32_t>(at.data());
    if (length < 0 || static_cast<std::size_t>(length) + extra < minimum) return std::nullopt;
    return static_cast<std::size_t>(length) + extra;
}

}  // namespace

std::optional<std::size_t> bson_value_size(BsonType type, std::string_view at) {
    std::optional<std::size_t> size;
    switch (type) {
        case BsonType::double_:
        case BsonType::date:
        case BsonType::timestamp:
        case BsonType::int64: size = 8; break;
        case BsonType::string:
        case BsonType::code:
        case BsonType::symbol: size = counted(at, 4, 5); break;
        case BsonType::document:
        case BsonType::array: size = counted(at, 0, 5); break;
        case BsonType::code_w_scope: size = counted(at, 0, 14); break;
        case BsonType::binary: size = counted(at, 5, 5); break;
        case BsonType::undefined:
        case BsonType::null:
        case BsonType::min_key:
        case BsonType::max_key: size = 0; break;
        case BsonType::oid: size = 12; break;
        case BsonType::boolean: size = 1; break;
        case BsonType::int32: size = 4; break;
        case BsonType::decimal128: size = 16; break;
        case BsonType::db_pointer:
            size = counted(at, 4, 5);
            if (size && (*size > at.size() || at[*size - 1] != '\0')) return std::nullopt;
            if (size) *size += 12;
            break;
        case BsonType::regex: {
            const auto pattern = cstring_size(at);
            if (!pattern) break;
            const auto options = cstring_size(at.substr(*pattern));
            if (options) size = *pattern + *options;
            break;
        }
    }
    if (!size || *size > at.size()) return std::nullopt;
    const bool text = type == BsonType::string || type == BsonType::code || type == BsonType::symbol;
    if ((text || type == BsonType::document || type == BsonType::array) && at[*size - 1] != '\0') return std::nullopt;
    return size;
}

std::string_view BsonField::text() const {
    if (type != BsonType::string && type != BsonType::code && type != BsonType::symbol) throw invalid("a string was expected");
    return value.substr(4, value.size() - 5);
}

std::string_view BsonField::document() const {
    if (type != BsonType::document && type != BsonType::array) throw invalid("a document was expected");
    return value;
}

bool BsonField::is_number() const {
    return type == BsonType::double_ || type == BsonType::int32 || type == BsonType::int64;
}

double BsonField::number() const {
    switch (type) {
        case BsonType::double_: return load_le<double>(value.data());
        case BsonType::int32: return load_le<std::int32_t>(value.data());
        case BsonType::int64: return static_cast<double>(load_le<std::int64_t>(value.data()));
        default: throw invalid("a number was expected");
    }
}

std::int64_t BsonField::integer() const {
    switch (type) {
        case BsonType::int32: return load_le<std::int32_t>(value.data());
        case BsonType::int64: return load_le<std::int64_t>(value.data());
        case BsonType::boolean: return value[0] != 0;
        case BsonType::double_: {
            const double number_value = number();
            if (std::abs(number_value) < 9007199254740992.0 && number_value == std::trunc(number_value))
                return static_cast<std::int64_t>(number_value);
            break;
        }
        default: break;
    }
    throw invalid("an integer was expected");
}

bool BsonField::truthy() const {
    if (type == BsonType::boolean) return value[0] != 0;
    return is_number() && number() != 0;
}

BsonView::BsonView(std::string_view bytes) : bytes_(bytes) {
    if (bytes.size() < 5 || load_le<std::int32_t>(bytes.data()) != static_cast<std::int64_t>(bytes.size()) ||
        bytes.back() != '\0')
        throw invalid("a document's length is wrong");
    body_ = bytes.substr(4, bytes.size() - 5);
}

BsonView::Iterator::Iterator(std::string_view rest) : rest_(rest) { parse(); }

BsonView::Iterator& BsonView::Iterator::operator++() {
    rest_.remove_prefix(length_);
    parse();
    return *this;
}

void BsonView::Iterator::parse() {
    length_ = 0;
    if (rest_.empty()) return;
    const auto key = cstring_size(rest_.substr(1));
    if (!key) throw invalid("a key does not end");
    field_.type = static_cast<BsonType>(rest_[0]);
    field_.key = rest_.substr(1, *key - 1);
    const auto size = bson_value_size(field_.type, rest_.substr(1 + *key));
    if (!size) throw invalid("a value is cut or of unknown type");
    field_.value = rest_.substr(1 + *key, *size);
    length_ = 1 + *key + *size;
}

std::optional<BsonField> BsonView::find(std::string_view key) const {
    for (const BsonField& field : *this)
        if (field.key == key) return field;
    return std::nullopt;
}

std::optional<BsonField> BsonView::at_path(std::string_view dotted) const {
    BsonView view = *this;
    for (;;) {
        const auto dot = dotted.find('.');
        const auto field = view.find(dotted.substr(0, dot));
        if (!field || dot == std::string_view::npos) return field;
        if (field->type != BsonType::document && field->type != BsonType::array) return std::nullopt;
        view = BsonView(field->value);
        dotted.remove_prefix(dot + 1);
    }
}

BsonBuilder::BsonBuilder() : bytes_(4, '\0') {}

BsonBuilder& BsonBuilder::raw(BsonType type, std::string_view key, std::string_view value) {
    if (key.find('\0') != std::string_view::npos)
        throw Failure(Code::invalid_argument, "name_invalid", "a field name holds a NUL");
    bytes_ += static_cast<char>(type);
    bytes_ += key;
    bytes_ += '\0';
    bytes_ += value;
    return *this;
}

BsonBuilder& BsonBuilder::add(std::string_view key, std::string_view text) {
    std::string value;
    append_le(value, static_cast<std::int32_t>(text.size() + 1));
    value += text;
    value += '\0';
    return raw(BsonType::string, key, value);
}

BsonBuilder& BsonBuilder::add(std::string_view key, std::int32_t number) {
    std::string value;
    append_le(value, number);
    return raw(BsonType::int32, key, value);
}

BsonBuilder& BsonBuilder::add(std::string_view key, std::int64_t number) {
    std::string value;
    append_le(value, number);
    return raw(BsonType::int64, key, value);
}

BsonBuilder& BsonBuilder::add(std::string_view key, double number) {
    std::string value;
    append_le(value, number);
    return raw(BsonType::double_, key, value);
}

BsonBuilder& BsonBuilder::add(std::string_view key, bool yes) {
    return raw(BsonType::boolean, key, std::string_view(yes ? "\1" : "\0", 1));
}

BsonBuilder& BsonBuilder::doc(std::string_view key, std::string_view document) {
    return raw(BsonType::document, key, document);
}

BsonBuilder& BsonBuilder::array(std::string_view key, std::string_view items) { return raw(BsonType::array, key, items); }

BsonBuilder& BsonBuilder::binary(std::string_view key, unsigned char subtype, std::string_view bytes) {
    std::string value;
    append_le(value, static_cast<std::int32_t>(bytes.size()));
    value += static_cast<char>(subtype);
    value += bytes;
    return raw(BsonType::binary, key, value);
}

BsonBuilder& BsonBuilder::timestamp(std::string_view key, std::uint32_t seconds, std::uint32_t increment) {
    std::string value;
    append_le(value, increment);
    append_le(value, seconds);
    return raw(BsonType::timestamp, key, value);
}

BsonBuilder& BsonBuilder::null(std::string_view key) { return raw(BsonType::null, key, {}); }

std::string BsonBuilder::str() const {
    std::string out = bytes_;
    out += '\0';
    store_le(out.data(), static_cast<std::int32_t>(out.size()));
    return out;
}

std::string BsonArray::next_key() { return std::to_string(count_++); }

BsonArray& BsonArray::add(std::string_view text) {
    builder_.add(next_key(), text);
    return *this;
}

BsonArray& BsonArray::add(std::int64_t value) {
    builder_.add(next_key(), value);
    return *this;
}

BsonArray& BsonArray::doc(std::string_view document) {
    builder_.doc(next_key(), document);
    return *this;
}

BsonArray& BsonArray::raw(BsonType type, std::string_view value) {
    builder_.raw(type, next_key(), value);
    return *this;
}

}  // namespace reprise
