// Finds a key that a document has twice, for all documents that are open at the moment: one stack, the innermost last.
// No hash table, so nobody can choose keys that make it slow; nothing is allocated once the stack has grown.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace reprise {

class KeySet {
public:
    // One open document's part of the stack.
    struct Part {
        std::size_t first = 0;
        std::uint64_t seen = 0;  // one bit for each sixth of the hashes, so that most keys need no look at the others
    };

    Part open() const { return {keys_.size(), 0}; }
    // False when `key` is already there. Of a document with many keys only close() tells. The keys must stay where they are.
    bool add(Part& part, std::string_view key);
    bool close(const Part& part);  // false when there is a key twice
    void forget(const Part& part) { keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(part.first), keys_.end()); }
    void clear() { keys_.clear(); }

private:
    struct Key {
        // Made in place: moved there, three small stores would be read back as one large value, and wait.
        Key(std::string_view key, std::uint32_t hash_)
            : at(key.data()), size(static_cast<std::uint32_t>(key.size())), hash(hash_) {}
        const char* at;
        std::uint32_t size, hash;
        std::string_view text() const { return {at, size}; }
    };
    static constexpr std::size_t kFewKeys = 32;

    static std::uint32_t hash_of(std::string_view key);
    bool has(std::size_t first, std::uint32_t hash, std::string_view key) const;
    bool has_twin(std::size_t first);

    std::vector<Key> keys_;
};

// The ends and the length: cheap, and good enough where every match is compared byte by byte.
inline std::uint32_t KeySet::hash_of(std::string_view key) {
    const char* const at = key.data();
    const std::size_t size = key.size();
    std::uint64_t head = 0, tail = 0;
    if (size >= 8) {
        head = load_le<std::uint64_t>(at);
        tail = load_le<std::uint64_t>(at + size - 8);
    } else if (size >= 4) {
        head = load_le<std::uint32_t>(at);
        tail = load_le<std::uint32_t>(at + size - 4);
    } else if (size > 0) {
        const auto byte = [at](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])); };
        head = byte(0) | byte(size / 2) << 8 | byte(size - 1) << 16;
    }
    const std::uint64_t hash = ((head ^ size) * 0x9E3779B97F4A7C15u) + (tail * 0xC2B2AE3D27D4EB4Fu);
    return static_cast<std::uint32_t>((hash ^ hash >> 29) >> 20);
}

inline bool KeySet::add(Part& part, std::string_view key) {
    const std::uint32_t hash = hash_of(key);
    const std::uint64_t bit = std::uint64_t{1} << (hash >> 26);
    if ((part.seen & bit) != 0 && has(part.first, hash, key)) return false;
    part.seen |= bit;
    keys_.emplace_back(key, hash);
    return true;
}

inline bool KeySet::close(const Part& part) {
    const bool twice = keys_.size() - part.first > kFewKeys && has_twin(part.first);
    forget(part);
    return !twice;
}

}  // namespace reprise
