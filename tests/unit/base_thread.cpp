#include <doctest/doctest.h>
#include <pthread.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/thread.h"

using namespace reprise;

namespace {

long address_space_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        long kib = 0;
        if (word == "VmSize:" && status >> kib) return kib;
    }
    return 0;
}

}  // namespace

TEST_CASE("s14: a thread of ours has its name, a stack of 1 MiB, and hears no signal") {
    char name[16] = {};
    std::size_t stack = 0;
    bool deaf = true;
    Thread thread("reprise-a-test", [&] {
        pthread_getname_np(pthread_self(), name, sizeof name);
        pthread_attr_t attributes;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstacksize(&attributes, &stack);
        pthread_attr_destroy(&attributes);
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGALRM, SIGUSR1, SIGPROF})
            deaf = deaf && sigismember(&blocked, signal) == 1;
    });
    thread.join();
    CHECK(std::string(name) == "reprise-a-test");
    CHECK(stack >= 1024 * 1024);
    CHECK(stack <= 1024 * 1024 + 64 * 1024);
    CHECK(deaf);
}

TEST_CASE("a thread that is the last owner of itself leaves no stack behind") {
    const long before = address_space_kib();
    constexpr int kThreads = 300;
    for (int i = 0; i < kThreads; ++i) {
        auto holder = std::make_shared<std::unique_ptr<Thread>>();
        Cancel mine_is_gone;
        *holder = std::make_unique<Thread>("reprise-a-test", [holder, &mine_is_gone] { mine_is_gone.wait_ms(20000); });
        std::weak_ptr<void> watched = holder;
        holder.reset();
        mine_is_gone.request();
        while (!watched.expired()) sched_yield();
    }
    // Unjoined, each would keep its megabyte; what the C library keeps for later threads is at most 40 MiB.
    CHECK(address_space_kib() - before < kThreads * 1024 / 2);
}
