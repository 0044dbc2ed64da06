// Where an operation works: one database of one deployment, one folder. Values; the store outlives the operation.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/secret.h"
#include "store/store.h"
#include "stream/packing.h"

namespace reprise {

struct Place {
    Secret url;
    std::string database;
    Store* store = nullptr;           // never null
    std::string folder;               // of the store, for its locks
    std::string job;                  // id of the job that works, for the lease and the lock: decimal text
    std::int64_t wait_ms = 0;         // how long to wait for a lease or folder that somebody else holds; 0 fails at once
    std::int64_t connect_ms = 10000;  // bound on finding a usable server
    // An explicit restore into another database or server (a migration, a drill): the folder's owner is neither asked nor
    // changed, and its deployment id is not this database's.
    bool foreign_folder = false;
    // A person's word: an unfinished restore whose staged data somebody removed ends without them. What it retired for them is
    // kept as reprise_<op8>_k…; everything else is finished as always.
    bool abandon_unfinished = false;
    // A person's word: every write of the operation, its lease and what it settles included, waits for the primary's journal
    // alone. An election may take such writes back.
    bool without_majority = false;
    Packing packing;                    // how files are stored that the operation writes
    std::int64_t lease_ttl_ms = 30000;  // as the protocol says; a shorter one is for tests
};

}  // namespace reprise
