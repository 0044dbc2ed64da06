// Digest of a collection: the sum, modulo 2^128, of XXH3-128 (seed 0) over each document's BSON. Independent of order.
// xxHash is included in hash.cpp alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reprise {

class CollectionDigest {
public:
    // sorted: top-level fields are sorted bytewise by key first (time series; "xxh3-128-sorted:").
    explicit CollectionDigest(bool sorted = false) : sorted_(sorted) {}
    void add(std::string_view bson);  // sorted: Failure{corrupt, "bson_invalid"} when it is not a document
    std::string text() const;         // "xxh3-128:" or "xxh3-128-sorted:" and 32 lower-case hex digits
    bool sorted() const { return sorted_; }

private:
    using Element = std::pair<std::string_view, std::string_view>;  // key; type, key and value as they stand
    std::string_view sorted_form(std::string_view bson);            // of one document; valid until the next call

    std::uint64_t high_ = 0, low_ = 0;
    bool sorted_;
    std::vector<Element> elements_;
    std::string scratch_;
};

}  // namespace reprise
