// The plain JSON of a backup file as a stream that checks what it gives out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "service/config.h"
#include "stream/sink.h"

namespace reprise {

// One thread at a time. Works on the caller's thread; memory is bounded by what the reader reads ahead.
class CatStream final : public Source {
public:
    CatStream(const Setup& setup, const std::string& file);
    ~CatStream() override;
    // Up to `capacity` bytes; 0 only when the file was whole. A failure is given again by every later call.
    std::size_t read(char* buffer, std::size_t capacity) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
