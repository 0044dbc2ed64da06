// The kinds of jobs and what each may be asked: one schema per kind, checked before a job starts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/schema.h"

namespace reprise {

enum class Kind { backup, before, startup, restore, verify, rehash, rekey, forget, preview };

constexpr std::size_t kMaxLabelBytes = 200;
constexpr std::int64_t kLongestWaitMs = 24 * 60 * 60 * 1000;

Kind parse_kind(std::string_view word);  // Failure{invalid_argument, "job_kind_unknown"} naming the known ones
const char* kind_name(Kind kind);
const std::vector<Kind>& all_kinds();
const Schema& options_schema(Kind kind);
// Failure{invalid_argument, …}: see check_keys; to_mongo_url and to_database are checked as well.
Json parse_options(Kind kind, std::string_view json);
std::int64_t wait_ms_of(const Json& options, std::int64_t usual);  // -1 in the options means the longest

}  // namespace reprise
