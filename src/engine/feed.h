// Reads collections on a thread and a client of its own and hands their documents over in blocks, in order, so that the
// server, the encoder and the disk work at the same time. Memory: kFeedBytes, and at most three documents more.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/place.h"
#include "mongo/catalog.h"
#include "mongo/cursor.h"

namespace reprise {

constexpr std::size_t kFeedBlockBytes = 512 * 1024;  // a larger document makes a block of its own
constexpr std::size_t kFeedBytes = 8 * kFeedBlockBytes;   // that wait to be taken

struct FeedBlock {
    enum class What { begin, documents, end };
    What what = What::begin;
    std::size_t index = 0;   // of the collection
    std::string documents;   // BSON documents, one after the other
};

// What the servers' replies proved of the cut, known once everything was read.
struct Cut {
    bool one = false;                 // every reply named the same time
    std::optional<ClusterTime> time;  // set when one
    std::string why_not;              // a sentence when it was asked for and not had; empty: the server never offers it
};

struct FeedOptions {
    bool snapshot = true;           // ask for one cut
    bool require_snapshot = false;  // Failure{unavailable, "snapshot_unavailable"} instead of a fall to per collection
};

class Feed {
public:
    // `collections` and the context outlive it.
    Feed(const Place& place, const std::vector<CollectionInfo>& collections, FeedOptions options, const Context& context);
    ~Feed();  // stops the thread, also in the middle of a blocked read
    // The next block; false after the last. Throws what the reading thread threw: Failure as Cursor, or
    // {unavailable, "snapshot_lost"} when the cut ended in the middle of a collection (read everything again without).
    bool next(FeedBlock& block);
    const Cut& cut() const;  // after next() returned false

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
