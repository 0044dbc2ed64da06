// BSON dates (milliseconds since 1970, UTC) as text.
#pragma once

#include <cstdint>
#include <string_view>

namespace reprise {

constexpr std::int64_t kMaxTextDate = 253402300799999;  // 9999-12-31T23:59:59.999Z
constexpr std::size_t kMaxDateText = 24;

// 0 … kMaxTextDate as "2025-10-12T16:27:21.123Z", without decimals when they are zero. Returns the end.
char* put_date(char* at, std::int64_t unix_ms);
// RFC 3339 with 'T', at most three decimals, and 'Z' or an offset; false when it is anything else.
bool read_date(std::string_view text, std::int64_t& unix_ms);

}  // namespace reprise
