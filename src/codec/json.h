// Small JSON values: configuration, options of jobs, manifests, results. Documents of a database go through Encoder and
// Decoder instead. Objects keep their order; duplicate keys, NUL in keys and trailing bytes are refused.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace reprise {

class Json {
public:
    using Array = std::vector<Json>;
    using Member = std::pair<std::string, Json>;
    using Object = std::vector<Member>;

    Json() = default;  // null
    Json(std::nullptr_t) {}
    Json(bool yes) : value_(yes) {}
    Json(std::int64_t number) : value_(number) {}
    Json(std::int32_t number) : value_(static_cast<std::int64_t>(number)) {}
    Json(std::uint64_t number) : value_(static_cast<std::int64_t>(number)) {}
    Json(double number) : value_(number) {}
    Json(std::string text) : value_(std::move(text)) {}
    Json(std::string_view text) : value_(std::string(text)) {}
    Json(const char* text) : value_(std::string(text)) {}
    Json(Array items) : value_(std::move(items)) {}
    Json(Object members) : value_(std::move(members)) {}

    static Json object(std::initializer_list<Member> members = {}) { return Json(Object(members)); }
    static Json array() { return Json(Array()); }

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    bool is_bool() const { return std::holds_alternative<bool>(value_); }
    bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
    bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
    bool is_string() const { return std::holds_alternative<std::string>(value_); }
    bool is_array() const { return std::holds_alternative<Array>(value_); }
    bool is_object() const { return std::holds_alternative<Object>(value_); }
    const char* type_name() const;  // "null", "boolean", "number", "string", "array", "object"

    // The value; Failure{corrupt, "json_invalid"} when it is of another type.
    bool as_bool() const;
    std::int64_t as_int() const;
    double as_double() const;
    const std::string& as_string() const;
    const Array& as_array() const;
    const Object& as_object() const;

    const Json* find(std::string_view key) const;  // nullptr when it is not an object or has no such key
    const Json& at(std::string_view key) const;    // Failure{corrupt, "json_invalid"} naming the key
    Json& set(std::string_view key, Json value);   // adds or replaces; makes a null an object; returns *this
    Json& push(Json value);                        // makes a null an array; returns *this

    std::string text(int indent = 0) const;  // one line, or indented by that many spaces
    friend bool operator==(const Json& a, const Json& b) { return a.value_ == b.value_; }

private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// Throws Failure{corrupt, "json_invalid" | "duplicate_key"} with line and column. At most 64 deep.
Json parse_json(std::string_view text);

// Appends `text` (UTF-8) as a JSON string with its quotes, with format 1's escapes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace reprise
