// startup: brings the data back when the database is empty (design/restore.md "Startup"). A database that holds its data is
// found so by reading alone: nothing is written and no lock is taken.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/place.h"
#include "engine/restore.h"
#include "policy/guard.h"
#include "service/candidates.h"

namespace reprise {

struct StartupOptions {
    WantedRule empty;
    GuardRules guard;           // for files that are judged only now, as a backup would judge them
    bool retry = false;         // forget failed attempts
    bool start_anyway = false;  // the host wants to start whatever happens: a failure becomes `refused`, may_go_on is true
};

struct StartupResult {
    std::string result;             // not_needed, restored, restored_by_other, no_backup, in_progress, refused
    std::string reason;             // a word
    std::string message;            // a sentence
    bool may_go_on = false;         // the host may start
    std::optional<EmptyRule> rule;  // in force; nullopt: it was not needed to know
    std::string file;               // restored
    std::optional<RestoreResult> restore;
    std::vector<Skipped> skipped;
    std::vector<std::string> warnings;
    std::int64_t duration_ms = 0;
};

// `quick` reads with a store that creates nothing; `open_place` is called before anything is written.
// Failure for what is no decision: an unreachable server, a folder or file that cannot be read, a cancel, a backup after
// whose restore the database is still empty.
StartupResult start_up(const Place& quick, const std::function<Place()>& open_place, const StartupOptions& options,
                       const Context& context);

}  // namespace reprise
