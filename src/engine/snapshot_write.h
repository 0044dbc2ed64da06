// The first half of a backup: catalog and documents into a file under a temporary name, whole and durable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/selection.h"
#include "engine/snapshot.h"

namespace reprise {

constexpr int kMaxCatalogRounds = 3;

struct WriteOrder {
    const BackupOptions& options;
    Header header;  // all but the date and the names that were skipped
    std::int64_t bytes_expected = 0;  // for the progress; 0: unknown
};

struct WrittenBackup {
    Header header;
    Summary summary;     // measured on the bytes that the server sent
    std::string sha256;
    std::unique_ptr<StagedBlob> staged;  // finished; gone with this unless published
    std::vector<std::string> warnings;
};

// Reads the catalog before and after the documents; when it changed in between, everything is read again, at most
// kMaxCatalogRounds times: Failure{busy, "catalog_changing"} naming the collection.
WrittenBackup write_snapshot(Operation& operation, const Place& place, const WriteOrder& order, const Context& context);

}  // namespace reprise
