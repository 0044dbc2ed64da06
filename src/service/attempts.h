// What startup remembers of itself: document {_id: "startup"} of collection "reprise", mirrored in `.reprise/startup`, since
// either may be lost with what it lies in. The one that was written last counts.
#pragma once

#include <cstdint>
#include <string>

#include "mongo/client.h"
#include "store/store.h"

namespace reprise {

struct Attempts {
    std::int64_t attempts = 0;          // restores begun and not ended: the process died in them
    std::string failed_sha256;          // a backup after whose restore the rule still said "empty"
    std::int64_t highest_sequence = 0;  // of the backups seen
    std::int64_t written = 0;           // one more at every writing
    bool clean() const { return attempts == 0 && failed_sha256.empty(); }
};

constexpr std::int64_t kMaxDeaths = 3;

Attempts read_attempts(Client& client, const std::string& database, Store& store);
// Under the operation. Raises `written`.
void write_attempts(Client& client, const std::string& database, Store& store, Attempts& attempts);
// A good backup was made: what is older may from now on be a replay. `client` null: the database is not written.
void raise_highest(Client* client, const std::string& database, Store& store, std::int64_t sequence);
// After a completed restore: written only when there was something to forget.
void clear_attempts(Client& client, const std::string& database, Store& store);

}  // namespace reprise
