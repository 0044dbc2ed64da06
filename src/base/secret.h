// Text that must not leak (a connection string, a key): wiped when it goes, never printable, kept out of core dumps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace reprise {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view text);
    static Secret zeroed(std::size_t size);  // to be filled through data(): nothing passes through other memory
    Secret(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    // Valid as long as this Secret is; ends with NUL (data()[size()] == 0). Never log or store it.
    std::string_view reveal() const { return {data_ == nullptr ? "" : data_, size_}; }
    char* data() { return data_; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    // What follows `size` bytes is wiped and cut off.
    void shrink(std::size_t size);

private:
    void map(std::size_t size);

    char* data_ = nullptr;  // own pages, MADV_DONTDUMP
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;
};

}  // namespace reprise
