// What the sentences are made of. `python -m reprise` has the same: bindings/python/src/reprise/_say.py; change both.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "json.h"

namespace cli {

using Lines = std::vector<std::string>;
using Rows = std::vector<const Value*>;

// Any value as text: a string as it is, all else as JSON.
std::string plain(const Value& value);
std::string decimal(double value, const char* unit, int decimals);
// "1 backup", "2 backups".
std::string many(std::int64_t count, const std::string& thing);
// 62.5 KB, as the old script counted: 1 KB is 1024 bytes.
std::string amount(std::int64_t size_bytes);
// 2025-10-12T16:27:21.123456Z as 2025-10-12 16:27:21 UTC.
std::string moment(const std::string& when);
// With a capital, unless it begins with the name of a file or collection, and a full stop.
std::string sentence(std::string words);

// Widths are in characters of UTF-8.
std::size_t width_of(const std::string& words);
std::string left(const std::string& words, std::size_t width);
std::string right(const std::string& words, std::size_t width);
std::string joined(const Lines& words);

// The objects in an array; empty when there is none of that name.
Rows rows(const Value& result, const char* key);
void add_warnings(Lines& lines, const Value& result);

}  // namespace cli
