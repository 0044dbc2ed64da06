// The head of an age file (C2SP age.md): version, stanzas, MAC. Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "stream/age_keys.h"
#include "stream/sink.h"

namespace reprise {

constexpr std::size_t kMaxAgeHeaderBytes = 64 * 1024;
constexpr std::size_t kMaxAgeStanzas = 128;
constexpr std::size_t kFileKeyBytes = 16;

struct AgeStanza {
    std::vector<std::string> arguments;  // the first is the type
    std::string body;
};

struct AgeHeader {
    std::vector<AgeStanza> stanzas;
    std::string text;  // as received, through "---": what the MAC is over
    std::string mac;
};

// Reads through the header's last newline and leaves what it read beyond in `rest`. Failure{corrupt, "file_truncated" |
// "encryption_invalid"}, {unsupported, "encryption_unknown"} for another version of age.
AgeHeader read_age_header(Source& source, std::string& rest);
// The file key, with the MAC checked. Failure{denied, "key_missing" | "key_wrong"}, {corrupt, "encryption_invalid" |
// "encryption_forged"}, {refused, "scrypt_too_costly"}.
Secret open_age_header(const AgeHeader& header, AgeKeyring& keyring);
// A whole header for a file key, through its last newline.
std::string make_age_header(const AgeRecipients& recipients, const Secret& file_key);
// The part of it that a keyring remembers a file key by.
std::string mac_covers(std::string_view whole_header);

}  // namespace reprise
