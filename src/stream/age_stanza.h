// The stanzas that we know, X25519 and scrypt: a file key wrapped for somebody. Private to the room.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "base/secret.h"
#include "stream/age_header.h"

namespace reprise {

constexpr std::string_view kX25519Type = "X25519", kScryptType = "scrypt";

// Failure{corrupt, "encryption_invalid"} with what is wrong.
Failure bad_age(const std::string& what);

std::string to_base64_unpadded(std::string_view bytes);
std::optional<std::string> from_base64_unpadded(std::string_view text);  // canonical only

std::vector<AgeStanza> wrap_file_key(const AgeRecipients& recipients, const Secret& file_key);
// Every stanza of a type that we know is checked, whoever it is for; others are skipped.
Secret unwrap_file_key(const std::vector<AgeStanza>& stanzas, AgeKeyring& keyring);

}  // namespace reprise
