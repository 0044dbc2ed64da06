// Built in place of deflate_no_isal.cpp where ISA-L is there.
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <vector>

#include "base/failure.h"
#include "stream/deflate.h"

namespace reprise {
namespace {

constexpr int kMaxIsalLevel = 3;
constexpr std::size_t kStoredBlockBytes = 65535, kStoredOverheadBytes = 5;  // what does not shrink is stored
constexpr std::size_t kSlackBytes = 1024;
constexpr std::size_t kMaxStepBytes = 1 << 30;  // the library counts with 32 bits

std::uint32_t level_bytes(int level) {
    constexpr std::uint32_t sizes[] = {ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                       ISAL_DEF_LVL3_DEFAULT};
    return sizes[level];
}

std::uint8_t* bytes_of(const char* text) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text)); }

class IsalDeflater final : public Deflater {
public:
    explicit IsalDeflater(int level) : level_(level), buffer_(level_bytes(level)), stream_(std::make_unique<isal_zstream>()) {}

    void deflate(std::string_view in, bool last, std::string& out) override {
        const std::size_t before = out.size();
        out.resize(before + in.size() + (in.size() / kStoredBlockBytes + 1) * kStoredOverheadBytes + kSlackBytes);
        isal_zstream& stream = *stream_;
        isal_deflate_stateless_init(&stream);
        stream.level = static_cast<std::uint32_t>(level_);
        stream.level_buf = buffer_.data();
        stream.level_buf_size = static_cast<std::uint32_t>(buffer_.size());
        stream.gzip_flag = IGZIP_DEFLATE;
        stream.flush = last ? NO_FLUSH : FULL_FLUSH;
        stream.end_of_stream = last ? 1 : 0;
        stream.next_in = bytes_of(in.data());
        stream.avail_in = static_cast<std::uint32_t>(in.size());
        stream.next_out = bytes_of(out.data() + before);
        stream.avail_out = static_cast<std::uint32_t>(out.size() - before);
        if (isal_deflate_stateless(&stream) != COMP_OK || stream.avail_in != 0)
            throw Failure(Code::internal, "compression_failed", "ISA-L could not compress a block; please report this");
        out.resize(out.size() - stream.avail_out);
    }

private:
    int level_;
    std::vector<std::uint8_t> buffer_;
    std::unique_ptr<isal_zstream> stream_;  // large: not for a thread's stack
};

class IsalInflater final : public Inflater {
public:
    IsalInflater() : state_(std::make_unique<inflate_state>()) { reset(); }

    void reset() override {
        isal_inflate_init(state_.get());
        state_->crc_flag = ISAL_DEFLATE;
    }

    Outcome inflate(Step& step) override {
        inflate_state& state = *state_;
        const auto given = static_cast<std::uint32_t>(std::min(step.in.size(), kMaxStepBytes));
        const auto room = static_cast<std::uint32_t>(std::min(step.room, kMaxStepBytes));
        state.next_in = bytes_of(step.in.data());
        state.avail_in = given;
        state.next_out = bytes_of(step.out);
        state.avail_out = room;
        const int result = isal_inflate(&state);
        // It reads ahead by whole words. Some versions give back what they did not need, even beyond the start of `in`.
        const std::uint32_t back = state.avail_in > given ? state.avail_in - given : 0;
        step.in.remove_prefix(given + back - state.avail_in);
        step.out += room - state.avail_out;
        step.room -= room - state.avail_out;
        if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT && result != ISAL_OUT_OVERFLOW) return Outcome::damaged;
        if (state.block_state != ISAL_BLOCK_FINISH) return Outcome::more;
        step.unused = back + static_cast<std::size_t>(state.read_in_length) / 8;
        return Outcome::ended;
    }

private:
    std::unique_ptr<inflate_state> state_;
};

}  // namespace

bool has_isal() { return true; }
std::unique_ptr<Inflater> isal_inflater() { return std::make_unique<IsalInflater>(); }

std::unique_ptr<Deflater> isal_deflater(int level) {
    if (level < 1 || level > kMaxIsalLevel) return nullptr;
    return std::make_unique<IsalDeflater>(level);
}

std::uint32_t isal_crc32(std::uint32_t before, std::string_view bytes) {
    return crc32_gzip_refl(before, bytes_of(bytes.data()), bytes.size());
}

}  // namespace reprise
