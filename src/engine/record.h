// The record of a restore, document {_id: "restore"} of collection "reprise": what is being swapped, decided from UUIDs,
// so that whoever comes next can roll back or forward. Protocol: design/restore.md "The record".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/place.h"
#include "format/model.h"
#include "mongo/client.h"
#include "mongo/lease.h"

namespace reprise {

struct Settled {
    enum class What { nothing, rolled_back, rolled_forward };
    What what = What::nothing;
    std::string backup;              // the backup that was being restored
    std::vector<std::string> notes;  // sentences for the result
};

// Under the lease, before any other work: finds a record and rolls back (state staging) or forward (state swapping), then
// drops or adopts staging collections of earlier operations. Failure{refused, "record_newer"} when the record's
// min_reader is above ours. Without a record it sweeps what staging is left. place.abandon_unfinished: place.h.
Settled settle_record(const Place& place, Client& client, const Lease& lease, const Context& context);
// For an operation without lease: is a record in `swapping` there?
bool swap_unfinished(Client& client, const std::string& database);

// ---- the document itself; for the engine's own restore, swap and merge

constexpr std::int32_t kRecordFormat = 1;
constexpr std::int32_t kRecordReader = 1;  // the highest min_reader that this library understands

// One step of the swap, in the order in which they are taken: exact, rename, timeseries, view, ttl.
struct SwapStep {
    std::string what;            // rename | view | timeseries | ttl | exact
    std::string target;          // the live name
    std::string staging;         // rename, timeseries: where the data waits; its UUID decides
    std::string source_uuid;     // of `staging`; 16 raw bytes
    std::string expected_uuid;   // of the live collection at the last look; empty: there was none
    std::int64_t documents = 0;  // what is restored
    std::string digest;
    std::optional<CollectionSummary> saved;  // the live collection as it is in the safety backup
    std::string options;                     // view, timeseries: what to create, with the real expiry
    std::vector<std::string> indexes;        // timeseries: built after the fill
    std::string index;                       // ttl: the index with its real value; empty: the collection's own expiry
    bool done = false;  // what somebody does to the target afterwards is theirs; a reader that does not know it looks again
};

struct RestoreRecord {
    std::int32_t format = kRecordFormat, min_reader = kRecordReader, attempts = 0;
    std::string version, op;
    std::int64_t term = 0;
    std::string state;  // staging | swapping | merging
    std::string backup, backup_sha256;
    std::string safety, safety_sha256;  // empty: none was made
    bool unsaved = false;               // no_safety_backup: a person asked for none
    // The server gives a collection a new UUID when it is renamed (MongoDB never does): names in the staging namespace,
    // where only a restore renames, then say what is done.
    bool names_decide = false;
    std::vector<SwapStep> steps;
};

std::string record_to_bson(const RestoreRecord& record);
RestoreRecord record_from_bson(std::string_view bson);  // Failure{corrupt, "record_invalid"}; {refused, "record_newer"}

std::optional<RestoreRecord> load_record(Client& client, const std::string& database);
// Inserts it (majority, journaled). Failure{busy, "record_exists"} when there is one.
void insert_record(Client& client, const std::string& database, const RestoreRecord& record, bool without_majority);
// Replaces the record whose op, term and state are `was`'s; false when it is not there any more (somebody took over).
bool replace_record(Client& client, const std::string& database, const RestoreRecord& was, const RestoreRecord& now,
                    bool without_majority);
// Marks one step done. Failure{busy, "lease_lost"} when the record is not there any more in that state, of that op and term.
void mark_step_done(Client& client, const std::string& database, RestoreRecord& record, std::size_t step);
// False when it is not there any more in that state, of that op and term.
bool remove_record(Client& client, const std::string& database, const RestoreRecord& record);

// Names in the staging namespace of an operation: data, retired collections of step i, and ones kept for good.
std::string staging_name(const std::string& op, std::size_t number);
std::string retired_name(const std::string& op, std::size_t step, std::size_t number);
// The step of a retired collection's name, or nullopt when it is another kind of ours.
std::optional<std::size_t> retired_step(const std::string& name);
bool is_kept_name(const std::string& name);  // reprise_<op8>_k…: data that could not be saved; never swept
// Drops the staging collections of every operation; retired and kept ones stay.
void sweep_staging(Client& client, const std::string& database, const Lease& lease);

}  // namespace reprise
