#include "stream/layers.h"

#include <algorithm>
#include <string>

#include "base/failure.h"
#include "stream/gzip.h"
#include "stream/zstd.h"

namespace reprise {
namespace {

bool starts(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// Frames to skip may come first: 0x184D2A50 to 0x184D2A5F, little-endian.
bool skippable_frame(std::string_view head) {
    return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xF0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
}

Failure refused(const char* what) {
    return Failure(Code::unsupported, "layer_unsupported", std::string("the file is ") + what + "; unpack it first");
}

}  // namespace

Layer layer_of(std::string_view head) {
    if (starts(head, "\x1f\x8b")) return Layer::gzip;
    if (starts(head, "\x28\xb5\x2f\xfd") || skippable_frame(head)) return Layer::zstd;
    if (starts(head, "age-encryption.org/")) return Layer::age;
    const std::size_t text = head.find_first_not_of(" \t\r\n");  // armor may stand after empty lines
    if (text != std::string_view::npos && starts(head.substr(text), "-----BEGIN AGE")) return Layer::age;
    return Layer::none;
}

// A source whose beginning can be looked at.
class Content::Peeked final : public Source {
public:
    explicit Peeked(Source& below) : below_(below), head_(kLayerHeadBytes, '\0') {
        std::size_t size = 0;
        while (size < head_.size()) {
            const std::size_t count = below_.read(head_.data() + size, head_.size() - size);
            if (count == 0) break;
            size += count;
        }
        head_.resize(size);
    }
    std::string_view head() const { return head_; }
    std::size_t read(char* buffer, std::size_t capacity) override {
        if (at_ == head_.size()) return below_.read(buffer, capacity);
        const std::size_t count = std::min(capacity, head_.size() - at_);
        std::copy_n(head_.data() + at_, count, buffer);
        at_ += count;
        return count;
    }

private:
    Source& below_;
    std::string head_;
    std::size_t at_ = 0;
};

Content::Content(Source& stored, const LayerOptions& options) : stored_(std::make_unique<Peeked>(stored)) {
    Peeked* now = stored_.get();
    if (layer_of(now->head()) == Layer::age) {
        if (!options.open_age) throw refused("encrypted with age, which is not opened here");
        encrypted_ = true;
        opened_ = options.open_age(*now);
        clear_ = std::make_unique<Peeked>(*opened_);
        now = clear_.get();
        if (layer_of(now->head()) == Layer::age) throw refused("encrypted twice");
    }
    compression_ = layer_of(now->head());
    if (compression_ == Layer::none) return;
    unpacked_ = compression_ == Layer::gzip ? open_gzip(*now, options.cancel) : open_zstd(*now, options.cancel);
    plain_ = std::make_unique<Peeked>(*unpacked_);
    const Layer inside = layer_of(plain_->head());
    if (inside == Layer::age) throw refused("compressed with an encrypted file inside, and must be encrypted last");
    if (inside != Layer::none) throw refused("compressed twice");
}

Content::~Content() = default;

std::size_t Content::read(char* buffer, std::size_t capacity) {
    if (plain_) return plain_->read(buffer, capacity);
    return clear_ ? clear_->read(buffer, capacity) : stored_->read(buffer, capacity);
}

}  // namespace reprise
