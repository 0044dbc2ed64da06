#include <zstd.h>

#include <algorithm>
#include <iterator>
#include <string>

#include "base/failure.h"
#include "stream/ordered.h"
#include "stream/zstd.h"

namespace reprise {
namespace {

// What is given to the library at once: always whole blocks, so that its cuts never depend on how the caller wrote.
constexpr std::size_t kInBytes = 256 * 1024;
constexpr std::size_t kOutBytes = 256 * 1024;
constexpr int kMaxWindowLog = 22;
constexpr int kWideLevel = 17;  // from here on the library would take windows of 8 MiB
// Memory: from kBroadLevel on the tables of a thread take up to 50 MiB and the library would cut jobs of 16 MiB.
constexpr int kBroadLevel = 9, kHeavyLevel = 13;
constexpr unsigned kBroadWorkers = 2, kHeavyWorkers = 1;
constexpr int kBroadJobBytes = 4 * 1024 * 1024;

// Backups are full of ids: short matches between them cost more bits than they save, so none below 6 bytes is taken, and the
// levels from 2 on look at more than one place before they take any. Both together make a file that is 5 to 10 % smaller
// than at the library's own level of the same speed (tests/bench/README.md). From kOwnUntil on its optimal parser does better.
constexpr int kOwnFrom = 2, kOwnUntil = 16, kMinMatch = 6, kTargetLength = 8;
struct Search {
    int window_log, hash_log, chain_log, search_log;
};
constexpr Search kSearches[] = {{19, 15, 15, 1}, {19, 16, 15, 2}, {19, 17, 16, 3}, {20, 18, 17, 4}};  // of levels 2 to 5

unsigned workers_at(int level) {
    if (level >= kHeavyLevel) return kHeavyWorkers;
    return level >= kBroadLevel ? std::min(worker_count(), kBroadWorkers) : worker_count();
}

struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class ZstdSink final : public Sink {
public:
    ZstdSink(Sink& inner, int level) : inner_(inner), context_(ZSTD_createCCtx()), out_(kOutBytes, '\0') {
        if (!context_) throw Failure(Code::out_of_memory, "out_of_memory", "no memory is left for compression");
        set(ZSTD_c_compressionLevel, level);
        set(ZSTD_c_checksumFlag, 1);
        if (level >= kWideLevel) set(ZSTD_c_windowLog, kMaxWindowLog);
        if (level >= kOwnFrom && level < kOwnUntil) search_our_way(static_cast<std::size_t>(level - kOwnFrom));
        // A library without threads refuses these two, and then compresses on the calling thread.
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(workers_at(level)));
        if (level >= kBroadLevel) ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_jobSize, kBroadJobBytes);
        in_.reserve(kInBytes);
    }

    void write(std::string_view bytes) override {
        while (!bytes.empty()) {
            if (in_.size() == kInBytes) compress(ZSTD_e_continue);
            const std::string_view part = bytes.substr(0, kInBytes - in_.size());
            in_ += part;
            bytes.remove_prefix(part.size());
        }
    }

    void finish() override {
        compress(ZSTD_e_end);
        inner_.finish();
    }

private:
    void search_our_way(std::size_t step) {
        set(ZSTD_c_minMatch, kMinMatch);
        if (step + kOwnFrom < kHeavyLevel) set(ZSTD_c_strategy, ZSTD_lazy2);
        if (step >= std::size(kSearches)) return;
        const Search& search = kSearches[step];
        set(ZSTD_c_targetLength, kTargetLength);
        set(ZSTD_c_windowLog, search.window_log);
        set(ZSTD_c_hashLog, search.hash_log);
        set(ZSTD_c_chainLog, search.chain_log);
        set(ZSTD_c_searchLog, search.search_log);
    }

    void set(ZSTD_cParameter parameter, int value) { check(ZSTD_CCtx_setParameter(context_.get(), parameter, value)); }

    static std::size_t check(std::size_t result) {
        if (ZSTD_isError(result) != 0)
            throw Failure(Code::internal, "compression_failed",
                          std::string("zstd could not compress a block: ") + ZSTD_getErrorName(result));
        return result;
    }

    void compress(ZSTD_EndDirective how) {
        ZSTD_inBuffer in{in_.data(), in_.size(), 0};
        for (bool done = false; !done;) {
            ZSTD_outBuffer out{out_.data(), out_.size(), 0};
            const std::size_t left = check(ZSTD_compressStream2(context_.get(), &out, &in, how));
            if (out.pos > 0) inner_.write(std::string_view(out_).substr(0, out.pos));
            done = how == ZSTD_e_end ? left == 0 : in.pos == in.size;
        }
        in_.clear();
    }

    Sink& inner_;
    std::unique_ptr<ZSTD_CCtx, Free> context_;
    std::string in_, out_;
};

}  // namespace

std::unique_ptr<Sink> make_zstd_sink(Sink& inner, int level) { return std::make_unique<ZstdSink>(inner, level); }

}  // namespace reprise
