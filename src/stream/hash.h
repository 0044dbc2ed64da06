// Digest of a collection: the sum, modulo 2^128, of XXH3-128 (seed 0) over each document's BSON. Independent of order.
// This is the only includer of xxHash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reprise {

class CollectionDigest {
public:
    // sorted: top-level fields are sorted bytewise by key first (time series; "xxh3-128-sorted:").
    explicit CollectionDigest(bool sorted = false) : sorted_(sorted) {}
    void add(std::string_view bson);
    std::string text() const;  // "xxh3-128:" or "xxh3-128-sorted:" and 32 lower-case hex digits
    bool sorted() const { return sorted_; }

private:
    std::uint64_t high_ = 0, low_ = 0;
    bool sorted_;
    std::string scratch_;
};

}  // namespace reprise
