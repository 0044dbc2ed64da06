// Deleting one file because a person says so; retention removes by rule (policy/retention.h).
#pragma once

#include <string>

#include "service/config.h"

namespace reprise {

const Schema& delete_schema();  // wait_ms, actor
// {"filename", "freed_bytes"}. Under the folder's lock; `options` are checked. Failure{refused, "file_protected"}: the newest
// good backup, the one that `latest` points to, a pinned one, one that an unfinished
// restore needs, another database's. {busy, "folder_locked"}; {not_found,
// "file_missing"}.
Json remove_file(const Config& config, const std::string& file, const Json& options);

}  // namespace reprise
