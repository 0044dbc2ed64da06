// How a backup is compressed: which algorithm, at which level, and the stage that does it. The stored bytes are one valid
// stream of one gzip member or one zstd frame, so that every program and library reads them. The same content gives the
// same bytes on the same machine, whatever the timing and the number of threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "stream/sink.h"

namespace reprise {

enum class Algorithm { none, gzip, zstd };

// Levels were chosen by measuring (tests/bench/README.md): zstd's 1 is the library's own, its 2 to 15 search in a way that
// suits documents full of ids (zstd_write.cpp); gzip's levels 1 to 3 are ISA-L's where that is built in.
constexpr int kGzipDefaultLevel = 2, kGzipMaxLevel = 9;
constexpr int kZstdDefaultLevel = 2, kZstdMaxLevel = 19;

struct Compression {
    Algorithm algorithm = Algorithm::none;
    int level = 0;  // 1…9 for gzip, 1…19 for zstd

    const char* suffix() const;  // "", ".gz", ".zst": what stands after .json
    std::string text() const;    // "none", "gzip:2", "zstd:2"
};

// "none", "gzip", "zstd", with ":LEVEL" or without. Failure{invalid_config, "key_value_wrong"}: a sentence that begins with
// `what` and says what is allowed; the value itself is not repeated.
Compression parse_compression(std::string_view text, const std::string& what);

// A Sink that compresses (or not) into `inner` on threads of its own, at most kMaxWorkers of them (thread rules of
// base/thread.h) and a bounded number of blocks in flight. A failure of `inner` comes out of the next write() or of finish().
// `inner` outlives it; without finish() it is not finished.
std::unique_ptr<Sink> make_compressor(Sink& inner, const Compression& compression);

}  // namespace reprise
