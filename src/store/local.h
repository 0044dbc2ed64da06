// A folder on a local (or network) file system. Folders are 0700 and files 0600 from their first byte (S13).
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace reprise {

// Makes the folder (with missing parents) and `.reprise/` inside it when they are not there. Failure{denied |
// not_found | io, …} naming the path and the way out; {invalid_config, "not_a_folder"} when it is something else.
// read_only: creates nothing; a missing folder is then an empty store.
std::unique_ptr<Store> open_local_store(const std::string& folder, bool read_only = false);

// The operation's lock of a folder: an OFD lock on `.reprise/operation.lock` plus a table in this process, so that one
// operation at a time works in it, whatever process or thread. Released by destruction; a child after fork closes the
// inherited descriptor (see close_locks_in_child) and never unlocks.
class FolderLock {
public:
    // nullptr when somebody else holds it. `holder` (text, e.g. the job's id) is written into the file for others to read.
    static std::unique_ptr<FolderLock> try_acquire(const std::string& folder, const std::string& holder);
    static std::string holder_of(const std::string& folder);  // what the present holder wrote; may be empty
    virtual ~FolderLock() = default;
};

// Called in a child after fork: closes inherited lock descriptors without unlocking, empties the process's table.
void close_locks_in_child();

// `.reprise/state.lock`: held for one read-change-write of a state file, never during an operation. Blocks (bounded,
// 10 s, then Failure{busy, "state_locked"}).
class StateLock {
public:
    explicit StateLock(const std::string& folder);
    ~StateLock();
    StateLock(const StateLock&) = delete;
    StateLock& operator=(const StateLock&) = delete;

private:
    int fd_;
};

}  // namespace reprise
