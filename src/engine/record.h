// The record of a restore, document {_id: "restore"} of collection "reprise": what is being swapped, decided from UUIDs,
// so that whoever comes next can roll back or forward. Protocol: design/restore.md "The record".
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "mongo/client.h"
#include "mongo/lease.h"
#include "store/store.h"

namespace reprise {

struct Settled {
    enum class What { nothing, rolled_back, rolled_forward };
    What what = What::nothing;
    std::string backup;               // the backup that was being restored
    std::vector<std::string> notes;   // sentences for the result
};

// Under the lease, before any other work: finds a record and rolls back (state staging) or forward (state swapping), then
// drops or adopts staging collections of earlier operations. Failure{refused, "record_newer"} when the record's
// min_reader is above ours. Without a record it sweeps what staging is left.
Settled settle_record(Client& client, const std::string& database, const Lease& lease, Store& store, const Context& context);
// For an operation without lease: is a record in `swapping` there?
bool swap_unfinished(Client& client, const std::string& database);

}  // namespace reprise
