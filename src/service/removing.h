// Deleting one file because a person says so; retention removes by rule (policy/retention.h).
#pragma once

#include <string>

#include "service/config.h"

namespace reprise {

// {"filename", "freed_bytes"}. Under the folder's lock. Failure{refused, "file_protected"}: the newest good backup, the one
// that `latest` points to, a pinned one. {busy, "folder_locked"}; {not_found, "file_missing"}.
Json remove_file(const Config& config, const std::string& file);

}  // namespace reprise
