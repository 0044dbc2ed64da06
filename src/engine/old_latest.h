// The replaced system's `backup_latest.json` where it is a plain file, not a link: it gets a name of its own, backup_<its
// date>.json, and is never replaced.
#pragma once

#include "store/store.h"

namespace reprise {

constexpr const char* kLatestJson = "backup_latest.json";

void rename_old_latest(Store& store);  // under the operation's lock; nothing happens where there is none

}  // namespace reprise
