// The swap: from the record alone, whoever runs it. Every step is decided from UUIDs and may be repeated (from staging names
// on a server whose renames make new UUIDs). It never drops
// what is not saved: collections in the way are retired (renamed), and dropped at the end only when they equal the safety
// backup or were saved as a copy.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/record.h"
#include "mongo/client.h"
#include "store/store.h"

namespace reprise {

struct SwapOutcome {
    std::vector<std::string> copies;    // partial safety copies made on the way
    std::vector<std::string> warnings;  // views or expiries that could not be put back, collections that stay
    std::int64_t swapped_ms = 0;        // from the first rename to the last
};

struct SwapPlace {
    Client& client;
    const std::string& database;
    Store& store;
    const Packing& packing;  // of copies
    const Context& context;
    std::function<void()> check;  // throws when the lease is lost; before every command that writes
    bool abandon_unfinished = false;
};

// Takes all steps, then what became of the retired collections, then removes the record and the staging that is left.
// A Failure leaves the record: the next operation goes on.
SwapOutcome run_swap(const SwapPlace& place, const RestoreRecord& record);

}  // namespace reprise
