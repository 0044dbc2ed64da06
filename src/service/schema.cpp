#include "service/schema.h"

#include <algorithm>

#include "base/leaving.h"
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
        case KeyType::real: return "number";
        case KeyType::texts: return "array of strings";
        case KeyType::object: return "object";
    }
    return "value";
}

bool fits(const Json& value, const KeyRule& rule) {
    switch (rule.type) {
        case KeyType::text: return value.is_string();
        case KeyType::yes_no: return value.is_bool();
        case KeyType::number: return value.is_int();
        case KeyType::real: return value.is_number();
        case KeyType::texts: return value.is_array();
        case KeyType::object: return value.is_object() || (rule.or_yes_no && value.is_bool());
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

// Where a check stands: the keys of one object, and the path that leads to them ("" or "retention.").
struct Spot {
    const Schema& schema;
    const std::vector<KeyRule>& rules;
    std::string prefix;

    std::string path(const std::string& name) const { return prefix + name; }
    std::string key(const std::string& name) const { return "key " + path(name) + " of the " + schema.noun; }
    Failure wrong_value(const std::string& name, const std::string& problem) const {
        return Failure(schema.code, "key_value_wrong", key(name) + problem);
    }
};

std::string suggestion(std::string_view key, const Spot& spot) {
    if (key.size() > kMaxSuggestBytes) return {};
    std::size_t best = kMaxSuggestDistance + 1;
    std::string found;
    for (const auto& rule : spot.rules) {
        const std::size_t d = distance(key, rule.name);
        if (d < best) best = d, found = rule.name;
    }
    return found.empty() ? found : "; did you mean \"" + spot.path(found) + "\"?";
}

std::string listed(const Spot& spot) {
    std::string out;
    for (const auto& rule : spot.rules) out += (out.empty() ? ": known are " : ", ") + spot.path(rule.name);
    return out;
}

std::string with_article(const std::string& word) {
    if (word == "null") return word;
    return (word.rfind("array", 0) == 0 || word.rfind("object", 0) == 0 ? "an " : "a ") + word;
}

Failure wrong_type(const Spot& spot, const std::string& name, const Json& value, const std::string& wanted) {
    // "whole number" is said of 1.5 as well, where "a number, expected a whole number" is the honest sentence.
    return Failure(spot.schema.code, "key_type_wrong",
                   spot.key(name) + " is " + with_article(value.type_name()) + ", expected " + with_article(wanted));
}

void check_texts(const Json& value, const KeyRule& rule, const Spot& spot) {
    const auto& items = value.as_array();
    if (items.size() > kMaxListItems) throw spot.wrong_value(rule.name, " has more than 10000 items");
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string name = rule.name + "[" + std::to_string(i) + "]";
        if (!items[i].is_string()) throw wrong_type(spot, name, items[i], "string");
        if (items[i].as_string().empty()) throw spot.wrong_value(name, " is empty");
    }
}

void check_text(const Json& value, const KeyRule& rule, const Spot& spot) {
    const auto& text = value.as_string();
    if (text.find('\0') != std::string::npos) throw spot.wrong_value(rule.name, " holds a NUL character");
    if (rule.required && text.empty()) throw spot.wrong_value(rule.name, " is empty");
    if (rule.allowed.empty() || std::count(rule.allowed.begin(), rule.allowed.end(), text) > 0) return;
    std::string words;
    for (const auto& word : rule.allowed) words += (words.empty() ? "\"" : ", \"") + word + "\"";
    throw spot.wrong_value(rule.name, " must be one of " + words);
}

void check_number(const Json& value, const KeyRule& rule, const Spot& spot) {
    const double least = static_cast<double>(rule.minimum), most = static_cast<double>(rule.maximum);
    const bool inside = value.is_int() ? value.as_int() >= rule.minimum && value.as_int() <= rule.maximum
                                       : value.as_double() >= least && value.as_double() <= most;
    if (inside) return;
    throw spot.wrong_value(rule.name, " must be from " + std::to_string(rule.minimum) + " to " + std::to_string(rule.maximum));
}

void check_object(const Json& json, const Spot& spot);

void check_value(const Json& value, const KeyRule& rule, const Spot& spot) {
    if (!fits(value, rule))
        throw wrong_type(spot, rule.name, value, std::string(expected(rule.type)) + (rule.or_yes_no ? " or a boolean" : ""));
    if (rule.type == KeyType::texts) check_texts(value, rule, spot);
    if (rule.type == KeyType::text) check_text(value, rule, spot);
    if (rule.type == KeyType::number || rule.type == KeyType::real) check_number(value, rule, spot);
    if (value.is_object()) check_object(value, {spot.schema, rule.keys, spot.path(rule.name) + "."});
}

// As deep as the schema, which is our own.
void check_object(const Json& json, const Spot& spot) {
    for (const auto& [key, value] : json.as_object()) {
        const std::string& name = key;
        const auto rule = std::find_if(spot.rules.begin(), spot.rules.end(), [&](const KeyRule& r) { return r.name == name; });
        if (rule == spot.rules.end()) {
            const std::string way_out = suggestion(key, spot);
            throw Failure(spot.schema.code, "key_unknown",
                          "unknown key " + spot.prefix + printable(key) + " in the " + spot.schema.noun +
                              (way_out.empty() ? listed(spot) : way_out));
        }
        check_value(value, *rule, spot);
    }
    for (const auto& rule : spot.rules)
        if (rule.required && json.find(rule.name) == nullptr)
            throw Failure(spot.schema.code, "key_missing",
                          "the " + spot.schema.noun + " has no key " + spot.path(rule.name) + ", which is required");
}

Json describe_rules(const std::vector<KeyRule>& rules);

Json describe_rule(const KeyRule& rule) {
    if (rule.type == KeyType::object) {
        Json out = Json::object({{"keys", describe_rules(rule.keys)}});
        if (rule.or_yes_no) out.set("or", expected(KeyType::yes_no));
        return out;
    }
    if (rule.allowed.empty()) return expected(rule.type);
    Json words = Json::array();
    for (const auto& word : rule.allowed) words.push(word);
    return Json::object({{"one_of", std::move(words)}});
}

Json describe_rules(const std::vector<KeyRule>& rules) {
    Json out = Json::object();
    for (const auto& rule : rules) out.set(rule.name, describe_rule(rule));
    return out;
}

}  // namespace

void check_keys(const Json& json, const Schema& schema) {
    if (!json.is_object())
        throw Failure(schema.code, "key_type_wrong",
                      "the " + schema.noun + " must be a JSON object, not a JSON " + std::string(json.type_name()));
    check_object(json, {schema, schema.rules, ""});
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

Json describe_keys(const Schema& schema) { return describe_rules(schema.rules); }

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

double real_or(const Json& json, std::string_view key, double fallback) {
    const Json* value = json.find(key);
    return value == nullptr ? fallback : value->as_double();
}

const Json& object_or_empty(const Json& json, std::string_view key) {
    static const Json& empty = lasting(Json::object());
    const Json* value = json.find(key);
    return value != nullptr && value->is_object() ? *value : empty;
}

bool switch_or(const Json& json, std::string_view key, bool fallback) {
    const Json* value = json.find(key);
    return value != nullptr && value->is_bool() ? value->as_bool() : fallback;
}

std::vector<std::string> texts_of(const Json& json, std::string_view key) {
    std::vector<std::string> out;
    if (const Json* value = json.find(key))
        for (const auto& item : value->as_array()) out.push_back(item.as_string());
    return out;
}

}  // namespace reprise
