// SHA-256 of everything before the last line, for a reader that does not go by lines. Private to the room.
#pragma once

#include <string>
#include <string_view>

#include "crypto/digest.h"

namespace reprise {

class TailHash {
public:
    void add(std::string_view bytes);
    // After all bytes: the hash (64 hex digits) and the last line, with its newline if there is one.
    std::string finish();
    const std::string& last_line() const { return tail_; }
    std::string whole() const { return all_.peek_hex(); }  // of every byte

private:
    Sha256 hash_, all_;
    std::string tail_;
};

}  // namespace reprise
