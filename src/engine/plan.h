// What a restore is going to do, decided before anything is written: which of the file's objects go where, with which
// options and indexes, and which live collections are in their way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/operation.h"
#include "engine/restore.h"
#include "engine/rules.h"
#include "format/manifest.h"
#include "mongo/catalog.h"

namespace reprise {

struct Target {
    CatalogEntry entry;  // of the file; for a file of the replaced system what the live collection says
    CreateRules rules;
    IndexRules indexes;
    std::vector<std::string> kept_indexes;  // of the live collection only: built too, a conflict is a warning
    std::string staging;                    // where it waits; a view's dry run
    std::string uuid;                       // of the staging collection
    CollectionSummary sent;                 // what was put there
    bool is_view() const { return entry.type == "view"; }
    bool is_time_series() const { return entry.type == "timeseries"; }
};

struct Plan {
    bool legacy = false;
    std::vector<Target> targets;
    std::vector<std::string> warnings;
    Target* find(const std::string& name);
};

// Which of the file's names are wanted. Failure{not_found, "collection_missing"} for an included or excluded name that it does
// not hold.
bool selected(const RestoreOptions& options, const std::string& name);
void check_lists(const RestoreOptions& options, const std::vector<std::string>& names);

Plan make_plan(const std::vector<CatalogEntry>& entries, const std::vector<CollectionInfo>& live, const RestoreOptions& options,
               bool legacy);
// Views after what they are built on; a circle ends as it stood.
void order_views(std::vector<Target>& targets);

// The names among `live` that a restore takes away: its targets, and with `exact` whatever it does not know.
std::vector<CollectionInfo> in_the_way(const Plan& plan, const RestoreOptions& options,
                                       const std::vector<CollectionInfo>& live);
std::vector<CollectionInfo> user_collections(Client& client, const std::string& database);  // with indexes; ours left out

}  // namespace reprise
