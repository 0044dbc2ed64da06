// Inserts on a thread and client of its own while the caller decodes: batches behind a bounded queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/context.h"
#include "engine/place.h"

namespace reprise {

struct FillTarget {
    std::string staging;     // where it goes
    std::string name;        // what messages call it
    bool validator = false;  // documents may fail validation: then small batches, bypassed only for those that fail
};

class Filler {
public:
    // `check` is called on the filler's thread before every batch. Everything given outlives this.
    Filler(const Place& place, const Context& context, std::function<void()> check);
    ~Filler();

    void begin(const FillTarget& target);  // documents that follow go there
    void add(std::string_view document);   // copies it; blocks while the queue is full; throws what the thread threw
    void finish();                         // waits until everything is in; once
    // Documents that were inserted with validation bypassed.
    std::int64_t bypassed() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
