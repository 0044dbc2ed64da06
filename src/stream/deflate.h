// Raw deflate, whole blocks out and streams in, by the fastest library that was there at build time: ISA-L (deflate_isal.cpp)
// where it is, zlib (deflate_zlib.cpp) for what it does not do and where it is not. Private to the room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reprise {

class Deflater {
public:
    virtual ~Deflater() = default;
    // Appends `in` to `out`, compressed without regard to what came before. Ends on a whole byte, so that the next block
    // may follow; `last` ends the stream. Failure{internal, "compression_failed"}.
    virtual void deflate(std::string_view in, bool last, std::string& out) = 0;
};

class Inflater {
public:
    enum class Outcome { more, ended, damaged };
    struct Step {
        std::string_view in;  // shrinks by what was taken
        char* out;
        std::size_t room;        // shrinks by what was written
        std::size_t unused = 0;  // after `ended`: of the bytes taken, these last ones (at most kMaxUnused) are not the stream's
    };
    static constexpr std::size_t kMaxUnused = 8;

    virtual ~Inflater() = default;
    virtual void reset() = 0;  // for the next stream
    virtual Outcome inflate(Step& step) = 0;
};

std::unique_ptr<Deflater> make_deflater(int level);  // 1…9
std::unique_ptr<Inflater> make_inflater();
std::uint32_t crc32_of(std::uint32_t before, std::string_view bytes);
std::uint32_t crc32_joined(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

// The two libraries by name, for the tests and the benches. ISA-L: nullptr when it was not built in, or above its levels.
std::unique_ptr<Deflater> zlib_deflater(int level);
std::unique_ptr<Inflater> zlib_inflater();
std::unique_ptr<Deflater> isal_deflater(int level);
std::unique_ptr<Inflater> isal_inflater();
bool has_isal();
std::uint32_t isal_crc32(std::uint32_t before, std::string_view bytes);  // only when it was built in

}  // namespace reprise
