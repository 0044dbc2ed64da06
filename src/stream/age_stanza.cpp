#include "stream/age_stanza.h"

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/x25519.h"

namespace reprise {
namespace {

constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519", kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kWrappedBytes = kFileKeyBytes + kAeadTagBytes, kSaltBytes = 16;
constexpr std::string_view kZeroNonce("\0\0\0\0\0\0\0\0\0\0\0\0", kAeadNonceBytes);  // every wrapping key is used once

std::string seal_file_key(const Secret& wrapping_key, const Secret& file_key) {
    std::string body(kWrappedBytes, '\0');
    Aead(wrapping_key.reveal(), Aead::Way::seal).seal(kZeroNonce, file_key.reveal(), body.data());
    return body;
}

std::optional<Secret> open_file_key(const Secret& wrapping_key, std::string_view body) {
    Secret key = Secret::zeroed(kFileKeyBytes);
    if (!Aead(wrapping_key.reveal(), Aead::Way::open).open(kZeroNonce, body, key.data())) return std::nullopt;
    return key;
}

// The share of X25519, 32 bytes.
std::string check_x25519(const AgeStanza& stanza) {
    if (stanza.arguments.size() != 2) throw bad_age("an X25519 recipient with another number of arguments than one");
    const auto share = from_base64_unpadded(stanza.arguments[1]);
    if (!share || share->size() != kX25519Bytes) throw bad_age("an X25519 recipient whose share is not 32 bytes");
    if (stanza.body.size() != kWrappedBytes) throw bad_age("an X25519 recipient whose key is not 32 bytes");
    return *share;
}

Secret x25519_wrapping_key(const Secret& shared, const std::string& share, const std::string& recipient) {
    return hkdf_sha256(shared.reveal(), share + recipient, kX25519Info);
}

struct ScryptStanza {
    std::string salt;
    int log_n = 0;
};

// A decimal number of one or two digits without sign or leading zero.
int log_n_of(const std::string& text) {
    const bool digits = !text.empty() && text.size() <= 2 && text.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || text[0] == '0') throw bad_age("a passphrase whose cost is no number");
    return std::stoi(text);
}

ScryptStanza check_scrypt(const AgeStanza& stanza) {
    if (stanza.arguments.size() != 3) throw bad_age("a passphrase with another number of arguments than two");
    const auto salt = from_base64_unpadded(stanza.arguments[1]);
    if (!salt || salt->size() != kSaltBytes) throw bad_age("a passphrase whose salt is not 16 bytes");
    if (stanza.body.size() != kWrappedBytes) throw bad_age("a passphrase whose key is not 32 bytes");
    return {*salt, log_n_of(stanza.arguments[2])};
}

void check_cost(int log_n, int most) {
    if (log_n > kScryptMostLogN) throw bad_age("a passphrase whose cost is over " + std::to_string(kScryptMostLogN));
    if (log_n > most)
        throw Failure(Code::refused, "scrypt_too_costly",
                      "the passphrase of this file would cost " + std::to_string(std::int64_t{1} << (log_n - 10)) +
                          " MiB of memory; if that is meant: encryption.scrypt_max_log_n " + std::to_string(log_n));
}

AgeStanza wrap_for_passphrase(const Secret& passphrase, const Secret& file_key) {
    const std::string salt = random_bytes(kSaltBytes);
    const Secret key = scrypt_key(passphrase.reveal(), std::string(kScryptLabel) + salt, kScryptWriteLogN);
    return {{std::string(kScryptType), to_base64_unpadded(salt), std::to_string(kScryptWriteLogN)},
            seal_file_key(key, file_key)};
}

AgeStanza wrap_for_recipient(const std::string& recipient, const Secret& file_key) {
    const Secret ephemeral = x25519_new_key();
    const std::string share = x25519_public(ephemeral.reveal());
    const auto shared = x25519_shared(ephemeral.reveal(), recipient);
    if (!shared) throw Failure(Code::invalid_config, "recipient_invalid", "a recipient is a point of low order: nobody's key");
    return {{std::string(kX25519Type), to_base64_unpadded(share)},
            seal_file_key(x25519_wrapping_key(*shared, share, recipient), file_key)};
}

[[noreturn]] void nothing_to_open_with(const char* with, const char* how) {
    throw Failure(Code::denied, "key_missing",
                  std::string("the file is encrypted ") + with + ", and none is configured here; give " + how);
}

[[noreturn]] void none_fits(const char* what) {
    throw Failure(Code::denied, "key_wrong", std::string("the file is encrypted for somebody else: ") + what);
}

Secret unwrap_scrypt(const AgeStanza& stanza, AgeKeyring& keyring) {
    const ScryptStanza parts = check_scrypt(stanza);
    check_cost(parts.log_n, keyring.max_log_n());
    const Secret& passphrase = keyring.passphrase();
    if (passphrase.empty()) nothing_to_open_with("with a passphrase", "encryption.passphrase_file");
    const Secret key = scrypt_key(passphrase.reveal(), std::string(kScryptLabel) + parts.salt, parts.log_n);
    auto file_key = open_file_key(key, stanza.body);
    if (!file_key) none_fits("the passphrase is another one");
    return std::move(*file_key);
}

std::optional<Secret> try_identity(const Secret& identity, const std::string& share, const std::string& body) {
    const auto shared = x25519_shared(identity.reveal(), share);
    if (!shared) throw bad_age("an X25519 recipient whose share is a point of low order");
    return open_file_key(x25519_wrapping_key(*shared, share, x25519_public(identity.reveal())), body);
}

}  // namespace

Failure bad_age(const std::string& what) {
    return Failure(Code::corrupt, "encryption_invalid", "the header of the encrypted file is not as age writes it: " + what);
}

std::string to_base64_unpadded(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    while (!out.empty() && out.back() == '=') out.pop_back();
    return out;
}

std::optional<std::string> from_base64_unpadded(std::string_view text) {
    if (text.find('=') != std::string_view::npos) return std::nullopt;
    return from_base64(std::string(text) + std::string((4 - text.size() % 4) % 4, '='));
}

std::vector<AgeStanza> wrap_file_key(const AgeRecipients& recipients, const Secret& file_key) {
    std::vector<AgeStanza> stanzas;
    for (const std::string& point : recipients.points) stanzas.push_back(wrap_for_recipient(point, file_key));
    if (stanzas.empty()) stanzas.push_back(wrap_for_passphrase(recipients.passphrase, file_key));
    return stanzas;
}

Secret unwrap_file_key(const std::vector<AgeStanza>& stanzas, AgeKeyring& keyring) {
    if (stanzas[0].arguments[0] == kScryptType) return unwrap_scrypt(stanzas[0], keyring);
    std::vector<std::pair<std::string, const AgeStanza*>> ours;
    for (const AgeStanza& stanza : stanzas)
        if (stanza.arguments[0] == kX25519Type) ours.emplace_back(check_x25519(stanza), &stanza);
    const auto& identities = keyring.identities();
    if (identities.empty()) nothing_to_open_with("for an identity", "encryption.identity_file");
    for (const auto& [share, stanza] : ours)
        for (const Secret& identity : identities)
            if (auto file_key = try_identity(identity, share, stanza->body)) return std::move(*file_key);
    none_fits(ours.empty() ? "only for kinds of recipients that are not known here, such as post-quantum ones"
                           : "none of the identities fits");
}

}  // namespace reprise
