// What a restore finds out before it writes anything, by reading alone and in one order; its preview asks the same, and so
// refuses the same.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/restore.h"
#include "format/manifest.h"
#include "format/reader.h"

namespace reprise {

struct IntentQuestion {
    const Place& place;
    const RestoreOptions& options;
    std::optional<std::string> deployment;  // the place's
};

struct Intent {
    std::unique_ptr<OpenBlob> blob;
    std::unique_ptr<BackupReader> reader;  // of the verified file, before its first document
    Manifest file;
    std::vector<CatalogEntry> entries;  // the file's; one of the replaced system has names alone
    std::vector<CollectionInfo> live;   // with indexes; ours left out
    Plan plan;
    std::vector<std::string> warnings;
};

// Reads and checks the whole file, then what is live. Failure as verify_open, explain_damage, check_file_fits, check_lists and
// make_plan.
Intent read_intent(Client& client, const IntentQuestion& question, const Context& context);
// Failure as check_merge (mode merge), check_sharding and check_space.
void check_intent(Client& client, const IntentQuestion& question, const Intent& intent);

}  // namespace reprise
