#include "base/bytes.h"
#include "stream/deflate.h"
#include "stream/gzip.h"
#include "stream/ordered.h"

namespace reprise {
namespace {

// No name, no time, so that the same content gives the same bytes; 255: no operating system is told.
constexpr std::string_view kHeader("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);

class GzipSink final : public Sink {
public:
    GzipSink(Sink& inner, int level)
        : inner_(inner),
          blocks_({"reprise-gzip", kGzipBlockBytes, [level] { return worker(level); },
                   [this](OrderedBlock& block) { deliver(block); }}) {}

    void write(std::string_view bytes) override { blocks_.write(bytes); }

    void finish() override {
        blocks_.finish();
        std::string trailer;
        append_le(trailer, check_);
        append_le(trailer, static_cast<std::uint32_t>(bytes_));  // modulo 2^32, as the format has it
        inner_.write(trailer);
        inner_.finish();
    }

private:
    static OrderedBlocks::Work worker(int level) {
        std::shared_ptr<Deflater> deflater = make_deflater(level);
        return [deflater](OrderedBlock& block) {
            block.out.clear();
            deflater->deflate(block.in, block.last, block.out);
            block.check = crc32_of(0, block.in);
        };
    }

    void deliver(OrderedBlock& block) {
        if (bytes_ == 0) inner_.write(kHeader);
        inner_.write(block.out);
        check_ = crc32_joined(check_, block.check, block.in.size());
        bytes_ += block.in.size();
    }

    Sink& inner_;
    std::uint32_t check_ = 0;
    std::uint64_t bytes_ = 0;
    OrderedBlocks blocks_;  // last: its threads end before the rest goes
};

}  // namespace

std::unique_ptr<Sink> make_gzip_sink(Sink& inner, int level) { return std::make_unique<GzipSink>(inner, level); }

}  // namespace reprise
