#include "stream/packing.h"

namespace reprise {
namespace {

class SealedPacker final : public Sink {
public:
    SealedPacker(Sink& stored, const Packing& packing)
        : seal_(packing.seal_age(stored)), compressor_(make_compressor(*seal_, packing.compression)) {}
    void write(std::string_view bytes) override { compressor_->write(bytes); }
    void finish() override { compressor_->finish(); }

private:
    std::unique_ptr<Sink> seal_, compressor_;
};

}  // namespace

std::string Packing::suffix() const { return std::string(".json") + compression.suffix() + (seal_age ? ".age" : ""); }

std::unique_ptr<Sink> make_packer(Sink& stored, const Packing& packing) {
    if (packing.seal_age) return std::make_unique<SealedPacker>(stored, packing);
    return make_compressor(stored, packing.compression);
}

}  // namespace reprise
