// gzip (RFC 1952). Written as one member of independent deflate blocks that are compressed in parallel; read with any number
// of members, by ISA-L where it is built in, else zlib. zlib is included in deflate_zlib.cpp alone, ISA-L in deflate_isal.cpp.
#pragma once

#include <memory>

#include "base/cancel.h"
#include "stream/sink.h"

namespace reprise {

constexpr std::size_t kGzipBlockBytes = 1024 * 1024;

// Compresses on threads of its own (ordered.h) and writes to `inner` from them, in order. level: 1…9. `inner` outlives it.
std::unique_ptr<Sink> make_gzip_sink(Sink& inner, int level);

// The content of all members that stand in `below`; 0 only when the last one's checksum was right and nothing follows it.
// Failure{corrupt, "file_truncated" | "trailing_bytes" | "file_damaged" | "decompression_bomb"}. Memory is fixed.
// `below` and `cancel` (may be null) outlive it.
std::unique_ptr<Source> open_gzip(Source& below, const Cancel* cancel);

}  // namespace reprise
