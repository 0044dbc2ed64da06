#include "stream/intake.h"

#include <cstring>

#include "base/failure.h"

namespace reprise {
namespace {

constexpr std::uint64_t kFreeBytes = 16ULL * 1024 * 1024 * 1024;
constexpr std::uint64_t kMaxRatio = 2000;  // gzip cannot exceed 1032

}  // namespace

Intake::Intake(Source& below, const Cancel* cancel) : below_(below), cancel_(cancel), buffer_(kMaxBack + kBufferBytes, '\0') {}

bool Intake::more() {
    if (at_ != end_) return true;
    if (cancel_ != nullptr) cancel_->check();
    std::memmove(buffer_.data(), buffer_.data() + end_ - kMaxBack, kMaxBack);
    at_ = kMaxBack;
    end_ = kMaxBack + below_.read(buffer_.data() + kMaxBack, kBufferBytes);
    return at_ != end_;
}

void Intake::take(std::size_t count) {
    at_ += count;
    taken_ += count;
}

void Intake::give_back(std::size_t count) {
    at_ -= count;
    taken_ -= count;
}

void Intake::gave_out(std::size_t count) {
    given_ += count;
    if (given_ <= kFreeBytes || given_ / kMaxRatio <= taken_) return;
    throw Failure(Code::corrupt, "decompression_bomb",
                  "it unpacks to more than " + std::to_string(kMaxRatio) + " times its size: no backup does; use another file");
}

}  // namespace reprise
