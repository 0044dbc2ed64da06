#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/failure.h"
#include "base/text.h"
#include "service/events.h"

namespace reprise {
namespace {
constexpr std::size_t kRingEvents = 1024;
constexpr std::size_t kMaxMessageBytes = 4096;
const char* const kLevels[] = {"debug", "info", "warning", "error"};
}  // namespace

Events::~Events() {
    if (fd_ >= 0) ::close(fd_);
}

void Events::log(Level level, std::string_view message) {
    if (level < least_) return;
    const std::string text = is_utf8(message) ? std::string(cut_at_character(message, kMaxMessageBytes)) : printable(message);
    const LogHook called = hook();
    if (called.call != nullptr) called.call(called.user, static_cast<std::int32_t>(level), text.c_str(), text.size());
    push(Json::object({{"event", "log"},
                       {"level", kLevels[static_cast<int>(level)]},
                       {"message", text},
                       {"time", iso_time(system_clock().unix_us())}}));
}

void Events::push(Json event) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (closed_) return;
    if (ring_.size() == kRingEvents) {
        ring_.pop_front();
        ++dropped_;
    }
    ring_.push_back(std::move(event));
    signal_waiting();
    wake_.notify_one();
}

// Keeps the descriptor readable exactly while events wait. Called with the lock held.
void Events::signal_waiting() {
    if (fd_ < 0 || signalled_ == !ring_.empty()) return;
    std::uint64_t count = 1;
    const ssize_t done = ring_.empty() ? ::read(fd_, &count, sizeof count) : ::write(fd_, &count, sizeof count);
    static_cast<void>(done);  // EAGAIN means that it is as it should be
    signalled_ = !ring_.empty();
}

std::optional<Json> Events::next(std::int64_t wait_ms) {
    std::unique_lock<std::mutex> hold(mutex_);
    wake_.wait_for(hold, std::chrono::milliseconds(wait_ms), [this] { return !ring_.empty() || closed_; });
    if (ring_.empty()) return std::nullopt;
    if (dropped_ > 0) {
        const std::int64_t count = dropped_;
        dropped_ = 0;
        return Json::object({{"event", "dropped"}, {"count", count}});
    }
    Json event = std::move(ring_.front());
    ring_.pop_front();
    signal_waiting();
    return event;
}

int Events::descriptor() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (fd_ < 0) {
        fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd_ < 0) throw system_failure("cannot make an event descriptor", errno);
        signal_waiting();
    }
    return fd_;
}

void Events::set_hook(LogHook hook) {
    const std::lock_guard<std::mutex> hold(mutex_);
    hook_ = hook;
}

LogHook Events::hook() {
    const std::lock_guard<std::mutex> hold(mutex_);
    return hook_;
}

void Events::close() {
    const std::lock_guard<std::mutex> hold(mutex_);
    closed_ = true;
    hook_ = {};
    ring_.clear();
    wake_.notify_all();
}

}  // namespace reprise
