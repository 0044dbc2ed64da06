// Mode merge: documents of the file into the live collections, by _id. Not atomic; repeated, it ends the same.
#pragma once

#include "engine/operation.h"
#include "engine/plan.h"
#include "engine/restore.h"
#include "format/reader.h"

namespace reprise {

struct MergeWish {
    const Place& place;
    const RestoreOptions& options;
    const Context& context;
    const std::vector<CollectionInfo>& live;  // what is there, with the shard keys
    const Summary& expected;  // as the file was verified; a collection that reads differently now ends the merge
};

// Failure{unsupported, "merge_unsupported"} for a time series or a capped collection, in the file or live. Before anything is
// written.
void check_merge(const Plan& plan, const std::vector<CollectionInfo>& live);
std::string view_left(const std::string& name);  // a sentence for the warnings
// Which live document is replaced: the one of that _id, by the shard key's values where it is sharded, as they are live (a
// document may have moved since the backup).
std::string merge_filter(std::string_view live, std::string_view shard_key);
// Failure{unsupported, "merge_unsupported"} naming a document without _id, {corrupt, "file_changed"}; collections before it are
// then merged already.
void merge_documents(Operation& operation, const MergeWish& wish, Plan& plan, BackupReader& reader, RestoreResult& result);

}  // namespace reprise
