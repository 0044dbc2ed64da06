#include "format/tail_hash.h"

#include "base/text.h"

namespace reprise {
namespace {

// A last line of format 1 is shorter. What is longer is hashed at once: the hash is then wrong, as it should be.
constexpr std::size_t kMaxTailBytes = 64 * 1024;

}  // namespace

void TailHash::add(std::string_view bytes) {
    all_.update(bytes);
    // The newline that ends the last line begins no other.
    const std::size_t before = bytes.size() < 2 ? std::string_view::npos : bytes.rfind('\n', bytes.size() - 2);
    if (!tail_.empty() && tail_.back() == '\n' && !bytes.empty()) {
        hash_.update(tail_);
        tail_.clear();
    }
    if (before != std::string_view::npos) {
        hash_.update(tail_);
        hash_.update(bytes.substr(0, before + 1));
        tail_.clear();
        bytes.remove_prefix(before + 1);
    }
    tail_ += bytes;
    if (tail_.size() <= kMaxTailBytes) return;
    hash_.update(tail_);
    tail_.clear();
}

std::string TailHash::finish() { return to_hex(hash_.finish()); }

}  // namespace reprise
