// Zstandard (RFC 8878). Written as one frame with a checksum; read with any number of frames. zstd is included in
// zstd_write.cpp and zstd_read.cpp alone.
#pragma once

#include <memory>

#include "base/cancel.h"
#include "stream/sink.h"

namespace reprise {

// Compresses with the library's own threads and writes to `inner` on the calling thread. They are started by the first write
// that fills a buffer, so they inherit the name and the blocked signals of whoever writes, which is a thread of ours
// (compression.h); their stacks are of the system's default size, since the library lets nobody say another.
// The frame's bytes depend neither on timing nor on the number of threads. level: 1…19, windows of 4 MiB
// at most, which browsers and small readers take. `inner` outlives it.
std::unique_ptr<Sink> make_zstd_sink(Sink& inner, int level);

// The content of all frames that stand in `below` (skippable ones are skipped); 0 only when the last one was whole, its
// checksum, where it has one, right, and nothing follows it. Failure{corrupt, "file_truncated" | "trailing_bytes" |
// "file_damaged" | "decompression_bomb"}, {unsupported, "layer_unsupported"} for a dictionary or a window over 128 MiB, which
// also bounds the memory. `below` and `cancel` (may be null) outlive it.
std::unique_ptr<Source> open_zstd(Source& below, const Cancel* cancel);

}  // namespace reprise
