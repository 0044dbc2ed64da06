// What a layer reads from below: a buffer whose last bytes can be given back, the number of bytes taken, and the bound on
// what they may unpack to. Private to the room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "stream/sink.h"

namespace reprise {

class Intake {
public:
    static constexpr std::size_t kBufferBytes = 64 * 1024;
    static constexpr std::size_t kMaxBack = 8;

    // cancel: checked whenever the buffer is filled; may be null. Both outlive it.
    Intake(Source& below, const Cancel* cancel);
    bool more();  // there are bytes: fills the buffer when it is empty; false at the end of what is below
    std::string_view bytes() const { return std::string_view(buffer_).substr(at_, end_ - at_); }
    void take(std::size_t count);
    void give_back(std::size_t count);  // of those taken last, at most kMaxBack
    std::uint64_t taken() const { return taken_; }
    // Counts what came out. Failure{corrupt, "decompression_bomb"} when it is more than kFreeBytes and more than kMaxRatio
    // times what was taken: a file that lets a reader work for hours on nothing. A backup never comes near.
    void gave_out(std::size_t count);

private:
    Source& below_;
    const Cancel* cancel_;
    std::string buffer_;  // the first kMaxBack bytes are the end of the buffer before
    std::size_t at_ = kMaxBack, end_ = kMaxBack;
    std::uint64_t taken_ = 0, given_ = 0;
};

}  // namespace reprise
