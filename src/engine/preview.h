// preview: what a restore of a file would change, found by reading alone; takes no lease and writes nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/restore.h"

namespace reprise {

struct PreviewedCollection {
    std::string name;
    bool in_backup = false;           // false: a restore leaves it alone, or takes it away when `exact` is asked for
    std::optional<std::int64_t> now;  // documents in the database; nullopt: the collection is not there
    std::int64_t after = 0;           // documents in the backup
    bool same = false;                // equal count and digest
};

struct PreviewResult {
    std::string file, database;
    std::vector<PreviewedCollection> collections;  // in the order of their names; views are left out
    std::vector<std::string> warnings;
    std::int64_t duration_ms = 0;
};

// Reads and checks the whole file, then every collection that it knows. Failures as verify and as the server's.
PreviewResult preview(const Place& place, const RestoreOptions& options, const Context& context);

}  // namespace reprise
