#include "service/schema.h"

#include <algorithm>

#include "base/text.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxListItems = 10000;
constexpr std::size_t kMaxSuggestDistance = 2;
constexpr std::size_t kMaxSuggestBytes = 64;

const char* expected(KeyType type) {
    switch (type) {
        case KeyType::text: return "string";
        case KeyType::yes_no: return "boolean";
        case KeyType::number: return "whole number";
        case KeyType::texts: return "array of strings";
    }
    return "value";
}

bool fits(const Json& value, KeyType type) {
    switch (type) {
        case KeyType::text: return value.is_string();
        case KeyType::yes_no: return value.is_bool();
        case KeyType::number: return value.is_int();
        case KeyType::texts: return value.is_array();
    }
    return false;
}

// Levenshtein distance with one row; both sides are at most kMaxSuggestBytes long.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

std::string suggestion(std::string_view key, const Schema& schema) {
    if (key.size() > kMaxSuggestBytes) return {};
    std::size_t best = kMaxSuggestDistance + 1;
    std::string found;
    for (const auto& rule : schema.rules) {
        const std::size_t d = distance(key, rule.name);
        if (d < best) best = d, found = rule.name;
    }
    return found.empty() ? found : "; did you mean \"" + found + "\"?";
}

std::string listed(const Schema& schema) {
    std::string out;
    for (const auto& rule : schema.rules) out += (out.empty() ? "" : ", ") + rule.name;
    return out;
}

Failure wrong_type(const Schema& schema, const std::string& path, const Json& value, const char* wanted) {
    // "whole number" is said of 1.5 as well, where "a number, expected a whole number" is the honest sentence.
    const std::string type = value.type_name();
    const char* article = type == "array" || type == "object" ? "an " : type == "null" ? "" : "a ";
    const std::string wanted_article = std::string(wanted).rfind("array", 0) == 0 ? "an " : "a ";
    return Failure(
        schema.code, "key_type_wrong",
        "key " + path + " of the " + schema.noun + " is " + article + type + ", expected " + wanted_article + wanted);
}

void check_texts(const Json& value, const KeyRule& rule, const Schema& schema) {
    const auto& items = value.as_array();
    if (items.size() > kMaxListItems)
        throw Failure(schema.code, "key_value_wrong",
                      "key " + rule.name + " of the " + schema.noun + " has more than 10000 items");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string path = rule.name + "[" + std::to_string(i) + "]";
        if (!items[i].is_string()) throw wrong_type(schema, path, items[i], "string");
        if (items[i].as_string().empty())
            throw Failure(schema.code, "key_value_wrong", "key " + path + " of the " + schema.noun + " is empty");
    }
}

void check_text(const Json& value, const KeyRule& rule, const Schema& schema) {
    const auto& text = value.as_string();
    if (text.find('\0') != std::string::npos)
        throw Failure(schema.code, "key_value_wrong", "key " + rule.name + " of the " + schema.noun + " holds a NUL character");
    if (rule.required && text.empty())
        throw Failure(schema.code, "key_value_wrong", "key " + rule.name + " of the " + schema.noun + " is empty");
    if (rule.allowed.empty() || std::count(rule.allowed.begin(), rule.allowed.end(), text) > 0) return;
    std::string words;
    for (const auto& word : rule.allowed) words += (words.empty() ? "\"" : ", \"") + word + "\"";
    throw Failure(schema.code, "key_value_wrong", "key " + rule.name + " of the " + schema.noun + " must be one of " + words);
}

void check_number(const Json& value, const KeyRule& rule, const Schema& schema) {
    const auto number = value.as_int();
    if (number >= rule.minimum && number <= rule.maximum) return;
    throw Failure(schema.code, "key_value_wrong",
                  "key " + rule.name + " of the " + schema.noun + " must be from " + std::to_string(rule.minimum) + " to " +
                      std::to_string(rule.maximum));
}

void check_value(const Json& value, const KeyRule& rule, const Schema& schema) {
    if (!fits(value, rule.type)) throw wrong_type(schema, rule.name, value, expected(rule.type));
    if (rule.type == KeyType::texts) check_texts(value, rule, schema);
    if (rule.type == KeyType::text) check_text(value, rule, schema);
    if (rule.type == KeyType::number) check_number(value, rule, schema);
}

}  // namespace

void check_keys(const Json& json, const Schema& schema) {
    if (!json.is_object())
        throw Failure(schema.code, "key_type_wrong",
                      "the " + schema.noun + " must be a JSON object, not a JSON " + std::string(json.type_name()));
    for (const auto& [key, value] : json.as_object()) {
        const std::string& name = key;
        const auto rule =
            std::find_if(schema.rules.begin(), schema.rules.end(), [&](const KeyRule& r) { return r.name == name; });
        if (rule == schema.rules.end())
            throw Failure(schema.code, "key_unknown",
                          "unknown key " + printable(key) + " in the " + schema.noun +
                              (suggestion(key, schema).empty() ? ": known are " + listed(schema) : suggestion(key, schema)));
        check_value(value, *rule, schema);
    }
    for (const auto& rule : schema.rules)
        if (rule.required && json.find(rule.name) == nullptr)
            throw Failure(schema.code, "key_missing",
                          "the " + schema.noun + " has no key " + rule.name + ", which is required");
}

Json parse_checked(std::string_view text, const Schema& schema) {
    Json json = Json::object();
    try {
        if (!text.empty()) json = parse_json(text);
    } catch (const Failure& failure) {
        throw Failure(schema.code, failure.reason, "the " + schema.noun + " is not valid JSON: " + failure.message);
    }
    check_keys(json, schema);
    return json;
}

Json describe_keys(const Schema& schema) {
    Json out = Json::object();
    for (const auto& rule : schema.rules) {
        if (rule.allowed.empty()) {
            out.set(rule.name, expected(rule.type));
            continue;
        }
        Json words = Json::array();
        for (const auto& word : rule.allowed) words.push(word);
        out.set(rule.name, Json::object({{"one_of", std::move(words)}}));
    }
    return out;
}

std::string text_or(const Json& json, std::string_view key, std::string_view fallback) {
    const Json* value = json.find(key);
    return value == nullptr ? std::string(fallback) : value->as_string();
}

bool yes_or(const Json& json, std::string_view key, bool fallback) {
    const Json* value = json.find(key);
    return value == nullptr ? fallback : value->as_bool();
}

std::int64_t number_or(const Json& json, std::string_view key, std::int64_t fallback) {
    const Json* value = json.find(key);
    return value == nullptr ? fallback : value->as_int();
}

std::vector<std::string> texts_of(const Json& json, std::string_view key) {
    std::vector<std::string> out;
    if (const Json* value = json.find(key))
        for (const auto& item : value->as_array()) out.push_back(item.as_string());
    return out;
}

}  // namespace reprise
