// The guard's measure: the largest good backup of this deployment that is still kept. An accepted smaller backup, or the
// backup that a completed restore brought back, starts it anew: `.reprise/measure` {id, since, accepted}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/shelf.h"
#include "policy/guard.h"

namespace reprise {

// What `judged` is compared with: the good backups before it, newest first, as pointers into `shelf`. Files from before an
// accept or a restore are compared as if that had not been; what was accepted or restored itself, with nothing.
std::vector<const Manifest*> counted_backups(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged);
// From now on `manifest` and what is newer than `since` count, and nothing older.
void reset_measure(Store& store, const Manifest& manifest, std::int64_t since);
// A person said that `manifest` is right: it is the measure, and what it lost against older ones is not missed any more.
void accept_measure(Store& store, const Manifest& manifest);
// The good backups before `judged` whose collections would be missed in it, newest first; a restore leaves them as they are.
std::vector<const Manifest*> missed_backups(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged);
// What the newest good backup of the shelf lacks, by the collections that are backed up now (policy/lost.h).
struct LostQuestion {
    const Scope& scope;
    const std::vector<std::string>& may_empty;
    std::string database;
    std::optional<std::string> deployment;
};
std::vector<Lost> lost_on_shelf(Store& store, const std::vector<ShelfItem>& shelf, const LostQuestion& question);

}  // namespace reprise
