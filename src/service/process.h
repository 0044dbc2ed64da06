// Who a process is, so that a job's file can be told from one whose process died.
#pragma once

#include <cstdint>
#include <string>

#include "codec/json.h"

namespace reprise {

struct ProcessIdentity {
    std::string boot;           // boot id of the machine
    std::string pid_namespace;  // inode of /proc/self/ns/pid
    std::int64_t pid = 0;
    std::int64_t start = 0;  // start time of the process, in clock ticks since boot
};

ProcessIdentity this_process();
enum class Life { alive, dead, unknown };  // unknown: another boot or PID namespace, where nothing can be proven
Life life_of(const ProcessIdentity& process);
Json process_to_json(const ProcessIdentity& process);
ProcessIdentity process_from_json(const Json& json);

}  // namespace reprise
