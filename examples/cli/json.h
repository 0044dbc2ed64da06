// Reading the JSON that the library gives: a missing key, or one of another type, reads as empty.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <string>

namespace cli {

using Value = rapidjson::Value;

inline std::string as_text(const Value& value) {
    return value.IsString() ? std::string(value.GetString(), value.GetStringLength()) : std::string();
}

inline const Value* member(const Value& object, const char* key) {
    if (!object.IsObject()) return nullptr;
    const auto found = object.FindMember(key);
    return found == object.MemberEnd() ? nullptr : &found->value;
}

inline std::string text(const Value& object, const char* key) {
    const Value* value = member(object, key);
    return value == nullptr ? std::string() : as_text(*value);
}

inline std::int64_t number(const Value& object, const char* key) {
    const Value* value = member(object, key);
    if (value == nullptr || !value->IsNumber()) return 0;
    return value->IsInt64() ? value->GetInt64() : static_cast<std::int64_t>(value->GetDouble());
}

inline bool is_true(const Value& object, const char* key) {
    const Value* value = member(object, key);
    return value != nullptr && value->IsBool() && value->GetBool();
}

}  // namespace cli
