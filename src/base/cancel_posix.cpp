#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/failure.h"

namespace reprise {
namespace {

constexpr std::int64_t kAnswerMs = 1500;  // of the 2 s in which a cancelled job has ended
constexpr std::int64_t kLeastTidyMs = 200;

}  // namespace

void Cancel::request() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (shielded_) return;
    if (!requested()) requested_ms_.store(system_clock().boot_ms());
    requested_.store(true, std::memory_order_release);  // the moment is there for whoever sees the request
    for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
    wake_.notify_all();
}

void Cancel::check() const {
    if (requested()) throw Failure(Code::cancelled, "cancelled", "cancelled on request");
}

void Cancel::shield() {
    const std::lock_guard<std::mutex> hold(mutex_);
    check();
    shielded_ = true;
}

std::int64_t Cancel::tidy_ms(std::int64_t usual) const {
    if (!requested_.load(std::memory_order_acquire)) return usual;
    return std::min(usual, std::max(kLeastTidyMs, requested_ms_.load() + kAnswerMs - system_clock().boot_ms()));
}

bool Cancel::wait_ms(std::int64_t ms) {
    std::unique_lock<std::mutex> hold(mutex_);
    return wake_.wait_for(hold, std::chrono::milliseconds(ms), [this] { return requested(); });
}

void Cancel::add_socket(int fd) {
    const std::lock_guard<std::mutex> hold(mutex_);
    sockets_.push_back(fd);
    if (requested()) ::shutdown(fd, SHUT_RDWR);
}

void Cancel::remove_socket(int fd) {
    const std::lock_guard<std::mutex> hold(mutex_);
    sockets_.erase(std::remove(sockets_.begin(), sockets_.end(), fd), sockets_.end());
}

}  // namespace reprise
