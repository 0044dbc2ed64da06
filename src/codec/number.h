// Numbers as text, both ways, without any locale. Used by all of codec; nothing is allocated.
#pragma once

#include <cstdint>
#include <string_view>

namespace reprise {

constexpr std::size_t kMaxNumberBytes = 32;  // the longest text that put_double or put_int64 writes

// Writes at `at` (kMaxNumberBytes must be free) and returns the end.
char* put_int64(char* at, std::int64_t value);
// Shortest digits that read back to the same value; fixed notation for 1e-6 <= abs < 1e21, else scientific; always with
// '.' or 'e', so that it reads back as a double. Only for finite values.
char* put_double(char* at, double value);

enum class Range { fits, overflow, malformed };

bool is_json_number(std::string_view text);   // the grammar of RFC 8259
bool is_integer_text(std::string_view text);  // neither '.' nor an exponent, in what is_json_number accepts

// `text` is what is_json_number accepts; underflow gives ±0.0.
Range read_double(std::string_view text, double& value);
// An optional '-' and digits without superfluous zeros; "-0" is malformed.
Range read_int64(std::string_view text, std::int64_t& value);

}  // namespace reprise
