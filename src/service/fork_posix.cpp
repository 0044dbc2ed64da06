#include <pthread.h>

#include <atomic>

#include "base/failure.h"
#include "service/fork.h"

namespace reprise {
namespace {

// Trivially destructible, so that a thread which outlives main() finds them.
std::atomic<std::uint64_t> generation{1};
std::atomic<int> busy{0};
std::atomic<bool> poisoned{false};
std::atomic<bool> watching{false};

void in_child() {
    generation.fetch_add(1, std::memory_order_relaxed);
    if (busy.load(std::memory_order_relaxed) > 0) poisoned.store(true, std::memory_order_relaxed);
    busy.store(0, std::memory_order_relaxed);
}

}  // namespace

void watch_forks() {
    if (watching.exchange(true)) return;
    pthread_atfork(nullptr, nullptr, in_child);
}

std::uint64_t fork_generation() { return generation.load(std::memory_order_relaxed); }

bool forked_while_busy() { return poisoned.load(std::memory_order_relaxed); }

void check_not_forked_while_busy() {
    if (!forked_while_busy()) return;
    throw Failure(Code::busy, "forked_while_busy",
                  "this process was forked while a job ran in its parent: start workers before the first job, or open reprise "
                  "in a fresh process");
}

BusyMark::BusyMark() { busy.fetch_add(1); }
BusyMark::~BusyMark() { busy.fetch_sub(1); }

}  // namespace reprise
