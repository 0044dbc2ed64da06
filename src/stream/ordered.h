// Cuts a stream into blocks of one size, works on them on several threads, and delivers the results in the order of the
// blocks: what comes out never depends on timing. Private to the room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace reprise {

constexpr unsigned kMaxWorkers = 4;
unsigned worker_count();  // as many as this process has processors, at most kMaxWorkers

struct OrderedBlock {
    std::string in, out;      // `in` is at most block_bytes; `out` is the worker's
    std::uint32_t check = 0;  // the worker's
    bool last = false;        // exactly one is, and it may be empty
};

class OrderedBlocks {
public:
    using Work = std::function<void(OrderedBlock&)>;
    struct Plan {
        const char* thread_name;
        std::size_t block_bytes;
        std::function<Work()> make_work;             // called once per thread, on it: a work's state is never shared
        std::function<void(OrderedBlock&)> deliver;  // one at a time, in order; on whichever thread
    };
    explicit OrderedBlocks(Plan plan);
    ~OrderedBlocks();  // without finish(): what was not delivered is dropped
    // At most worker_count() + 2 blocks are in flight. What work or deliver threw comes out of the next call.
    void write(std::string_view bytes);
    void finish();  // the last block goes through as well; no thread is left. Less than one block in all starts no thread

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
