// Small text helpers: hex, base64, UTF-8, UTC time stamps. No locale is ever consulted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reprise {

std::string to_hex(std::string_view bytes);                              // lower case
std::optional<std::string> from_hex(std::string_view hex);               // either case; nullopt when it is not hex
void append_base64(std::string& out, std::string_view bytes);            // RFC 4648 §4, padded
std::optional<std::string> from_base64(std::string_view text);           // canonical only: padding and unused bits checked
std::optional<std::string> from_base64url(std::string_view text);        // RFC 4648 §5, canonical, unpadded (RFC 7515)
bool is_utf8(std::string_view text);                                     // surrogates and overlong forms are not UTF-8
std::string_view cut_at_character(std::string_view text, std::size_t max_bytes);  // never splits a UTF-8 character
// Text that is safe inside a message: control characters, marks of direction and invalid UTF-8 become '?', cut to
// 120 bytes.
std::string printable(std::string_view text);

// Microseconds since 1970 (UTC) as "2025-10-12T16:27:21.123456Z", and back (3, 6 or no decimals).
std::string iso_time(std::int64_t unix_us);
std::optional<std::int64_t> from_iso_time(std::string_view text);
// "20251012_162721", and back.
std::string compact_time(std::int64_t unix_us);
std::optional<std::int64_t> from_compact_time(std::string_view text);

}  // namespace reprise
