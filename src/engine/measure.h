// The guard's measure: the largest good backup of this deployment that is still kept. An accepted smaller backup, or the
// backup that a completed restore brought back, starts it anew: `.reprise/measure` {id, since}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/shelf.h"
#include "policy/guard.h"

namespace reprise {

// What `judged` is compared with: of the good backups before it the largest, as a copy; nullopt when there is none.
std::optional<Manifest> find_measure(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged);
// From now on `manifest` and what is newer than `since` count, and nothing older.
void reset_measure(Store& store, const Manifest& manifest, std::int64_t since);

}  // namespace reprise
