// Finds a key that a document has twice, for all documents that are open at the moment: one stack, the innermost last.
// No hash table, so nobody can choose keys that make it slow; nothing is allocated once the stack has grown.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

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
    void forget(const Part& part) { keys_.resize(part.first); }
    void clear() { keys_.clear(); }

private:
    struct Key {
        const char* at;
        std::uint32_t size, hash;
        std::string_view text() const { return {at, size}; }
    };
    static std::uint32_t hash_of(std::string_view key);
    bool has_twin(std::size_t first);

    std::vector<Key> keys_;
};

}  // namespace reprise
