// The only way reprise starts a thread: all signals blocked, 1 MiB of stack, a name (at most 15 bytes), exceptions kept.
#pragma once

#include <exception>
#include <functional>
#include <memory>

namespace reprise {

class Thread {
public:
    // Throws Failure{io, "thread_failed"} when the system has none to give.
    Thread(const char* name, std::function<void()> body);
    ~Thread();  // joins; on the thread itself: detaches
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    void join();    // once is enough; then rethrows what the body threw
    void detach();  // the thread goes on by itself; its exceptions are dropped

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace reprise
