#include "codec/json.h"

#include <algorithm>
#include <cmath>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json_text.h"
#include "codec/number.h"

namespace reprise {
namespace {

Failure wrong_type(const Json& value, const char* wanted) {
    return Failure(Code::corrupt, "json_invalid",
                   std::string("a JSON ") + wanted + " was expected, not a " + value.type_name());
}

template <typename T, typename Value>
const T& get(const Value& value, const Json& self, const char* wanted) {
    const T* found = std::get_if<T>(&value);
    if (found == nullptr) throw wrong_type(self, wanted);
    return *found;
}

void append_number(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    char text[kMaxNumberBytes];
    out.append(text, static_cast<std::size_t>(put_double(text, number) - text));
}

void new_line(std::string& out, int indent, int depth) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

// Recursion is as deep as the value, which parse_json bounds and code builds by hand.
void append_value(std::string& out, const Json& value, int indent, int depth);

void append_array(std::string& out, const Json::Array& items, int indent, int depth) {
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        new_line(out, indent, depth + 1);
        append_value(out, items[i], indent, depth + 1);
    }
    if (!items.empty()) new_line(out, indent, depth);
    out += ']';
}

void append_object(std::string& out, const Json::Object& members, int indent, int depth) {
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        new_line(out, indent, depth + 1);
        append_json_string(out, members[i].first);
        out += indent == 0 ? ":" : ": ";
        append_value(out, members[i].second, indent, depth + 1);
    }
    if (!members.empty()) new_line(out, indent, depth);
    out += '}';
}

void append_value(std::string& out, const Json& value, int indent, int depth) {
    if (value.is_null()) {
        out += "null";
    } else if (value.is_bool()) {
        out += value.as_bool() ? "true" : "false";
    } else if (value.is_int()) {
        char text[kMaxNumberBytes];
        out.append(text, static_cast<std::size_t>(put_int64(text, value.as_int()) - text));
    } else if (value.is_number()) {
        append_number(out, value.as_double());
    } else if (value.is_string()) {
        append_json_string(out, value.as_string());
    } else if (value.is_array()) {
        append_array(out, value.as_array(), indent, depth);
    } else {
        append_object(out, value.as_object(), indent, depth);
    }
}

}  // namespace

const char* Json::type_name() const {
    constexpr const char* kNames[] = {"null", "boolean", "number", "number", "string", "array", "object"};
    return kNames[value_.index()];
}

bool Json::as_bool() const { return get<bool>(value_, *this, "boolean"); }

std::int64_t Json::as_int() const { return get<std::int64_t>(value_, *this, "whole number"); }

double Json::as_double() const {
    if (is_int()) return static_cast<double>(as_int());
    return get<double>(value_, *this, "number");
}

const std::string& Json::as_string() const { return get<std::string>(value_, *this, "string"); }

const Json::Array& Json::as_array() const { return get<Array>(value_, *this, "array"); }

const Json::Object& Json::as_object() const { return get<Object>(value_, *this, "object"); }

const Json* Json::find(std::string_view key) const {
    const auto* members = std::get_if<Object>(&value_);
    if (members == nullptr) return nullptr;
    for (const Member& member : *members)
        if (member.first == key) return &member.second;
    return nullptr;
}

const Json& Json::at(std::string_view key) const {
    const Json* found = find(key);
    if (found == nullptr) throw Failure(Code::corrupt, "json_invalid", "the key '" + printable(key) + "' is missing");
    return *found;
}

Json& Json::set(std::string_view key, Json value) {
    if (is_null()) value_ = Object();
    if (!is_object()) throw wrong_type(*this, "object");
    auto& members = std::get<Object>(value_);
    const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.first == key; });
    if (found == members.end())
        members.emplace_back(std::string(key), std::move(value));
    else
        found->second = std::move(value);
    return *this;
}

Json& Json::push(Json value) {
    if (is_null()) value_ = Array();
    if (!is_array()) throw wrong_type(*this, "array");
    std::get<Array>(value_).push_back(std::move(value));
    return *this;
}

std::string Json::text(int indent) const {
    std::string out;
    append_value(out, *this, indent, 0);
    return out;
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::size_t kChunkBytes = 256;
    constexpr std::size_t kOverrunBytes = 16;
    char buffer[kChunkBytes * kMaxEscapedBytes + kOverrunBytes];
    const char* from = text.data();
    const char* const end = from + text.size();
    out += '"';
    while (from != end) {
        const char* const until = std::min(from + std::min<std::ptrdiff_t>(kChunkBytes, end - from), end);
        const char* const stop = put_json_text(buffer, from, until, end, end);
        // Written as it is, it would make the file unreadable.
        if (from == nullptr) throw Failure(Code::invalid_argument, "text_not_utf8", "a text is not UTF-8");
        out.append(buffer, static_cast<std::size_t>(stop - buffer));
    }
    out += '"';
}

}  // namespace reprise
