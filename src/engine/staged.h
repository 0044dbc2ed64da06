// Where the staged data of a step of the swap waits: under the name that the record gives it, or the one a successor gave it.
#pragma once

#include <optional>
#include <vector>

#include "engine/record.h"
#include "engine/rename.h"

namespace reprise {

// Among `all`, as listCollections told them. The UUID decides; where the server gives new ones (record.names_decide) the name
// does, and the content when two have it.
std::optional<CollectionInfo> staged_source(const RenamePlace& place, const RestoreRecord& record, const SwapStep& step,
                                            const std::vector<CollectionInfo>& all);

}  // namespace reprise
