#include <pthread.h>

#include <csignal>
#include <cstring>

#include "base/failure.h"
#include "base/leaving.h"
#include "base/thread.h"

namespace reprise {
namespace {
constexpr std::size_t kStackBytes = 1024 * 1024;
}

struct Thread::State {
    std::function<void()> body;
    std::exception_ptr thrown;
    char name[16] = {};
    pthread_t id{};
    bool joinable = false;
};

static void* run(void* argument);

Thread::Thread(const char* name, std::function<void()> body) : state_(std::make_shared<State>()) {
    state_->body = std::move(body);
    std::strncpy(state_->name, name, sizeof state_->name - 1);
    // The new thread inherits the mask: it never sees a signal, so the host's handlers run on the host's threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    auto* argument = new std::shared_ptr<State>(state_);
    const int error = pthread_create(&state_->id, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) {
        delete argument;
        throw Failure(Code::io, "thread_failed", "the system has no thread to give").from(Origin::system, error);
    }
    state_->joinable = true;
}

Thread::~Thread() {
    if (!state_->joinable) return;
    // The last owner of a thread may be what runs on it: that cannot wait for itself, and unjoined its stack would stay.
    if (pthread_equal(state_->id, pthread_self()) != 0)
        pthread_detach(state_->id);
    else
        pthread_join(state_->id, nullptr);
}

void Thread::join() {
    if (!state_->joinable) return;
    pthread_join(state_->id, nullptr);
    state_->joinable = false;
    if (state_->thrown) std::rethrow_exception(state_->thrown);
}

void Thread::detach() {
    if (state_->joinable) pthread_detach(state_->id);
    state_->joinable = false;
}

static void* run(void* argument) {
    auto* held = static_cast<std::shared_ptr<Thread::State>*>(argument);
    const std::shared_ptr<Thread::State> state = std::move(*held);
    delete held;
    const ThreadMark mark;
    pthread_setname_np(pthread_self(), state->name);
    try {
        state->body();
    } catch (...) {
        state->thrown = std::current_exception();
    }
    state->body = nullptr;
    return nullptr;
}

}  // namespace reprise
