// Where an operation works: one database of one deployment, one folder. Values; the store outlives the operation.
#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/secret.h"
#include "store/store.h"

namespace reprise {

struct Place {
    Secret url;
    std::string database;
    Store* store = nullptr;   // never null
    std::string folder;       // of the store, for its locks
    std::string job;          // id of the job that works, for the lease and the lock: decimal text
    std::int64_t wait_ms = 0; // how long to wait for a lease or folder that somebody else holds; 0 fails at once
};

}  // namespace reprise
