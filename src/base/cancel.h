// A request to stop that reaches blocked sockets: each socket registers while it is open, and request() shuts them down.
// Thread-safe. One Cancel per job; it outlives every thread and socket of the job.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace reprise {

class Cancel {
public:
    void request();
    bool requested() const { return requested_.load(std::memory_order_relaxed); }
    void check() const;  // throws Failure{cancelled, "cancelled"} once requested
    // From here on the job finishes whatever happens (past its point of no return): requests are remembered and ignored.
    void shield();
    bool wait_ms(std::int64_t ms);  // sleeps; returns true at once when cancelled
    // How long a tidy-up may still take: `usual`, or after a request what is left of the answer that is due within 2 s.
    std::int64_t tidy_ms(std::int64_t usual) const;

    void add_socket(int fd);     // shut down at once when already cancelled
    void remove_socket(int fd);  // before close()

private:
    std::atomic<bool> requested_{false};
    std::atomic<std::int64_t> requested_ms_{0};  // CLOCK_BOOTTIME
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<int> sockets_;
    bool shielded_ = false;
};

}  // namespace reprise
