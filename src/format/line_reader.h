// Lines of a stream, hashed as they go by. One reused line buffer; memory is bounded by the longest line allowed.
// Private to the room.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/digest.h"
#include "stream/sink.h"

namespace reprise {

class LineReader {
public:
    // `head`: bytes of the source that were read already.
    LineReader(Source& source, std::string head);

    // The next line without its newline; the caller may destroy it. Failure{corrupt, "file_truncated"} when the stream ends
    // before a whole line, {corrupt, "line_too_long"}.
    std::string& next();
    // The same for a line that is not hashed: the last one.
    std::string& next_unhashed();
    std::string sha256();                             // of all lines that next() gave; next() must not follow
    bool at_end();                                    // nothing follows
    std::uint64_t number() const { return number_; }  // of the line that was given last, from 1

private:
    bool fill();
    std::string& take();
    void hash_taken();

    Source& source_;
    std::string buffer_;  // bytes [taken_, buffer_.size()) wait; [hashed_, taken_) are taken, but not yet hashed
    std::size_t taken_ = 0, hashed_ = 0;
    std::string line_;
    Sha256 hash_;
    bool hashing_ = true;
    std::uint64_t number_ = 0;
};

}  // namespace reprise
