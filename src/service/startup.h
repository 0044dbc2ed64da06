// startup: brings the data back when the database is empty (design/restore.md "Startup"). A database that holds its data is
// found so by reading alone: nothing is written and no lock is taken.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/place.h"
#include "engine/restore.h"
#include "service/candidates.h"

namespace reprise {

struct StartupOptions {
    std::string sentinel;  // as configured; empty: not set
    bool retry = false;    // forget failed attempts
};

struct StartupResult {
    std::string result;    // not_needed, restored, restored_by_other, no_backup, in_progress, refused
    std::string reason;    // a word
    std::string message;   // a sentence
    std::string sentinel;  // in force; empty: the whole database
    std::string file;      // restored
    std::optional<RestoreResult> restore;
    std::vector<Skipped> skipped;
    std::vector<std::string> warnings;
    std::int64_t duration_ms = 0;
};

// `quick` reads with a store that creates nothing; `open_place` is called before anything is written.
// Failure for what is no decision: an unreachable server, a cancel, a backup after whose restore the database is still empty.
StartupResult start_up(const Place& quick, const std::function<Place()>& open_place, const StartupOptions& options,
                       const Context& context);

}  // namespace reprise
