// What an unfinished restore needs of the folder: `.reprise/needed`, or `needed_elsewhere` of a restore into another
// database: {files, since_us}. Written before the restore's record stands in the database and removed after that is gone, so
// that retention, which asks no server, leaves those files alone.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "engine/place.h"

namespace reprise {

// Empty names are left out. Where the folder cannot be written (full, read-only) both only log it: a restore needs no room
// there.
void need_files(const Place& place, const std::vector<std::string>& names, const Context& context);
void release_files(const Place& place, const Context& context);  // nothing happens where none are needed
// Names of both kinds. Those of a restore into another database, which may never be settled from here, count for 30 days.
std::vector<std::string> needed_files(Store& store, std::int64_t now_us);

}  // namespace reprise
