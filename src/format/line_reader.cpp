#include "format/line_reader.h"

#include <cstring>

#include "base/failure.h"
#include "base/text.h"
#include "codec/bson_to_json.h"

namespace reprise {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

}  // namespace

LineReader::LineReader(Source& source, std::string head) : source_(source), buffer_(std::move(head)) {}

void LineReader::hash_taken() {
    if (hashing_) hash_.update(std::string_view(buffer_).substr(hashed_, taken_ - hashed_));
    hashed_ = taken_;
}

// Called when all is taken.
bool LineReader::fill() {
    hash_taken();
    buffer_.resize(kBufferBytes);
    buffer_.resize(source_.read(buffer_.data(), buffer_.size()));
    taken_ = hashed_ = 0;
    return !buffer_.empty();
}

std::string& LineReader::take() {
    line_.clear();
    for (;;) {
        if (taken_ == buffer_.size() && !fill())
            throw Failure(
                Code::corrupt, "file_truncated",
                "the file ends after line " + std::to_string(number_) + ", before its end: it was cut off; use another backup");
        const char* start = buffer_.data() + taken_;
        const std::size_t rest = buffer_.size() - taken_;
        const auto* newline = static_cast<const char*>(std::memchr(start, '\n', rest));
        const std::size_t size = newline == nullptr ? rest : static_cast<std::size_t>(newline - start);
        if (line_.size() + size > kMaxLineBytes)
            throw Failure(Code::corrupt, "line_too_long", "line " + std::to_string(number_ + 1) + " is over 32 MiB");
        line_.append(start, size);
        taken_ += size;
        if (newline == nullptr) continue;
        ++taken_;
        ++number_;
        return line_;
    }
}

std::string& LineReader::next() { return take(); }

std::string& LineReader::next_unhashed() {
    hash_taken();
    hashing_ = false;
    return take();
}

std::string LineReader::sha256() {
    if (hashing_) hash_taken();
    return to_hex(hash_.finish());
}

bool LineReader::at_end() { return taken_ == buffer_.size() && !fill(); }

}  // namespace reprise
