// parse_json over RapidJSON's reader. Its recursion is bounded by the handler, which refuses what is too deep.
#if defined(__clang__)
// RapidJSON adds to the null pointer of a stack that is still empty, which clang's sanitizer reports.
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#if defined(__clang__)
#pragma clang attribute pop
#endif

#include <algorithm>

#include "base/failure.h"
#include "codec/json.h"
#include "codec/number.h"
#include "codec/utf8.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxJsonDepth = 64;

class Builder {
public:
    bool Null() { return add(Json()); }
    bool Bool(bool yes) { return add(Json(yes)); }
    bool Int(int) { return false; }
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool RawNumber(const char* text, rapidjson::SizeType size, bool) { return add_number({text, size}); }
    bool String(const char* text, rapidjson::SizeType size, bool) {
        return check_text({text, size}) && add(Json(std::string_view(text, size)));
    }
    bool Key(const char* text, rapidjson::SizeType size, bool);
    bool StartObject() { return open(Json::object()); }
    bool EndObject(rapidjson::SizeType) { return check_keys() && close(); }
    bool StartArray() { return open(Json::array()); }
    bool EndArray(rapidjson::SizeType) { return close(); }

    Json take() { return std::move(done_); }
    const char* reason() const { return reason_; }
    const char* problem() const { return problem_; }

private:
    struct Level {
        Json::Object members;
        Json::Array items;
        bool is_object;
    };

    bool refuse(const char* reason, const char* problem) {
        reason_ = reason;
        problem_ = problem;
        return false;
    }
    bool check_text(std::string_view text) {
        // RapidJSON lets a lone low surrogate through, as bytes that are not UTF-8.
        return utf8_valid(text) || refuse("json_invalid", "a string is not UTF-8");
    }
    bool add_number(std::string_view text);
    bool add(Json value);
    bool open(const Json& kind);
    bool close();
    bool check_keys();

    std::vector<Level> levels_;
    Json done_;
    const char* reason_ = "json_invalid";
    const char* problem_ = nullptr;
};

bool Builder::Key(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view key(text, size);
    if (!check_text(key)) return false;
    if (key.find('\0') != std::string_view::npos) return refuse("json_invalid", "a key holds a NUL");
    levels_.back().members.emplace_back(std::string(key), Json());
    return true;
}

bool Builder::add_number(std::string_view text) {
    std::int64_t whole = 0;
    if (text == "-0") return add(Json(whole));
    if (is_integer_text(text) && read_int64(text, whole) == Range::fits) return add(Json(whole));
    double number = 0;
    if (read_double(text, number) != Range::fits) return refuse("json_invalid", "a number is out of range");
    return add(Json(number));
}

bool Builder::add(Json value) {
    if (levels_.empty())
        done_ = std::move(value);
    else if (levels_.back().is_object)
        levels_.back().members.back().second = std::move(value);
    else
        levels_.back().items.push_back(std::move(value));
    return true;
}

bool Builder::open(const Json& kind) {
    if (levels_.size() == kMaxJsonDepth) return refuse("json_invalid", "it is more than 64 levels deep");
    levels_.push_back({{}, {}, kind.is_object()});
    return true;
}

bool Builder::close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    return add(level.is_object ? Json(std::move(level.members)) : Json(std::move(level.items)));
}

bool Builder::check_keys() {
    std::vector<std::string_view> keys;
    for (const Json::Member& member : levels_.back().members) keys.emplace_back(member.first);
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) == keys.end()) return true;
    return refuse("duplicate_key", "an object has the same key twice");
}

[[noreturn]] void refuse_at(std::string_view text, std::size_t offset, const char* reason, const std::string& problem) {
    const std::string_view before = text.substr(0, std::min(offset, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto last = before.rfind('\n');
    const std::size_t column = before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1;
    throw Failure(Code::corrupt, reason,
                  "invalid JSON at line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + problem);
}

std::string lower_first(std::string text) {
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    if (!text.empty() && text.back() == '.') text.pop_back();
    return text;
}

}  // namespace

Json parse_json(std::string_view text) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::Reader reader;
    Builder builder;
    const auto result = reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, builder);
    if (result.Code() == rapidjson::kParseErrorTermination && builder.problem() != nullptr)
        refuse_at(text, result.Offset(), builder.reason(), builder.problem());
    if (result.IsError())
        refuse_at(text, result.Offset(), "json_invalid", lower_first(rapidjson::GetParseError_En(result.Code())));
    // The reader takes a NUL for the end.
    if (stream.Tell() != text.size()) refuse_at(text, stream.Tell(), "json_invalid", "there are bytes after the end");
    return builder.take();
}

}  // namespace reprise
