// Who holds a lease, so that another process can prove it dead: boot id, PID namespace, pid, start time, job.
#pragma once

#include <cstdint>
#include <string>

#include "base/bson.h"

namespace reprise {

struct HolderIdentity {
    std::string boot;                // /proc/sys/kernel/random/boot_id; empty where there is none
    std::int64_t pid_namespace = 0;  // inode of /proc/self/ns/pid; 0 where there is none
    std::int64_t pid = 0;
    std::int64_t start = 0;  // field 22 of /proc/<pid>/stat; 0 where it cannot be read
    std::string job;
};

HolderIdentity own_identity(const std::string& job);
std::string to_bson(const HolderIdentity& holder);
HolderIdentity identity_from(std::string_view bson);  // what is missing or odd stays empty

// Only inside the same boot and PID namespace, by a missing pid or another start time; false when in doubt.
bool proven_dead(const HolderIdentity& holder, const HolderIdentity& us);

}  // namespace reprise
