// preview: what the restore with the same options would do, collection by collection, found by reading alone: no lease, no
// lock, nothing written. It refuses what the restore would refuse, except for what only the doing shows: the server's rights to
// write, its majority, documents that a unique index or validator refuses (replace), and whoever holds the lease.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/restore.h"

namespace reprise {

enum class PreviewAction { create, replace, merge, drop, leave };

struct PreviewedCollection {
    std::string name, type;  // type: of the one in the backup, else of the live one
    bool in_backup = false;  // the file holds it, whether it is selected or not
    PreviewAction action = PreviewAction::leave;
    // Documents now and after the restore; nullopt: it is not there, or a view. `after` is also nullopt when a merge may meet
    // documents that a unique index or a collation refuses; then it is between these two.
    std::optional<std::int64_t> now, after, at_least, at_most;
    // As they are now, are they so afterwards? The catalog: type, options and indexes.
    bool same_documents = false, same_catalog = false;
    std::int64_t inserted = 0, replaced = 0, unchanged = 0;  // merge only; inserted: at most
    bool same() const { return same_documents && same_catalog; }
};

struct PreviewResult {
    std::string file, database;
    std::vector<PreviewedCollection> collections;  // all that the file or the database has, in the order of their names
    std::vector<std::string> warnings;
    std::int64_t duration_ms = 0;
};

// Reads and checks the whole file, then the collections that would change. Failure as restore, see above. Memory: a batch of a
// merge.
PreviewResult preview(const Place& place, const RestoreOptions& options, const Context& context);

}  // namespace reprise
