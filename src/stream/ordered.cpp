#include "stream/ordered.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.h"

namespace reprise {
namespace {
constexpr unsigned kSpareBlocks = 2;
}

unsigned worker_count() { return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxWorkers); }

struct OrderedBlocks::State {
    using Block = std::unique_ptr<OrderedBlock>;

    explicit State(Plan plan_) : plan(std::move(plan_)) {}
    void hand_over();
    void run();
    Block take(std::uint64_t& number);
    bool wait_for_turn(std::uint64_t number);
    void give_back(Block block);
    void fail();
    void start();

    const Plan plan;
    Block filling = std::make_unique<OrderedBlock>();
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Block> waiting, idle;
    unsigned made = 1;  // blocks that exist
    std::uint64_t taken = 0, turn = 0;
    bool ended = false, stopped = false;
    std::exception_ptr failure;
    std::vector<std::unique_ptr<Thread>> threads;  // last: joined before the rest goes
};

void OrderedBlocks::State::start() {
    for (unsigned i = 0; i < worker_count(); ++i)
        threads.push_back(std::make_unique<Thread>(plan.thread_name, [this] { run(); }));
}

// The full block goes to the workers; an idle or a new one takes its place.
void OrderedBlocks::State::hand_over() {
    if (threads.empty()) start();
    std::unique_lock<std::mutex> hold(mutex);
    const unsigned most = static_cast<unsigned>(threads.size()) + kSpareBlocks;
    wake.wait(hold, [&] { return failure || !idle.empty() || made < most; });
    if (failure) std::rethrow_exception(failure);
    waiting.push_back(std::move(filling));
    if (idle.empty()) {
        filling = std::make_unique<OrderedBlock>();
        ++made;
    } else {
        filling = std::move(idle.front());
        idle.pop_front();
    }
    hold.unlock();
    wake.notify_all();
}

OrderedBlocks::State::Block OrderedBlocks::State::take(std::uint64_t& number) {
    std::unique_lock<std::mutex> hold(mutex);
    wake.wait(hold, [&] { return !waiting.empty() || ended || stopped || failure; });
    if (stopped || failure || waiting.empty()) return nullptr;
    Block block = std::move(waiting.front());
    waiting.pop_front();
    number = taken++;
    return block;
}

// The block whose turn it is is always at work, so this ends.
bool OrderedBlocks::State::wait_for_turn(std::uint64_t number) {
    std::unique_lock<std::mutex> hold(mutex);
    wake.wait(hold, [&] { return turn == number || stopped || failure; });
    return !stopped && !failure;
}

void OrderedBlocks::State::give_back(Block block) {
    block->in.clear();
    const std::lock_guard<std::mutex> hold(mutex);
    ++turn;
    idle.push_back(std::move(block));
    wake.notify_all();
}

void OrderedBlocks::State::fail() {
    const std::lock_guard<std::mutex> hold(mutex);
    if (!failure) failure = std::current_exception();
    wake.notify_all();
}

void OrderedBlocks::State::run() {
    try {
        const Work work = plan.make_work();
        std::uint64_t number = 0;
        while (Block block = take(number)) {
            work(*block);
            if (!wait_for_turn(number)) return;
            plan.deliver(*block);
            give_back(std::move(block));
        }
    } catch (...) {
        fail();
    }
}

OrderedBlocks::OrderedBlocks(Plan plan) : state_(std::make_unique<State>(std::move(plan))) {}

OrderedBlocks::~OrderedBlocks() {
    {
        const std::lock_guard<std::mutex> hold(state_->mutex);
        state_->stopped = true;
    }
    state_->wake.notify_all();
}

void OrderedBlocks::write(std::string_view bytes) {
    State& state = *state_;
    while (!bytes.empty()) {
        std::string& in = state.filling->in;
        if (in.capacity() < state.plan.block_bytes) in.reserve(state.plan.block_bytes);
        if (in.size() == state.plan.block_bytes) {
            state.hand_over();
            continue;
        }
        const std::string_view part = bytes.substr(0, state.plan.block_bytes - in.size());
        in += part;
        bytes.remove_prefix(part.size());
    }
}

void OrderedBlocks::finish() {
    State& state = *state_;
    state.filling->last = true;
    if (state.threads.empty()) {
        state.plan.make_work()(*state.filling);
        state.plan.deliver(*state.filling);
        return;
    }
    state.hand_over();
    {
        const std::lock_guard<std::mutex> hold(state.mutex);
        state.ended = true;
    }
    state.wake.notify_all();
    for (const auto& thread : state.threads) thread->join();
    if (state.failure) std::rethrow_exception(state.failure);
}

}  // namespace reprise
