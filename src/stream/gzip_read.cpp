#include "base/bytes.h"
#include "base/failure.h"
#include "stream/deflate.h"
#include "stream/gzip.h"
#include "stream/intake.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxHeaderTextBytes = 64 * 1024;  // of the file name or the comment in a member's header
constexpr std::uint8_t kDeflate = 8;
enum Flag : std::uint8_t { header_check = 2, extra = 4, file_name = 8, comment = 16, reserved = 0xE0 };

class GzipSource final : public Source {
public:
    GzipSource(Source& below, const Cancel* cancel) : intake_(below, cancel), inflater_(make_inflater()) {}

    std::size_t read(char* buffer, std::size_t capacity) override {
        Inflater::Step step{{}, buffer, capacity};
        while (step.room == capacity) {
            if (!inside_ && !begin_member()) return 0;
            inflate(step);
        }
        intake_.gave_out(capacity - step.room);
        return capacity - step.room;
    }

private:
    bool begin_member();
    void inflate(Inflater::Step& step);
    void end_member();
    std::uint8_t next();
    std::uint8_t header_byte();
    std::uint32_t next_word();
    void skip_text();

    Failure damaged(const std::string& what) const {
        return Failure(
            Code::corrupt, "file_damaged",
            "the gzip data are damaged near byte " + std::to_string(intake_.taken()) + " (" + what + "); use another backup");
    }

    Intake intake_;
    std::unique_ptr<Inflater> inflater_;
    bool inside_ = false, any_ = false;  // a member; there was one already
    std::uint32_t check_ = 0;
    std::uint64_t bytes_ = 0;
    std::string header_;  // of the running member, for its own checksum
};

std::uint8_t GzipSource::next() {
    if (!intake_.more())
        throw Failure(Code::corrupt, "file_truncated",
                      "the gzip data end before their end: the file was cut off; use another backup");
    const auto byte = static_cast<std::uint8_t>(intake_.bytes()[0]);
    intake_.take(1);
    return byte;
}

std::uint8_t GzipSource::header_byte() {
    const std::uint8_t byte = next();
    header_ += static_cast<char>(byte);
    return byte;
}

std::uint32_t GzipSource::next_word() {
    char bytes[4];
    for (char& byte : bytes) byte = static_cast<char>(next());
    return load_le<std::uint32_t>(bytes);
}

void GzipSource::skip_text() {
    for (std::size_t count = 0; header_byte() != 0; ++count)
        if (count == kMaxHeaderTextBytes) throw damaged("a name in the header does not end");
}

// False at the end, which is one only between members.
bool GzipSource::begin_member() {
    if (any_ && !intake_.more()) return false;
    header_.clear();
    if (header_byte() != 0x1F || header_byte() != 0x8B) {
        if (!any_) throw damaged("no member begins");
        throw Failure(Code::corrupt, "trailing_bytes",
                      "something follows the gzip data at byte " + std::to_string(intake_.taken() - 1) +
                          " that is no gzip; remove it or use another backup");
    }
    if (header_byte() != kDeflate) throw damaged("an unknown method");
    const std::uint8_t flags = header_byte();
    if ((flags & Flag::reserved) != 0) throw damaged("reserved flags in the header");
    for (int i = 0; i < 6; ++i) header_byte();  // time, hint, operating system
    if ((flags & Flag::extra) != 0) {
        std::size_t size = header_byte();
        size |= static_cast<std::size_t>(header_byte()) << 8;
        for (; size > 0; --size) header_byte();
    }
    if ((flags & Flag::file_name) != 0) skip_text();
    if ((flags & Flag::comment) != 0) skip_text();
    if ((flags & Flag::header_check) != 0) {
        const std::uint32_t wanted = crc32_of(0, header_) & 0xFFFF;
        std::uint32_t stands = next();
        stands |= static_cast<std::uint32_t>(next()) << 8;
        if (stands != wanted) throw damaged("the header's checksum is wrong");
    }
    inflater_->reset();
    inside_ = any_ = true;
    check_ = 0;
    bytes_ = 0;
    return true;
}

void GzipSource::inflate(Inflater::Step& step) {
    const bool fed = intake_.more();
    step.in = intake_.bytes();
    char* const begin = step.out;
    const std::size_t before = step.in.size();
    const auto outcome = inflater_->inflate(step);
    intake_.take(before - step.in.size());
    const auto got = static_cast<std::size_t>(step.out - begin);
    check_ = crc32_of(check_, std::string_view(begin, got));
    bytes_ += got;
    if (outcome == Inflater::Outcome::damaged) throw damaged("a block");
    if (outcome == Inflater::Outcome::ended) {
        intake_.give_back(step.unused);
        end_member();
    } else if (!fed && got == 0) {
        next();  // there is no next: the data were cut off
    }
}

void GzipSource::end_member() {
    inside_ = false;
    if (next_word() != check_) throw damaged("the checksum is wrong");
    if (next_word() != static_cast<std::uint32_t>(bytes_)) throw damaged("the length is wrong");
}

}  // namespace

std::unique_ptr<Source> open_gzip(Source& below, const Cancel* cancel) { return std::make_unique<GzipSource>(below, cancel); }

}  // namespace reprise
