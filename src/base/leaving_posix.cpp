#include <unistd.h>

#include <atomic>

#include "base/clock.h"
#include "base/leaving.h"

namespace reprise {
namespace {

constexpr useconds_t kLookUs = 1000;

// Trivially destructible, so that a thread which outlives main() finds them.
std::atomic<bool> leaving{false};
std::atomic<int> alive{0};  // threads of ours
std::atomic<int> quiet{0};  // of them, those that are parked or idle
thread_local bool ours = false;

}  // namespace

void park_if_leaving() {
    if (!leaving.load() || !ours) return;
    quiet.fetch_add(1);
    for (;;) ::pause();
}

void stop_threads(std::int64_t wait_ms) {
    leaving.store(true);
    const std::int64_t until = system_clock().boot_ms() + wait_ms;
    while (quiet.load() < alive.load() && system_clock().boot_ms() < until) ::usleep(kLookUs);
}

IdleSpan::IdleSpan() {
    if (ours) quiet.fetch_add(1);
}

IdleSpan::~IdleSpan() {
    if (!ours) return;
    quiet.fetch_sub(1);
    park_if_leaving();
}

ThreadMark::ThreadMark() {
    ours = true;
    alive.fetch_add(1);
}

// Not held here: a host that closes its engine in a later exit handler joins a thread that has told its end.
ThreadMark::~ThreadMark() { alive.fetch_sub(1); }

}  // namespace reprise
