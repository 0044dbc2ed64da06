#include "words.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cstdio>

namespace cli {

std::string plain(const Value& value) {
    if (value.IsString()) return as_text(value);
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
    value.Accept(writer);
    return buffer.GetString();
}

std::string decimal(double value, const char* unit, int decimals) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, value, unit);
    return text;
}

std::string many(std::int64_t count, const std::string& thing) {
    return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string moment(const std::string& when) {
    return when.size() >= 19 ? when.substr(0, 10) + " " + when.substr(11, 8) + " UTC" : when;
}

std::string sentence(std::string words) {
    if (words.empty()) return words;
    const bool is_name = words.find('_') < words.find(' ');  // of a file or collection: written as it is
    if (!is_name && words[0] >= 'a' && words[0] <= 'z') words[0] = static_cast<char>(words[0] - 'a' + 'A');
    const char last = words.back();
    return last == '.' || last == '!' || last == '?' ? words : words + ".";
}

std::size_t width_of(const std::string& words) {
    return static_cast<std::size_t>(std::count_if(words.begin(), words.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string left(const std::string& words, std::size_t width) {
    return words + std::string(width > width_of(words) ? width - width_of(words) : 0, ' ');
}

std::string right(const std::string& words, std::size_t width) {
    return std::string(width > width_of(words) ? width - width_of(words) : 0, ' ') + words;
}

std::string joined(const Lines& words) {
    std::string all;
    for (const std::string& each : words) all += (all.empty() ? "" : ", ") + each;
    return all;
}

void add_warnings(Lines& lines, const Value& result) {
    const Value* found = member(result, "warnings");
    if (found == nullptr || !found->IsArray()) return;
    for (const Value& each : found->GetArray()) lines.push_back("Warning: " + sentence(plain(each)));
}

Rows rows(const Value& result, const char* key) {
    Rows found;
    const Value* all = member(result, key);
    if (all == nullptr || !all->IsArray()) return found;
    for (const Value& each : all->GetArray()) {
        if (each.IsObject()) found.push_back(&each);
    }
    return found;
}

std::string amount(std::int64_t size_bytes) {
    if (size_bytes < 1024) return std::to_string(size_bytes) + " B";
    double size = static_cast<double>(size_bytes);
    for (const char* unit : {"KB", "MB", "GB"}) {
        size /= 1024;
        if (size < 1024) return decimal(size, unit, 1);
    }
    return decimal(size / 1024, "TB", 1);
}

}  // namespace cli
