// A growing buffer that is written through a pointer, so that the inner loops need no size checks but one per field.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace reprise {

class TextBuffer {
public:
    TextBuffer() : data_(new char[kFirstBytes]), limit_(data_.get() + kFirstBytes) {}

    char* begin() const { return data_.get(); }
    // `at`, or where it has moved to, with room for `bytes` more.
    char* ensure(char* at, std::size_t bytes) {
        if (static_cast<std::size_t>(limit_ - at) >= bytes) return at;
        return grow(at, bytes);
    }

private:
    static constexpr std::size_t kFirstBytes = 64 * 1024;

    char* grow(char* at, std::size_t bytes) {
        const auto used = static_cast<std::size_t>(at - data_.get());
        const std::size_t capacity = (used + bytes) + (used + bytes) / 2;
        std::unique_ptr<char[]> larger(new char[capacity]);
        std::memcpy(larger.get(), data_.get(), used);
        data_ = std::move(larger);
        limit_ = data_.get() + capacity;
        return data_.get() + used;
    }

    std::unique_ptr<char[]> data_;
    char* limit_;
};

inline char* put_bytes(char* at, std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    return at + text.size();
}

}  // namespace reprise
