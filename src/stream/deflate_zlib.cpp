#include <zlib.h>

#include <climits>

#include "base/failure.h"
#include "stream/deflate.h"

namespace reprise {
namespace {

constexpr int kRaw = -MAX_WBITS;
constexpr int kMemoryLevel = 8;
constexpr std::size_t kFlushBytes = 64;  // beyond deflateBound, for the marker of a flush

Failure out_of_memory() { return Failure(Code::out_of_memory, "out_of_memory", "no memory is left for compression"); }

Bytef* bytes_of(const char* text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text)); }

class ZlibDeflater final : public Deflater {
public:
    explicit ZlibDeflater(int level) {
        if (deflateInit2(&stream_, level, Z_DEFLATED, kRaw, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) throw out_of_memory();
    }
    ~ZlibDeflater() override { deflateEnd(&stream_); }
    ZlibDeflater(const ZlibDeflater&) = delete;
    ZlibDeflater& operator=(const ZlibDeflater&) = delete;

    void deflate(std::string_view in, bool last, std::string& out) override {
        deflateReset(&stream_);
        const std::size_t before = out.size();
        out.resize(before + deflateBound(&stream_, static_cast<uLong>(in.size())) + kFlushBytes);
        stream_.next_in = bytes_of(in.data());
        stream_.avail_in = static_cast<uInt>(in.size());
        stream_.next_out = bytes_of(out.data() + before);
        stream_.avail_out = static_cast<uInt>(out.size() - before);
        const int result = ::deflate(&stream_, last ? Z_FINISH : Z_FULL_FLUSH);
        if (result != (last ? Z_STREAM_END : Z_OK) || stream_.avail_in != 0 || stream_.avail_out == 0)
            throw Failure(Code::internal, "compression_failed", "zlib could not compress a block; please report this");
        out.resize(out.size() - stream_.avail_out);
    }

private:
    z_stream stream_{};
};

class ZlibInflater final : public Inflater {
public:
    ZlibInflater() {
        if (inflateInit2(&stream_, kRaw) != Z_OK) throw out_of_memory();
    }
    ~ZlibInflater() override { inflateEnd(&stream_); }
    ZlibInflater(const ZlibInflater&) = delete;
    ZlibInflater& operator=(const ZlibInflater&) = delete;

    void reset() override { inflateReset(&stream_); }

    Outcome inflate(Step& step) override {
        const std::size_t given = std::min<std::size_t>(step.in.size(), UINT_MAX);
        const std::size_t room = std::min<std::size_t>(step.room, UINT_MAX);
        stream_.next_in = bytes_of(step.in.data());
        stream_.avail_in = static_cast<uInt>(given);
        stream_.next_out = bytes_of(step.out);
        stream_.avail_out = static_cast<uInt>(room);
        const int result = ::inflate(&stream_, Z_NO_FLUSH);
        step.in.remove_prefix(given - stream_.avail_in);
        step.out += room - stream_.avail_out;
        step.room -= room - stream_.avail_out;
        if (result == Z_STREAM_END) return Outcome::ended;
        if (result == Z_MEM_ERROR) throw out_of_memory();
        return result == Z_OK || result == Z_BUF_ERROR ? Outcome::more : Outcome::damaged;
    }

private:
    z_stream stream_{};
};

}  // namespace

std::unique_ptr<Deflater> zlib_deflater(int level) { return std::make_unique<ZlibDeflater>(level); }
std::unique_ptr<Inflater> zlib_inflater() { return std::make_unique<ZlibInflater>(); }

std::unique_ptr<Deflater> make_deflater(int level) {
    auto fast = isal_deflater(level);
    return fast ? std::move(fast) : zlib_deflater(level);
}

std::unique_ptr<Inflater> make_inflater() { return has_isal() ? isal_inflater() : zlib_inflater(); }

std::uint32_t crc32_of(std::uint32_t before, std::string_view bytes) {
    if (has_isal()) return isal_crc32(before, bytes);
    return static_cast<std::uint32_t>(crc32_z(before, bytes_of(bytes.data()), bytes.size()));
}

std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
    return static_cast<std::uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(second_bytes)));
}

}  // namespace reprise
