// What people decide about one file (engine/mark.h), asked for in JSON.
#pragma once

#include <string>
#include <string_view>

#include "service/config.h"

namespace reprise {

const Schema& mark_schema();  // pin, label, accept, wait_ms, actor
// The entry of `list` for the file as it is afterwards. On the caller's thread: bounded by the folder, and by wait_ms.
// Failure{invalid_argument, …} for options; what engine/mark.h says.
Json mark_file(const Setup& setup, const std::string& file, const Json& options);

}  // namespace reprise
