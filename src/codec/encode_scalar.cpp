#include "codec/encode_scalar.h"

#include <cmath>

#include "base/bytes.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/decimal128.h"
#include "codec/number.h"
#include "codec/text_buffer.h"

namespace reprise {
namespace {

constexpr std::uint64_t kPlainNan = 0x7FF8000000000000u;
constexpr std::int64_t kMaxPlainInt64 = (std::int64_t{1} << 53) - 1;  // what every JSON reader keeps exact

char* put_wrapped_int64(char* at, std::int64_t number) {
    at = put_bytes(at, "{\"$numberLong\":\"");
    return put_bytes(put_int64(at, number), "\"}");
}

}  // namespace

char* put_double_value(char* at, const char* value, Profile profile) {
    const auto number = load_le<double>(value);
    if (std::isnan(number)) {
        if (load_le<std::uint64_t>(value) != kPlainNan) return nullptr;
        return put_bytes(at, "{\"$numberDouble\":\"NaN\"}");
    }
    if (std::isinf(number))
        return put_bytes(at, number < 0 ? "{\"$numberDouble\":\"-Infinity\"}" : "{\"$numberDouble\":\"Infinity\"}");
    if (profile == Profile::portable && number == std::floor(number)) {
        at = put_bytes(at, "{\"$numberDouble\":\"");
        return put_bytes(put_double(at, number), "\"}");
    }
    return put_double(at, number);
}

char* put_int64_value(char* at, const char* value) {
    const auto number = load_le<std::int64_t>(value);
    const bool is_int32 = number >= INT32_MIN && number <= INT32_MAX;
    if (is_int32 || number > kMaxPlainInt64 || number < -kMaxPlainInt64) return put_wrapped_int64(at, number);
    return put_int64(at, number);
}

char* put_date_value(char* at, const char* value) {
    const auto unix_ms = load_le<std::int64_t>(value);
    if (unix_ms < 0 || unix_ms > kMaxTextDate) {
        at = put_wrapped_int64(put_bytes(at, "{\"$date\":"), unix_ms);
        return put_bytes(at, "}");
    }
    at = put_bytes(at, "{\"$date\":\"");
    return put_bytes(put_date(at, unix_ms), "\"}");
}

char* put_oid_value(char* at, const char* value) {
    at = put_bytes(at, "{\"$oid\":\"");
    return put_bytes(put_hex(at, {value, 12}), "\"}");
}

char* put_uuid_value(char* at, const char* value) {
    at = put_bytes(at, "{\"$uuid\":\"");
    constexpr std::size_t kGroups[] = {4, 2, 2, 2, 6};
    for (const std::size_t size : kGroups) {
        at = put_hex(at, {value, size});
        value += size;
        *at++ = '-';
    }
    return put_bytes(at - 1, "\"}");
}

char* put_boolean_value(char* at, const char* value) {
    if (*value == 1) return put_bytes(at, "true");
    return *value == 0 ? put_bytes(at, "false") : nullptr;
}

char* put_timestamp_value(char* at, const char* value) {
    at = put_bytes(at, "{\"$timestamp\":{\"t\":");
    at = put_int64(at, load_le<std::uint32_t>(value + 4));
    at = put_bytes(at, ",\"i\":");
    return put_bytes(put_int64(at, load_le<std::uint32_t>(value)), "}}");
}

char* put_decimal_value(char* at, const char* value) {
    at = put_decimal128(put_bytes(at, "{\"$numberDecimal\":\""), value);
    return at == nullptr ? nullptr : put_bytes(at, "\"}");
}

}  // namespace reprise
