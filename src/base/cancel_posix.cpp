#include <sys/socket.h>

#include <algorithm>
#include <chrono>

#include "base/cancel.h"
#include "base/failure.h"

namespace reprise {

void Cancel::request() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (shielded_) return;
    requested_.store(true, std::memory_order_relaxed);
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
