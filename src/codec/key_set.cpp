#include "codec/key_set.h"

#include <algorithm>
#include <cstring>

namespace reprise {
namespace {

constexpr std::size_t kFewKeys = 32;

template <typename T>
std::uint64_t load(const char* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

}  // namespace

// The ends and the length: cheap, and good enough where every match is compared byte by byte.
std::uint32_t KeySet::hash_of(std::string_view key) {
    const char* const at = key.data();
    const std::size_t size = key.size();
    std::uint64_t head = 0, tail = 0;
    if (size >= 8) {
        head = load<std::uint64_t>(at);
        tail = load<std::uint64_t>(at + size - 8);
    } else if (size >= 4) {
        head = load<std::uint32_t>(at);
        tail = load<std::uint32_t>(at + size - 4);
    } else if (size > 0) {
        head = static_cast<unsigned char>(at[0]) | static_cast<std::uint64_t>(static_cast<unsigned char>(at[size / 2])) << 8 |
               static_cast<std::uint64_t>(static_cast<unsigned char>(at[size - 1])) << 16;
    }
    std::uint64_t hash = (head * 0x9E3779B97F4A7C15u) ^ ((tail + size) * 0xC2B2AE3D27D4EB4Fu);
    hash ^= hash >> 29;
    return static_cast<std::uint32_t>((hash * 0x9E3779B97F4A7C15u) >> 32);
}

bool KeySet::add(Part& part, std::string_view key) {
    const std::uint32_t hash = hash_of(key);
    const std::size_t count = keys_.size() - part.first;
    const std::uint64_t bit = std::uint64_t{1} << (hash >> 26);
    if ((part.seen & bit) != 0 && count <= kFewKeys) {
        for (std::size_t i = part.first; i < keys_.size(); ++i)
            if (keys_[i].hash == hash && keys_[i].text() == key) return false;
    }
    part.seen |= bit;
    keys_.push_back({key.data(), static_cast<std::uint32_t>(key.size()), hash});
    return true;
}

bool KeySet::close(const Part& part) {
    const bool twice = keys_.size() - part.first > kFewKeys && has_twin(part.first);
    keys_.resize(part.first);
    return !twice;
}

bool KeySet::has_twin(std::size_t first) {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, keys_.end(), [](const Key& a, const Key& b) {
        if (a.hash != b.hash) return a.hash < b.hash;
        return a.text() < b.text();
    });
    return std::adjacent_find(begin, keys_.end(), [](const Key& a, const Key& b) { return a.text() == b.text(); }) != keys_.end();
}

}  // namespace reprise
