// IEEE 754-2008 decimal128 (binary integer significand, as BSON has it) as text and back, after the BSON specification.
#pragma once

#include <cstddef>
#include <string_view>

namespace reprise {

constexpr std::size_t kDecimal128Bytes = 16;
constexpr std::size_t kMaxDecimalText = 48;

// Writes the 16 bytes as text (kMaxDecimalText must be free) and returns the end; nullptr when the text would not read
// back to the same bytes: significands beyond 34 digits, NaNs with sign or payload, infinities with stray bits.
char* put_decimal128(char* at, const char* bytes);

enum class DecimalText { exact, malformed, inexact };

// Writes 16 bytes at `at`. Rounding is refused (inexact); an exponent out of range is clamped only where that is exact.
DecimalText read_decimal128(char* at, std::string_view text);

}  // namespace reprise
