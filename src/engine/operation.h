// One operation at a time (S8): the folder's lock, the lease, then whatever record an earlier operation left is settled.
// Every engine begins by making one and ends by destroying it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/place.h"
#include "mongo/client.h"
#include "mongo/lease.h"
#include "store/local.h"

namespace reprise {

enum class Access {
    write,          // lease required: Failure{denied} without the right to write
    write_if_able,  // a backup: goes on without lease when the user may only read (has_lease() tells); a database
                    // without collections is not written to, so that a backup never creates one
};

class Operation {
public:
    // The context's cancel outlives it. Failure{busy, "lease_held" | "folder_locked"} naming the holder's job; {refused,
    // "folder_of_other"} when
    // `.reprise/owner` names another database or deployment; {refused, "restore_unfinished"} when a record in `swapping`
    // stands and this user may not write. Sweeps the folder's leftovers and settles the record (record.h).
    Operation(const Place& place, Access access, const Context& context);
    ~Operation();

    Client& client();               // of the calling thread
    const Lease* lease() const;     // nullptr without lease
    void check() const;             // cancel and lease, before every command that writes
    const std::string& op() const;  // 8 hex digits for staging names, also without lease
    // The deployment's id: from the database, else from the folder's owner; nullopt while there is neither.
    std::optional<std::string> deployment() const;
    // Makes the id where none exists and writes it to database and folder as far as allowed (FORMAT.md, `deployment`).
    // Empty when there is none and the database may not be written; the folder's owner's where only the database has none, so
    // that backups of a user that may only read stand in one order with the others. Claims the folder (`.reprise/owner`).
    std::string ensure_deployment();
    // One more than the highest sequence known to the folder and the database; the folder remembers that it was given out.
    std::int64_t next_sequence();
    // A file with that number is there: both remember it as far as allowed, so that a folder without it is known as another
    // one. `users`: raise_sequence.
    void published(std::int64_t sequence, const std::optional<std::int64_t>& users);
    std::int64_t remembered_sequence() const;       // by the database, of the backups made before this operation
    void adopt_deployment(const std::string& id);   // startup, or `adopt`
    const std::vector<std::string>& notes() const;  // what was settled or swept, for the result's warnings

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The folder's lock alone, for work that needs no server. Waits up to place.wait_ms; Failure{busy, "folder_locked"}.
std::unique_ptr<FolderLock> hold_folder(const Place& place, const Context& context);

}  // namespace reprise
