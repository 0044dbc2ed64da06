// Any bytes: they unpack to the same content, or are refused for the same reason, in whatever pieces they arrive; what is
// no layer goes through as it is. Memory is bounded (libFuzzer's rss_limit).
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/failure.h"
#include "stream/layers.h"

namespace {

using namespace reprise;

constexpr std::size_t kMaxContentBytes = 8 * 1024 * 1024;

struct Pieces : Source {
    Pieces(std::string_view text_, std::size_t piece_) : text(text_), piece(piece_) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = std::min({capacity, piece, text.size()});
        std::copy_n(text.data(), count, buffer);
        text.remove_prefix(count);
        return count;
    }
    std::string_view text;
    std::size_t piece;
};

struct Seen {
    std::string content, reason = "fine";
};

Seen unpack(std::string_view stored, std::size_t piece, std::size_t capacity) {
    Seen seen;
    std::string buffer(capacity, '\0');
    try {
        Pieces pieces(stored, piece);
        Content content(pieces);
        while (const std::size_t count = content.read(buffer.data(), buffer.size())) {
            seen.content.append(buffer, 0, count);
            if (seen.content.size() > kMaxContentBytes) return seen;
        }
    } catch (const Failure& failure) {
        seen.reason = failure.reason;
    }
    return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string stored(reinterpret_cast<const char*>(data), size);
    const Seen whole = unpack(stored, stored.size() + 1, 65536);
    if (whole.content.size() > kMaxContentBytes) return 0;
    const Seen pieces = unpack(stored, 3, 1000);
    if (whole.reason != pieces.reason) std::abort();
    // Of what is refused, more or less may have come out before.
    if (whole.reason == "fine" && whole.content != pieces.content) std::abort();
    if (layer_of(stored) == Layer::none && whole.content != stored) std::abort();
    return 0;
}
