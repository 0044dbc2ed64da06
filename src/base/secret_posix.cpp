#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/secret.h"

namespace reprise {

void Secret::map(std::size_t size) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    size_ = size;
    mapped_ = (size + 1 + page - 1) / page * page;
    void* memory = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    ::madvise(memory, mapped_, MADV_DONTDUMP);
    data_ = static_cast<char*>(memory);
}

Secret::Secret(std::string_view text) {
    map(text.size());
    std::memcpy(data_, text.data(), text.size());
}

Secret Secret::zeroed(std::size_t size) {
    Secret made;
    made.map(size);
    return made;
}

void Secret::shrink(std::size_t size) {
    if (size >= size_) return;
    ::explicit_bzero(data_ + size, size_ - size);
    size_ = size;
}

Secret::Secret(const Secret& other) : Secret(other.data_ == nullptr ? Secret() : Secret(other.reveal())) {}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapped_(std::exchange(other.mapped_, 0)) {}

Secret& Secret::operator=(Secret other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(mapped_, other.mapped_);
    return *this;
}

Secret::~Secret() {
    if (data_ == nullptr) return;
    ::explicit_bzero(data_, mapped_);
    ::munmap(data_, mapped_);
}

}  // namespace reprise
