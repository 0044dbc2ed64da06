// A folder on a local (or network) file system. Folders are 0700 and files 0600 from their first byte (S13).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/store.h"

namespace reprise {

// Makes the folder (with missing parents) and `.reprise/` inside it when they are not there. Failure{denied |
// not_found | io, …} naming the path and the way out; {invalid_config, "not_a_folder"} when it is something else.
// read_only: creates nothing; a missing folder is then an empty store.
// pointers: what to try first; where it does not exist the next one is taken.
enum class Pointers { symbolic_link, hard_link, copy };
std::unique_ptr<Store> open_local_store(const std::string& folder, bool read_only = false,
                                        Pointers pointers = Pointers::symbolic_link);

// The operation's lock of a folder: an OFD lock on `.reprise/operation.lock` plus a table in this process, so that one
// operation at a time works in it, whatever process or thread. Released by destruction; a child after fork closes the
// inherited descriptor by itself (pthread_atfork) and never unlocks.
class FolderLock {
public:
    // nullptr when somebody else holds it. `holder` (text, e.g. the job's id) is written into the file for others to read.
    static std::unique_ptr<FolderLock> try_acquire(const std::string& folder, const std::string& holder);
    static std::string holder_of(const std::string& folder);  // what the present holder wrote; may be empty
    virtual ~FolderLock() = default;
};

// For a child that was made without pthread_atfork's handlers (a bare clone): closes inherited lock descriptors without
// unlocking. Harmless elsewhere.
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
    std::uint64_t id_;  // in the process's table of locks
};

}  // namespace reprise
