// What all workers on a folder know of its schedule: `.reprise/schedule`, changed under the folder's StateLock alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policy/schedule.h"
#include "service/process.h"
#include "store/store.h"

namespace reprise {

// Somebody is at work on a due time.
struct TickClaim {
    std::string token;  // of the ticker that holds it
    std::int64_t due_s = 0, since_s = 0;
    std::uint64_t job = 0;  // 0 while it is being started
    ProcessIdentity process;
};

struct TickRun {
    std::int64_t due_s = 0, started_s = 0, ended_s = 0;
    std::uint64_t job = 0;
    std::string state;   // as a job's
    std::string reason;  // why it failed
    std::string file;    // what it wrote
};

struct TickState {
    std::uint64_t seed = 0;
    std::int64_t handled_s = 0;
    std::int64_t failures = 0, retry_s = 0;
    std::int64_t next_s = 0;  // as last planned, for people; 0: nothing is planned
    std::optional<TickClaim> claim;
    std::optional<TickRun> last;

    TickFacts facts(std::int64_t now_s) const { return {now_s, handled_s, failures, retry_s, seed}; }
};

// nullopt: there is none, or it cannot be understood; then all that is due before now counts as dealt with.
std::optional<TickState> read_ticks(Store& store);
void write_ticks(Store& store, const TickState& state);
Json run_to_json(const TickRun& run);
Json second_or_null(std::int64_t unix_s);  // "2026-11-28T02:00:00Z", null for 0

}  // namespace reprise
