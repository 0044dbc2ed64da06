#include "codec/key_set.h"

#include <algorithm>

namespace reprise {

// Of a document with many keys this knows nothing: has_twin() will sort them.
bool KeySet::has(std::size_t first, std::uint32_t hash, std::string_view key) const {
    if (keys_.size() - first > kFewKeys) return false;
    for (std::size_t i = first; i < keys_.size(); ++i)
        if (keys_[i].hash == hash && keys_[i].text() == key) return true;
    return false;
}

bool KeySet::has_twin(std::size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, keys_.end(), [](const Key& a, const Key& b) {
        if (a.hash != b.hash) return a.hash < b.hash;
        return a.text() < b.text();
    });
    return std::adjacent_find(begin, keys_.end(), [](const Key& a, const Key& b) { return a.text() == b.text(); }) !=
           keys_.end();
}

}  // namespace reprise
