// The safety backup (S6) and the last look: what the live collections were when they were saved, and whether they still are.
#pragma once

#include <string>
#include <vector>

#include "engine/operation.h"
#include "engine/plan.h"

namespace reprise {

struct SavedCollection {
    CollectionInfo info;        // as it stood before it was saved
    CollectionSummary summary;  // zeros for a view
};

struct Safety {
    std::string file, sha256;  // empty: nothing to save, or a person asked for none
    std::vector<SavedCollection> collections;
    std::vector<std::string> warnings;
    const SavedCollection* find(const std::string& name) const;
};

struct SafetyWish {
    const Place& place;
    const RestoreOptions& options;
    const Context& context;
};

// Saves everything that is in the way. A safety backup with equal digests is reused.
Safety take_safety(Operation& operation, const SafetyWish& wish, const Plan& plan);
// Are the collections in the way still what was saved: the same ones, of the same UUID, definition and content?
bool still_as_saved(Operation& operation, const SafetyWish& wish, const Plan& plan, const Safety& safety);
// Startup: Failure{busy, "database_changing"} when a collection that was empty no longer is.
void check_still_empty(Operation& operation, const SafetyWish& wish);

}  // namespace reprise
