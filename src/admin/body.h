// The body of a request: a small JSON object, or nothing.
#pragma once

#include <initializer_list>
#include <string>

#include "admin/message.h"

namespace reprise {

// {} for an empty body. Failure{invalid_argument}: "body_invalid", "key_unknown" naming the known keys.
Json read_body(const Request& request, std::initializer_list<const char*> known);
// A file's name as a request may give it: one component (S11). Failure{invalid_argument, "name_invalid" | "key_type_wrong"}.
std::string file_name_in(const Json& value);
std::string checked_name(const std::string& name);

}  // namespace reprise
