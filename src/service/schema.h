// Tables of the keys that a JSON object from outside may have: configuration and options of jobs. One check for all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/failure.h"
#include "codec/json.h"

namespace reprise {

// real: any number, 5 as well as 0.5. object: keys of its own.
enum class KeyType { text, yes_no, number, real, texts, object };

struct KeyRule {
    std::string name;
    KeyType type = KeyType::text;
    bool required = false;
    std::vector<std::string> allowed;       // text: these words only; empty: any
    std::int64_t minimum = 0, maximum = 0;  // number and real
    std::vector<KeyRule> keys = {};         // object: what it may hold
    bool or_yes_no = false;                 // object: true and false are taken as well (on as it is by default, and off)
};

struct Schema {
    Code code = Code::invalid_argument;  // invalid_config or invalid_argument
    std::string noun;                    // "configuration" or "options of backup", for messages
    std::vector<KeyRule> rules;
};

// Refuses what the schema does not know, by path ("retention.keep_lst", "include[1]"): Failure{schema.code, "key_unknown" |
// "key_missing" | "key_type_wrong" | "key_value_wrong"}. Values are never repeated in the message (S10).
void check_keys(const Json& json, const Schema& schema);
// Parses `text` ("" is {}) and checks it: also Failure{schema.code, "json_invalid"}.
Json parse_checked(std::string_view text, const Schema& schema);
// {"name": "string" | "boolean" | "whole number" | "number" | "array of strings" | {"one_of": […]} | {"keys": {…}} |
// {"keys": {…}, "or": "boolean"}}, for reprise_build.
Json describe_keys(const Schema& schema);

// Readers for keys that have been checked; the default when the key is not there.
std::string text_or(const Json& json, std::string_view key, std::string_view fallback);
bool yes_or(const Json& json, std::string_view key, bool fallback);
std::int64_t number_or(const Json& json, std::string_view key, std::int64_t fallback);
double real_or(const Json& json, std::string_view key, double fallback);
std::vector<std::string> texts_of(const Json& json, std::string_view key);
// The object under `key`; an empty one when the key is not there or is true or false (or_yes_no).
const Json& object_or_empty(const Json& json, std::string_view key);
// What a boolean under a key that may be an object or a boolean says; the default when it is an object or not there.
bool switch_or(const Json& json, std::string_view key, bool fallback);

}  // namespace reprise
