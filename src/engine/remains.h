// Retired collections that no record tells of: a command of a process that had died was carried out after everything was
// settled. What a safety backup holds is dropped; the rest is set apart under a name that nothing sweeps.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/rename.h"
#include "format/model.h"
#include "store/store.h"

namespace reprise {

// Its content. A dead client's last command on it may still be going on: it is measured until `known` says that it is what was
// saved, or it does not change any more. nullopt: it is gone.
std::optional<CollectionSummary> measure_at_rest(const RenamePlace& place, const std::string& name,
                                                 const std::function<bool(const CollectionSummary&)>& known);

// Renames it out of the way of every sweep, to reprise_<op8>_k…; returns that name.
std::string set_apart(const RenamePlace& place, const CollectionInfo& found);

// While no record stands, under the lease. Returns a sentence for each collection that stays.
std::vector<std::string> tidy_remains(const RenamePlace& place, Store& store);

}  // namespace reprise
