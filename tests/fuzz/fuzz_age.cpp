// Any bytes as an age file, bare and armored: they are refused with a Failure, or give out no more than went in. A known
// identity opens the seeds, so that mutations get past the header.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/failure.h"
#include "stream/age.h"
#include "stream/age_armor.h"

namespace {

// The identity of the seeds; it protects nothing.
constexpr const char* kIdentity = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
constexpr std::size_t kMostReads = 1000;

class Bytes : public reprise::Source {
public:
    Bytes(const std::uint8_t* data, std::size_t size) : text_(reinterpret_cast<const char*>(data), size) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = text_.copy(buffer, std::min<std::size_t>(capacity, 997), at_);
        at_ += count;
        return count;
    }

private:
    std::string_view text_;
    std::size_t at_ = 0;
};

void drain(reprise::Source& source) {
    char buffer[4096];
    try {
        for (std::size_t reads = 0; source.read(buffer, sizeof buffer) > 0; ++reads)
            if (reads == kMostReads) std::abort();  // more came out than went in
    } catch (const reprise::Failure& failure) {
        if (failure.code == reprise::Code::internal) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Without passphrase: scrypt would take all the time.
    reprise::AgeKeyring ring({[] { return reprise::parse_identities(kIdentity); }, {}});
    Bytes bare(data, size), wrapped(data, size);
    drain(*reprise::make_age_source(bare, ring));
    const auto armor = reprise::make_armor_source(wrapped);
    drain(*reprise::make_age_source(*armor, ring));
    return 0;
}
