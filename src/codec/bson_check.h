// Whether bytes are one complete, well-formed BSON value: every length and type byte, without recursion.
#pragma once

#include <string_view>

namespace reprise {

enum class BsonProblem { none, invalid, too_deep };

// `value`: the bytes after the key. `levels`: how many documents may be nested in it, itself included when it is one.
// What strings, booleans or keys hold is not judged.
BsonProblem check_bson_value(unsigned char type, std::string_view value, int levels);

// code_w_scope taken apart; false when its lengths do not agree. The scope's inside is not looked at.
bool split_code_w_scope(std::string_view value, std::string_view& code, std::string_view& scope);

}  // namespace reprise
