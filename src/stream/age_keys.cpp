#include "stream/age_keys.h"

#include <algorithm>

#include "base/failure.h"
#include "crypto/bech32.h"
#include "crypto/digest.h"
#include "crypto/x25519.h"

namespace reprise {
namespace {

constexpr std::string_view kRecipientPrefix = "age", kIdentityPrefix = "AGE-SECRET-KEY-",
                           kSmallIdentityPrefix = "age-secret-key-", kPostQuantumStart = "AGE-SECRET-KEY-PQ-1";

Failure bad_identity(std::size_t number, std::string_view line) {
    const bool post_quantum = line.substr(0, kPostQuantumStart.size()) == kPostQuantumStart;
    return Failure(Code::invalid_config, "identity_invalid",
                   "line " + std::to_string(number) + " of the identities is " +
                       (post_quantum ? "a post-quantum identity, which is not known here; use one of X25519 (AGE-SECRET-KEY-1…)"
                                     : "no X25519 identity of age (AGE-SECRET-KEY-1…)"));
}

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    return line;
}

}  // namespace

std::string parse_recipient(std::string_view text) {
    const auto decoded = bech32_decode(text);
    if (!decoded || decoded->prefix != kRecipientPrefix || decoded->bytes.size() != kX25519Bytes)
        throw Failure(Code::invalid_config, "recipient_invalid",
                      "a recipient is no X25519 recipient of age (age1…, 62 characters); keygen prints one");
    return std::string(decoded->bytes.reveal());
}

std::vector<Secret> parse_identities(std::string_view text) {
    std::vector<Secret> found;
    if (text.size() > kMaxKeyFileBytes)
        throw Failure(Code::invalid_config, "identity_invalid", "the identities are longer than 64 KiB");
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view one = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.empty() || one.front() == '#') continue;
        auto decoded = bech32_decode(one);
        if (!decoded || decoded->prefix != kIdentityPrefix || decoded->bytes.size() != kX25519Bytes)
            throw bad_identity(line, one);
        if (found.size() == kMaxIdentities)
            throw Failure(Code::invalid_config, "identity_invalid",
                          "more than " + std::to_string(kMaxIdentities) + " identities");
        found.push_back(std::move(decoded->bytes));
    }
    if (found.empty()) throw Failure(Code::invalid_config, "identity_invalid", "there is no identity among the identities");
    return found;
}

std::string recipient_of(std::string_view identity) {
    return std::string(bech32_encode(kRecipientPrefix, x25519_public(identity)).reveal());
}

Secret identity_text(std::string_view identity) {
    Secret text = bech32_encode(kSmallIdentityPrefix, identity);
    for (std::size_t i = 0; i < text.size(); ++i) {
        char& c = text.data()[i];
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

const std::vector<Secret>& AgeKeyring::identities() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!identities_) identities_ = secrets_.identities ? secrets_.identities() : std::vector<Secret>();
    return *identities_;
}

const Secret& AgeKeyring::passphrase() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!passphrase_) passphrase_ = secrets_.passphrase ? secrets_.passphrase() : Secret();
    return *passphrase_;
}

void AgeKeyring::remember(const std::string& header, const Secret& file_key, bool written) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (remembered_.size() == kMostRemembered) remembered_.erase(remembered_.begin());
    remembered_.push_back({sha256_hex(header), file_key, written});
}

std::optional<Secret> AgeKeyring::recall(const std::string& header) const {
    const std::string sha256 = sha256_hex(header);
    const std::lock_guard<std::mutex> hold(mutex_);
    for (const Remembered& one : remembered_)
        if (one.header_sha256 == sha256) return one.file_key;
    return std::nullopt;
}

void AgeKeyring::forget_written() {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto is_written = [](const Remembered& one) { return one.written; };
    remembered_.erase(std::remove_if(remembered_.begin(), remembered_.end(), is_written), remembered_.end());
}

}  // namespace reprise
