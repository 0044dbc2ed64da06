// Reading and building small BSON documents (commands, options, index descriptions) without libbson, so that rooms
// above mongo can speak of them. Bulk documents go through the codec instead.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reprise {

enum class BsonType : unsigned char {
    double_ = 0x01, string = 0x02, document = 0x03, array = 0x04, binary = 0x05, undefined = 0x06, oid = 0x07, boolean = 0x08,
    date = 0x09, null = 0x0A, regex = 0x0B, db_pointer = 0x0C, code = 0x0D, symbol = 0x0E, code_w_scope = 0x0F, int32 = 0x10,
    timestamp = 0x11, int64 = 0x12, decimal128 = 0x13, min_key = 0xFF, max_key = 0x7F,
};

// One field: a view into the document, valid as long as its bytes.
struct BsonField {
    BsonType type{};
    std::string_view key;
    std::string_view value;  // the bytes after the key

    std::string_view text() const;      // string, code, symbol; throws Failure otherwise
    std::string_view document() const;  // document or array
    bool is_number() const;
    double number() const;              // int32, int64, double
    std::int64_t integer() const;       // int32, int64, integral double; also boolean
    bool truthy() const;                // as the server reads an option: nonzero number or true
};

// Iterates the fields of one document. Throws Failure{corrupt, "bson_invalid"} when the bytes are not well-formed at
// this level (nested values are checked when they are entered).
class BsonView {
public:
    BsonView() = default;
    explicit BsonView(std::string_view bytes);

    class Iterator {
    public:
        Iterator(std::string_view rest);
        bool operator!=(const Iterator& other) const { return rest_.size() != other.rest_.size(); }
        Iterator& operator++();
        const BsonField& operator*() const { return field_; }
        const BsonField* operator->() const { return &field_; }

    private:
        void parse();
        std::string_view rest_;  // from the current field to the end, without the closing 0
        BsonField field_;
        std::size_t length_ = 0;
    };
    Iterator begin() const { return Iterator(body_); }
    Iterator end() const { return Iterator(body_.substr(body_.size())); }

    std::optional<BsonField> find(std::string_view key) const;  // the first field of that name
    std::optional<BsonField> at_path(std::string_view dotted) const;  // "cursor.firstBatch"
    bool empty() const { return body_.empty(); }
    std::string_view bytes() const { return bytes_; }

private:
    std::string_view bytes_, body_;
};

// Number of bytes of the value of `type` that starts at `at`, or nullopt when it is cut or its length is wrong.
std::optional<std::size_t> bson_value_size(BsonType type, std::string_view at);

// Builds one document: fields in the order of the calls, then str(). Documents nest by value: doc("a", BsonBuilder().…str()).
class BsonBuilder {
public:
    BsonBuilder();
    BsonBuilder& add(std::string_view key, std::string_view text);
    BsonBuilder& add(std::string_view key, const char* text) { return add(key, std::string_view(text)); }
    BsonBuilder& add(std::string_view key, std::int32_t value);
    BsonBuilder& add(std::string_view key, std::int64_t value);
    BsonBuilder& add(std::string_view key, double value);
    BsonBuilder& add(std::string_view key, bool value);
    BsonBuilder& doc(std::string_view key, std::string_view document);
    BsonBuilder& array(std::string_view key, std::string_view array_document);  // keys "0", "1", …: see BsonArray
    BsonBuilder& binary(std::string_view key, unsigned char subtype, std::string_view bytes);
    BsonBuilder& timestamp(std::string_view key, std::uint32_t seconds, std::uint32_t increment);
    BsonBuilder& null(std::string_view key);
    BsonBuilder& raw(BsonType type, std::string_view key, std::string_view value);  // value's bytes as they are
    BsonBuilder& field(const BsonField& field) { return raw(field.type, field.key, field.value); }
    BsonBuilder& field_as(std::string_view key, const BsonField& field) { return raw(field.type, key, field.value); }

    // The finished document. The builder may go on adding afterwards; the view from view() lives until then.
    std::string str() const;

private:
    std::string bytes_;  // without the closing 0
};

class BsonArray {
public:
    BsonArray& add(std::string_view text);
    BsonArray& add(std::int64_t value);
    BsonArray& doc(std::string_view document);
    BsonArray& raw(BsonType type, std::string_view value);
    std::string str() const { return builder_.str(); }
    std::size_t size() const { return count_; }

private:
    std::string next_key();
    BsonBuilder builder_;
    std::size_t count_ = 0;
};

}  // namespace reprise
