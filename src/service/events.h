// Log lines and ends of jobs on their way to the host: a bounded ring that counts what it dropped, and the log hook.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "base/context.h"
#include "codec/json.h"

namespace reprise {

struct LogHook {
    void (*call)(void* user, std::int32_t level, const char* message, std::size_t size) = nullptr;
    void* user = nullptr;
};

// Thread-safe. Shared by an engine and its jobs, so that a job which outlives the engine touches nothing freed.
class Events {
public:
    explicit Events(Level least) : least_(least) {}
    ~Events();
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    void log(Level level, std::string_view message);  // also to the hook, outside of every lock
    void push(Json event);
    // The oldest event, or nullopt when wait_ms passed or close() was called.
    std::optional<Json> next(std::int64_t wait_ms);
    int descriptor();  // an eventfd, readable while events wait; made at the first call
    void set_hook(LogHook hook);
    LogHook hook();
    void close();  // nothing comes any more; waiters wake

private:
    void signal_waiting();
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Json> ring_;
    std::int64_t dropped_ = 0;
    Level least_;
    LogHook hook_;
    int fd_ = -1;
    bool signalled_ = false;
    bool closed_ = false;
};

}  // namespace reprise
