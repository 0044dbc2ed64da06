#include "stream/age_armor.h"

#include <algorithm>
#include <utility>

#include "base/failure.h"
#include "base/text.h"
#include "stream/age.h"

namespace reprise {
namespace {

constexpr std::string_view kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kMaxBlankBytes = 1024;  // before and after
constexpr std::string_view kBlank = " \t\r\n";

class ArmorSource : public Source {
public:
    ArmorSource(Source& inner, std::string head) : inner_(inner), buffer_(std::move(head)) {}

    std::size_t read(char* buffer, std::size_t capacity) override {
        if (!begun_) begin();
        while (given_ == plain_.size() && !ended_) decode_line();
        const std::size_t count = plain_.copy(buffer, capacity, given_);
        given_ += count;
        return count;
    }

private:
    bool fill() {
        if (taken_ == buffer_.size()) {
            buffer_.clear();
            taken_ = 0;
        }
        const std::size_t had = buffer_.size();
        buffer_.resize(had + kReadBytes);
        const std::size_t got = inner_.read(buffer_.data() + had, kReadBytes);
        buffer_.resize(had + got);
        return got > 0;
    }

    Failure bad(const std::string& what) const {
        return Failure(Code::corrupt, "armor_invalid", "line " + std::to_string(line_) + " of the armored file: " + what);
    }

    static Failure cut_off() {
        return Failure(Code::corrupt, "file_truncated", "the armored file ends without its last line: it was cut off");
    }

    // Without its end, "\n" or "\r\n", which the last line of a file need not have. Valid until the next call.
    std::string_view next_line() {
        ++line_;
        std::size_t end;
        while ((end = buffer_.find('\n', taken_)) == std::string::npos) {
            if (buffer_.size() - taken_ > kColumns + 1) throw bad("a line is longer than 64 columns");
            if (taken_ > 0) buffer_.erase(0, std::exchange(taken_, 0));
            if (fill()) continue;
            if (buffer_.empty()) throw cut_off();
            end = buffer_.size();
            unended_ = true;
            break;
        }
        std::string_view line = std::string_view(buffer_).substr(taken_, end - taken_);
        taken_ = std::min(end + 1, buffer_.size());
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return line;
    }

    void begin() {
        begun_ = true;
        for (std::size_t blank; (blank = buffer_.find_first_not_of(kBlank, taken_)) == std::string::npos;) {
            if (buffer_.size() > kMaxBlankBytes) throw bad("over 1024 blanks before it begins");
            if (!fill()) throw bad("it does not begin");
        }
        taken_ = buffer_.find_first_not_of(kBlank, taken_);
        if (taken_ > kMaxBlankBytes) throw bad("over 1024 blanks before it begins");
        if (next_line() != kArmorBegin) throw bad("it does not begin as armor does");
    }

    void decode_line() {
        const std::string_view line = next_line();
        if (line == kEnd) return end();
        if (unended_) throw cut_off();
        if (short_line_) throw bad("a line is shorter than 64 columns and not the last");
        const auto bytes = line.empty() || line.size() > kColumns ? std::nullopt : from_base64(line);
        if (!bytes) throw bad("not canonical base64 in lines of 64 columns");
        short_line_ = line.size() < kColumns;
        plain_ = *bytes;
        given_ = 0;
    }

    void end() {
        ended_ = true;
        std::size_t blanks = 0;
        do {
            for (; taken_ < buffer_.size(); ++taken_, ++blanks)
                if (kBlank.find(buffer_[taken_]) == std::string_view::npos || blanks == kMaxBlankBytes)
                    throw Failure(Code::corrupt, "trailing_bytes", "something follows the end of the armored file");
        } while (fill());
    }

    Source& inner_;
    std::string buffer_, plain_;
    std::size_t taken_ = 0, given_ = 0;
    std::size_t line_ = 0;
    bool begun_ = false, ended_ = false, short_line_ = false, unended_ = false;
};

}  // namespace

std::unique_ptr<Source> make_armor_source(Source& inner, std::string head) {
    return std::make_unique<ArmorSource>(inner, std::move(head));
}

}  // namespace reprise
