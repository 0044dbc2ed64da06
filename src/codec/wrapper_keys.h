// The closed list of keys that Extended JSON (or we) give a meaning: a document with one of them is always escaped.
#pragma once

#include <string_view>

namespace reprise {

enum class WrapperKey {
    none,
    oid,
    symbol,
    number_int,
    number_long,
    number_double,
    number_decimal,
    binary,
    uuid,
    code,
    scope,
    timestamp,
    regular_expression,
    db_pointer,
    date,
    min_key,
    max_key,
    undefined,
    regex,
    options,
    type,
    raw_bson,
};

WrapperKey wrapper_key(std::string_view key);  // with its '$'

}  // namespace reprise
