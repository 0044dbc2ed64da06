// Who may open an age file: recipients to write for, identities and passphrases to read with, and the file keys of one job.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace reprise {

constexpr std::size_t kMaxRecipients = 100;
constexpr std::size_t kMaxIdentities = 100;
constexpr std::size_t kMaxKeyFileBytes = 64 * 1024;
constexpr int kScryptWriteLogN = 16, kScryptReadLogN = 18;  // 64 MiB, 256 MiB; crypto/kdf.h has the most

// For whom a file is written: X25519 recipients, or one passphrase, never both (age allows scrypt alone only).
struct AgeRecipients {
    std::vector<std::string> points;  // 32 bytes each
    Secret passphrase;
    bool any() const { return !points.empty() || !passphrase.empty(); }
};

// What a host may open files with, each asked for when a file needs it. Empty functions: there is none.
struct AgeSecrets {
    std::function<std::vector<Secret>()> identities;  // 32 bytes each
    std::function<Secret()> passphrase;
};

// "age1…". Failure{invalid_config, "recipient_invalid"}, which does not repeat it.
std::string parse_recipient(std::string_view text);
// A file as age-keygen writes it: lines "AGE-SECRET-KEY-1…", empty ones, and comments after '#'. Failure{invalid_config,
// "identity_invalid"} naming the line, never its text.
std::vector<Secret> parse_identities(std::string_view text);
std::string recipient_of(std::string_view identity);  // "age1…" of the 32 bytes
Secret identity_text(std::string_view identity);      // "AGE-SECRET-KEY-1…"

// The keys of one job. A secret is asked for when the first file of its kind has to be opened, and not before: a host that
// only backs up needs none, and one that opens by passphrase no identity. File keys are remembered by the header they stand in,
// so that a second reading of a file asks for nothing, and so that the job that wrote a file can read it back without identity.
// Thread-safe.
class AgeKeyring {
public:
    // Each function is called until it once succeeds. Failures come out of the opening that asked.
    explicit AgeKeyring(AgeSecrets secrets = {}, int max_log_n = kScryptReadLogN)
        : secrets_(std::move(secrets)), max_log_n_(max_log_n) {}

    const std::vector<Secret>& identities();
    const Secret& passphrase();  // empty: there is none
    int max_log_n() const { return max_log_n_; }
    void remember(const std::string& header, const Secret& file_key, bool written = false);
    std::optional<Secret> recall(const std::string& header) const;
    void forget_written();  // wipes the keys of the files that this job wrote

private:
    static constexpr std::size_t kMostRemembered = 16;
    struct Remembered {
        std::string header_sha256;
        Secret file_key;
        bool written;
    };

    AgeSecrets secrets_;
    int max_log_n_;
    mutable std::mutex mutex_;
    std::optional<std::vector<Secret>> identities_;
    std::optional<Secret> passphrase_;
    std::vector<Remembered> remembered_;
};

}  // namespace reprise
