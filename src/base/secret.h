// Text that must not leak (a connection string, a key): wiped when it goes, never printable, kept out of core dumps.
#pragma once

#include <string>
#include <string_view>

namespace reprise {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view text);
    Secret(const Secret& other);
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    // Valid as long as this Secret is; ends with NUL (data()[size()] == 0). Never log or store it.
    std::string_view reveal() const { return {data_ == nullptr ? "" : data_, size_}; }
    bool empty() const { return size_ == 0; }

private:
    char* data_ = nullptr;  // own pages, MADV_DONTDUMP
    std::size_t size_ = 0;
    std::size_t mapped_ = 0;
};

}  // namespace reprise
