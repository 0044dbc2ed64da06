#include "stream/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "base/bson.h"
#include "base/bytes.h"
#include "base/text.h"

namespace reprise {
namespace {

void append_big_endian(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

}  // namespace

std::string_view CollectionDigest::sorted_form(std::string_view bson) {
    elements_.clear();
    for (const BsonField& field : BsonView(bson)) {
        const char* type = field.key.data() - 1;
        elements_.emplace_back(field.key, std::string_view(type, field.key.size() + 2 + field.value.size()));
    }
    // Equal keys keep their order, so that the form is one and the same for one document.
    const auto by_key = [](const Element& a, const Element& b) { return a.first < b.first; };
    if (std::is_sorted(elements_.begin(), elements_.end(), by_key)) return bson;
    std::stable_sort(elements_.begin(), elements_.end(), by_key);
    scratch_.assign(bson.substr(0, 4));
    for (const Element& element : elements_) scratch_ += element.second;
    scratch_ += '\0';
    return scratch_;
}

void CollectionDigest::add(std::string_view bson) {
    if (sorted_) bson = sorted_form(bson);
    const XXH128_hash_t hash = XXH3_128bits(bson.data(), bson.size());
    low_ += hash.low64;
    high_ += hash.high64 + (low_ < hash.low64 ? 1 : 0);
}

std::string CollectionDigest::text() const {
    std::string bytes;
    append_big_endian(bytes, high_);
    append_big_endian(bytes, low_);
    return (sorted_ ? "xxh3-128-sorted:" : "xxh3-128:") + to_hex(bytes);
}

}  // namespace reprise
