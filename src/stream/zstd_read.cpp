#include <zstd.h>
#include <zstd_errors.h>

#include <string>

#include "base/failure.h"
#include "stream/intake.h"
#include "stream/layers.h"
#include "stream/zstd.h"

namespace reprise {
namespace {

constexpr int kMaxWindowLog = 27;  // 128 MiB
constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);
constexpr std::size_t kMagicBytes = 4;

struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class ZstdSource final : public Source {
public:
    ZstdSource(Source& below, const Cancel* cancel) : intake_(below, cancel), context_(ZSTD_createDCtx()) {
        if (!context_) throw Failure(Code::out_of_memory, "out_of_memory", "no memory is left to unpack a backup");
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
    }

    std::size_t read(char* buffer, std::size_t capacity) override {
        ZSTD_outBuffer out{buffer, capacity, 0};
        while (out.pos == 0) {
            if (!inside_ && !begin_frame()) return 0;
            const bool fed = intake_.more();
            inside_ = step(out) != 0;
            if (!fed && inside_ && out.pos == 0) throw cut();
        }
        intake_.gave_out(out.pos);
        return out.pos;
    }

private:
    // False at the end, which is one only between frames. The library would wait for four bytes before it looks at one.
    bool begin_frame() {
        if (any_ && !intake_.more()) return false;
        std::string head;
        for (; head.size() < kMagicBytes && intake_.more(); intake_.take(1)) head += intake_.bytes()[0];
        intake_.give_back(head.size());
        if (head.size() < kMagicBytes && kMagic.substr(0, head.size()) == head) throw cut();
        if (layer_of(head) != Layer::zstd) throw trailing();
        any_ = inside_ = true;
        return true;
    }

    std::size_t step(ZSTD_outBuffer& out) {
        const std::string_view bytes = intake_.bytes();
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        const std::size_t left = ZSTD_decompressStream(context_.get(), &out, &in);
        intake_.take(in.pos);
        if (ZSTD_isError(left) != 0) throw failure_of(left);
        return left;
    }

    static Failure cut() {
        return Failure(Code::corrupt, "file_truncated",
                       "the zstd data end before their end: the file was cut off; use another backup");
    }

    Failure trailing() const {
        return Failure(Code::corrupt, "trailing_bytes",
                       "something follows the zstd data at " + place() + " that is no zstd; remove it or use another backup");
    }

    std::string place() const { return "byte " + std::to_string(intake_.taken()); }

    static Failure unsupported(const char* what) {
        return Failure(Code::unsupported, "layer_unsupported",
                       std::string("the file is compressed with zstd and ") + what + "; unpack it first");
    }

    Failure failure_of(std::size_t result) const {
        const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
        switch (code) {
            case ZSTD_error_memory_allocation:
                return Failure(Code::out_of_memory, "out_of_memory", "no memory is left to unpack a backup");
            case ZSTD_error_frameParameter_windowTooLarge: return unsupported("a window of more than 128 MiB");
            case ZSTD_error_dictionary_wrong:
            case ZSTD_error_dictionary_corrupted: return unsupported("a dictionary");
            default: break;
        }
        return Failure(
            Code::corrupt, "file_damaged",
            "the zstd data are damaged near " + place() + " (" + ZSTD_getErrorString(code) + "); use another backup");
    }

    Intake intake_;
    std::unique_ptr<ZSTD_DCtx, Free> context_;
    bool inside_ = false, any_ = false;  // a frame; there was one already
};

}  // namespace

std::unique_ptr<Source> open_zstd(Source& below, const Cancel* cancel) { return std::make_unique<ZstdSource>(below, cancel); }

}  // namespace reprise
