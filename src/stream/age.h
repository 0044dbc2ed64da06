// The age v1 format (C2SP age.md), so that the age program opens our files and the other way round: X25519 recipients,
// passphrases, a payload in chunks of 64 KiB of which each is authenticated before a byte of it is given out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "stream/age_keys.h"
#include "stream/sink.h"

namespace reprise {

constexpr std::size_t kAgeChunkBytes = 64 * 1024;
constexpr std::string_view kAgeMagic = "age-encryption.org/";
constexpr std::string_view kArmorBegin = "-----BEGIN AGE ENCRYPTED FILE-----";

// What is written to it goes to `inner` encrypted for the recipients; finish() finishes `inner`. The file key is new, and
// remembered in `keyring` where one is given. Memory: two chunks; scrypt's own aside. `inner` outlives it.
std::unique_ptr<Sink> make_age_sink(Sink& inner, const AgeRecipients& recipients, AgeKeyring* keyring = nullptr);

// The plain bytes of an age file without armor. `head`: bytes of `inner` that were read already. The header is read, and the
// key asked for, by the first read(). Failure{denied, "key_missing" | "key_wrong"}; {corrupt, "file_truncated"} where a cut
// can be told, {corrupt, "file_damaged"} when a chunk was changed, or cut inside, which look the same; {corrupt,
// "trailing_bytes" | "encryption_invalid" | "encryption_forged"}. A failure is given again by every later call.
std::unique_ptr<Source> make_age_source(Source& inner, AgeKeyring& keyring, std::string head = {});

}  // namespace reprise
