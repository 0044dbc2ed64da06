// What a fork does to us. The handler in the child takes no lock: it counts, and whoever comes next makes fresh state.
#pragma once

#include <cstdint>

namespace reprise {

// Registers the handler, once per process. Called by every open.
void watch_forks();
// Changes in every child: state made under another number belongs to the parent and is never touched, only left behind.
std::uint64_t fork_generation();
// Throws Failure{busy, "forked_while_busy"} in a child whose parent had a job running: locks inside OpenSSL, the resolver
// or malloc's friends may be held for ever in it.
void check_not_forked_while_busy();
bool forked_while_busy();

// A job counts as running as long as one of these lives.
class BusyMark {
public:
    BusyMark();
    ~BusyMark();
    BusyMark(const BusyMark&) = delete;
    BusyMark& operator=(const BusyMark&) = delete;
};

}  // namespace reprise
