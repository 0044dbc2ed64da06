// Answers from the folder alone, without server, lock or writing. A missing folder is an empty one.
#pragma once

#include <string>

#include "codec/json.h"
#include "service/config.h"

namespace reprise {

Json list_backups(const Config& config);
// A file without a manifest is read to its end, on the caller's thread.
Json show_backup(const Setup& setup, const std::string& file);
// The entry of list_backups for one file, by its name in the store.
Json list_entry(const Config& config, const std::string& name);
// `running`: the job that runs in this folder, or null.
Json folder_status(const Config& config, Json running);

}  // namespace reprise
