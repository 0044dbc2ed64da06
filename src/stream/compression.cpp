#include "stream/compression.h"

#include "base/failure.h"
#include "stream/gzip.h"
#include "stream/pipe.h"
#include "stream/zstd.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxLevelDigits = 2;

// zstd's own stage writes where it is called: the pipe moves it off the thread that encodes.
class ZstdOnThread final : public Sink {
public:
    ZstdOnThread(Sink& inner, int level) : zstd_(make_zstd_sink(inner, level)), pipe_(make_pipe_sink(*zstd_)) {}
    void write(std::string_view bytes) override { pipe_->write(bytes); }
    void finish() override { pipe_->finish(); }

private:
    std::unique_ptr<Sink> zstd_, pipe_;
};

// The level after the colon; 0 when it is none.
int level_of(std::string_view digits) {
    if (digits.empty() || digits.size() > kMaxLevelDigits) return 0;
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return 0;
    int level = 0;
    for (const char digit : digits) level = level * 10 + (digit - '0');
    return level;
}

}  // namespace

const char* Compression::suffix() const {
    switch (algorithm) {
        case Algorithm::none: return "";
        case Algorithm::gzip: return ".gz";
        case Algorithm::zstd: return ".zst";
    }
    return "";
}

std::string Compression::text() const {
    if (algorithm == Algorithm::none) return "none";
    return (algorithm == Algorithm::gzip ? "gzip:" : "zstd:") + std::to_string(level);
}

Compression parse_compression(std::string_view text, const std::string& what) {
    const std::size_t colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    const bool gzip = word == "gzip", zstd = word == "zstd";
    const bool plain = colon == std::string_view::npos;
    if (word == "none" && plain) return {};
    if (gzip || zstd) {
        const int highest = gzip ? kGzipMaxLevel : kZstdMaxLevel;
        const int level = plain ? (gzip ? kGzipDefaultLevel : kZstdDefaultLevel) : level_of(text.substr(colon + 1));
        if (level >= 1 && level <= highest) return {gzip ? Algorithm::gzip : Algorithm::zstd, level};
        throw Failure(Code::invalid_config, "key_value_wrong",
                      what + ": the level of " + std::string(word) + " is a whole number from 1 to " + std::to_string(highest) +
                          ", as in \"" + std::string(word) + ":3\"");
    }
    throw Failure(Code::invalid_config, "key_value_wrong",
                  what + R"( must be "none", "gzip" or "zstd", with a level as in "zstd:3" or without)");
}

std::unique_ptr<Sink> make_compressor(Sink& inner, const Compression& compression) {
    switch (compression.algorithm) {
        case Algorithm::none: break;
        case Algorithm::gzip: return make_gzip_sink(inner, compression.level);
        case Algorithm::zstd: return std::make_unique<ZstdOnThread>(inner, compression.level);
    }
    return make_pipe_sink(inner);
}

}  // namespace reprise
