// The content of a stored file, under whatever layers it has. They are told by what the bytes are, never by a name: age (or
// its armor), then gzip or zstd, then the plain text, each at most once.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/cancel.h"
#include "stream/sink.h"

namespace reprise {

enum class Layer { none, age, gzip, zstd };

constexpr std::size_t kLayerHeadBytes = 64;  // enough to tell a layer by
Layer layer_of(std::string_view head);       // by the first bytes of a stream; none: plain, empty or something else

struct LayerOptions {
    const Cancel* cancel = nullptr;  // checked by every read; may be null
    // Opens the age layer of what it is given, which outlives what it returns. Empty: encrypted files are refused.
    std::function<std::unique_ptr<Source>(Source& below)> open_age;
};

class Content final : public Source {
public:
    // Reads the beginning of `stored`, which outlives it. Failure as open_gzip, open_zstd and open_age say; {unsupported,
    // "layer_unsupported"} for an encrypted file without `open_age` and for a layer that stands twice or in another order.
    explicit Content(Source& stored, const LayerOptions& options = {});
    ~Content() override;
    std::size_t read(char* buffer, std::size_t capacity) override;
    bool encrypted() const { return encrypted_; }
    Layer compression() const { return compression_; }  // none, gzip or zstd

private:
    class Peeked;
    bool encrypted_ = false;
    Layer compression_ = Layer::none;
    std::unique_ptr<Peeked> stored_;
    std::unique_ptr<Source> opened_;
    std::unique_ptr<Peeked> clear_;
    std::unique_ptr<Source> unpacked_;
    std::unique_ptr<Peeked> plain_;
};

}  // namespace reprise
