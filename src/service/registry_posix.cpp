#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/leaving.h"
#include "crypto/random.h"
#include "service/fork.h"
#include "service/registry.h"

namespace reprise {
namespace {

constexpr std::int64_t kExitMs = 2000;
constexpr std::int64_t kStopMs = 300;

struct Registry {
    explicit Registry(std::uint64_t made_in) : generation(made_in) {}
    const std::uint64_t generation;
    std::mutex mutex;
    std::vector<std::weak_ptr<Stoppable>> all;
};

// Never destroyed: a thread that outlives main() may still look. After fork the parent's is left behind, locked or not.
std::atomic<Registry*> current{nullptr};
std::atomic<bool> prepared{false};

Registry& registry() {
    Registry* seen = current.load();
    while (seen == nullptr || seen->generation != fork_generation()) {
        auto* fresh = new Registry(fork_generation());
        if (current.compare_exchange_strong(seen, fresh)) return *fresh;
        delete fresh;
    }
    return *seen;
}

void at_exit() {
    const Registry* seen = current.load();
    if (seen == nullptr || seen->generation != fork_generation() || forked_while_busy()) return;
    (void)shutdown_enlisted(kExitMs);
    stop_threads(kStopMs);
}

}  // namespace

void enlist(const std::shared_ptr<Stoppable>& one) {
    Registry& list = registry();
    const std::lock_guard<std::mutex> hold(list.mutex);
    list.all.erase(std::remove_if(list.all.begin(), list.all.end(), [](const auto& weak) { return weak.expired(); }),
                   list.all.end());
    list.all.push_back(one);
}

bool shutdown_enlisted(std::int64_t deadline_ms) {
    std::vector<std::shared_ptr<Stoppable>> all;
    {
        Registry& list = registry();
        const std::lock_guard<std::mutex> hold(list.mutex);
        for (const auto& weak : list.all)
            if (auto one = weak.lock()) all.push_back(std::move(one));
    }
    for (const auto& one : all) one->request_all();
    const std::int64_t until = system_clock().boot_ms() + deadline_ms;
    bool ended = true;
    for (const auto& one : all) ended = one->shutdown(std::max<std::int64_t>(0, until - system_clock().boot_ms())) && ended;
    return ended;
}

void prepare_for_exit() {
    if (prepared.exchange(true)) return;
    begin_crypto();  // what OpenSSL does at exit comes after what is registered later
    std::atexit(at_exit);
}

}  // namespace reprise
