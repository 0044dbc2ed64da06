// The end of the process. exit() takes apart what our threads stand on, OpenSSL for one, while those that could not be ended
// still run: they then stop for good before they touch it again. Threads of the host are never held.
#pragma once

#include <cstdint>
#include <utility>

namespace reprise {

// On a thread of ours, once stop_threads was called, this never returns. Stands before every use of OpenSSL and of a socket.
void park_if_leaving();
// Called once, by exit(): every thread of ours stops at its next park_if_leaving. Waits at most wait_ms until each has, or
// blocks in an IdleSpan, or has ended.
void stop_threads(std::int64_t wait_ms);

// For statics: never destroyed, since threads and exit handlers of a host may call us after the end of main().
template <typename T>
T& lasting(T value) {
    return *new T(std::move(value));
}

// A stretch in which the thread does nothing but wait; its end is a park_if_leaving.
class IdleSpan {
public:
    IdleSpan();
    ~IdleSpan();
    IdleSpan(const IdleSpan&) = delete;
    IdleSpan& operator=(const IdleSpan&) = delete;
};

// Held by every thread of ours from its first to its last word.
class ThreadMark {
public:
    ThreadMark();
    ~ThreadMark();
    ThreadMark(const ThreadMark&) = delete;
    ThreadMark& operator=(const ThreadMark&) = delete;
};

}  // namespace reprise
