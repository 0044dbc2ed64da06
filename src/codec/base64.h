// Base64 (RFC 4648 §4, padded) and hex between raw buffers.
#pragma once

#include <cstddef>
#include <string_view>

namespace reprise {

constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

char* put_base64(char* at, std::string_view bytes);  // base64_size(bytes.size()) must be free; returns the end
char* put_hex(char* at, std::string_view bytes);     // lower case; twice the size must be free; returns the end

// `text` decoded to `at`, where three quarters of its size must be free; nullptr when it is not canonical. Returns the end.
char* read_base64(char* at, std::string_view text);
// Either case; half of the text's size must be free; nullptr when it is not hex. Returns the end.
char* read_hex(char* at, std::string_view text);

}  // namespace reprise
