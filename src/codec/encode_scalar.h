// The values of fixed size, as JSON. Every function writes at `at`, where kMaxScalarText must be free, and returns the
// end, or nullptr where Extended JSON cannot say the value.
#pragma once

#include <cstddef>

#include "codec/bson_to_json.h"

namespace reprise {

constexpr std::size_t kMaxScalarText = 128;

char* put_double_value(char* at, const char* value, Profile profile);
char* put_int64_value(char* at, const char* value);
char* put_date_value(char* at, const char* value);
char* put_oid_value(char* at, const char* value);
char* put_uuid_value(char* at, const char* value);
char* put_boolean_value(char* at, const char* value);
char* put_timestamp_value(char* at, const char* value);
char* put_decimal_value(char* at, const char* value);

}  // namespace reprise
