// Which collections a backup reads, and how.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "format/model.h"
#include "mongo/catalog.h"
#include "mongo/cursor.h"

namespace reprise {

struct Selection {
    std::vector<CollectionInfo> saved;                         // in the order of the list
    std::vector<std::pair<std::string, std::string>> skipped;  // name, reason: excluded | not_included
};

// Our own collections are left out silently. Failure{not_found, "collection_missing"} for an included name that is not
// there; {unsupported, "collection_encrypted"} and {unsupported, "collection_name_invalid"} for a selected one that cannot
// be saved; {not_found, "database_missing"} when the database holds no collection of its user's.
Selection select_collections(const std::vector<CollectionInfo>& listed, const std::string& database, const Scope& scope);

// Outside a cut: by _id, which never returns one document twice; natural where there is no index on _id to follow, or the order
// is data.
Order read_order(const CollectionInfo& info);

// The first of `saved` that is not the same any more in `now`: dropped, made anew, other options, other indexes.
// nullptr: nothing changed. What is new in `now` does not count: it appeared after the cut.
const CollectionInfo* first_changed(const std::vector<CollectionInfo>& saved, const std::vector<CollectionInfo>& now);

std::vector<CatalogEntry> catalog_of(const std::vector<CollectionInfo>& saved);

}  // namespace reprise
