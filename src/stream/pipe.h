// Moves a stage onto its own thread behind a bounded pipe. The order of bytes never depends on timing.
#pragma once

#include <memory>

#include "stream/sink.h"

namespace reprise {

// A Sink that hands blocks (kPipeBlockBytes) to `inner` on a thread of its own, at most kPipeBlocks in flight. A failure
// of `inner` comes out of the next write() or of finish(). `inner` outlives it. The thread blocks all signals, has a
// 1 MiB stack and a name (see base/thread.h).
constexpr std::size_t kPipeBlockBytes = 256 * 1024;
constexpr std::size_t kPipeBlocks = 8;
std::unique_ptr<Sink> make_pipe_sink(Sink& inner);

}  // namespace reprise
