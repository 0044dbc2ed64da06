// Tables of the keys that a JSON object from outside may have: configuration and options of jobs. One check for all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/failure.h"
#include "codec/json.h"

namespace reprise {

enum class KeyType { text, yes_no, number, texts };

struct KeyRule {
    std::string name;
    KeyType type = KeyType::text;
    bool required = false;
    std::vector<std::string> allowed;       // text: these words only; empty: any
    std::int64_t minimum = 0, maximum = 0;  // number
};

struct Schema {
    Code code = Code::invalid_argument;  // invalid_config or invalid_argument
    std::string noun;                    // "configuration" or "options of backup", for messages
    std::vector<KeyRule> rules;
};

// Refuses what the schema does not know, by path: Failure{schema.code, "key_unknown" | "key_missing" | "key_type_wrong" |
// "key_value_wrong"}. Values are never repeated in the message (S10).
void check_keys(const Json& json, const Schema& schema);
// Parses `text` ("" is {}) and checks it: also Failure{schema.code, "json_invalid"}.
Json parse_checked(std::string_view text, const Schema& schema);
// {"name": "string" | "boolean" | "number" | "array of strings" | {"one_of": […]}}, for reprise_build.
Json describe_keys(const Schema& schema);

// Readers for keys that have been checked; the default when the key is not there.
std::string text_or(const Json& json, std::string_view key, std::string_view fallback);
bool yes_or(const Json& json, std::string_view key, bool fallback);
std::int64_t number_or(const Json& json, std::string_view key, std::int64_t fallback);
std::vector<std::string> texts_of(const Json& json, std::string_view key);

}  // namespace reprise
