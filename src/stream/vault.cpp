#include "stream/vault.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "stream/age.h"
#include "stream/age_armor.h"

namespace reprise {
namespace {

constexpr const char* kAlgorithm = "ed25519";

// What is signed: a sentence of its own, so that a signature made for something else never fits.
std::string signed_text(const std::string& sha256) {
    const auto raw = from_hex(sha256);
    return std::string("reprise signature 1\0", 20) + raw.value_or(std::string());
}

Failure unsigned_by_us(const char* reason, const char* what) {
    return Failure(Code::refused, reason,
                   std::string(what) + ", so nothing proves who wrote it; if a person is sure of it: accept_unsigned");
}

// Armor and age on top of one source, as one.
class OpenedSource : public Source {
public:
    OpenedSource(Source& below, AgeKeyring& keyring) {
        std::string head(kArmorBegin.size(), '\0');
        std::size_t size = 0;
        while (size < head.size()) {
            const std::size_t count = below.read(head.data() + size, head.size() - size);
            if (count == 0) break;
            size += count;
        }
        head.resize(size);
        if (head.compare(0, kAgeMagic.size(), kAgeMagic) == 0) {
            age_ = make_age_source(below, keyring, std::move(head));
            return;
        }
        armor_ = make_armor_source(below, std::move(head));
        age_ = make_age_source(*armor_, keyring);
    }
    std::size_t read(char* buffer, std::size_t capacity) override { return age_->read(buffer, capacity); }

private:
    std::unique_ptr<Source> armor_, age_;
};

}  // namespace

Vault::Vault(Given given) : given_(std::move(given)), keyring_(given_.secrets, given_.scrypt_max_log_n) {}

std::unique_ptr<Sink> Vault::encrypted(Sink& inner) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!recipients_) {
        AgeRecipients made;
        made.points = given_.recipients;
        if (made.points.empty()) made.passphrase = given_.passphrase();
        recipients_ = std::move(made);
    }
    return make_age_sink(inner, *recipients_, &keyring_);
}

std::unique_ptr<Source> Vault::opened(Source& below) { return std::make_unique<OpenedSource>(below, keyring_); }

FileSignature Vault::sign(const std::string& sha256) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!signing_key_) signing_key_ = given_.signing_key();
    const SigningKey key(signing_key_->reveal());
    FileSignature signature{kAlgorithm, PublicKey{key.public_key()}.id(), {}};
    append_base64(signature.value, key.sign(signed_text(sha256)));
    return signature;
}

const std::vector<PublicKey>& Vault::keys() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!keys_) keys_ = given_.keys();
    return *keys_;
}

bool Vault::trusts(const std::string& key_id) {
    if (!asks_for_signature()) return true;
    const auto& all = keys();
    return std::any_of(all.begin(), all.end(), [&](const PublicKey& key) { return key.id() == key_id; });
}

std::string Vault::check(const std::optional<FileSignature>& signature, const std::string& sha256) {
    if (!asks_for_signature()) return {};
    if (!signature) throw unsigned_by_us("signature_missing", "the file is not signed");
    for (const PublicKey& key : keys()) {
        if (key.id() != signature->key) continue;
        const auto value = signature->algorithm == kAlgorithm ? from_base64(signature->value) : std::nullopt;
        if (value && key.verifies(signed_text(sha256), *value)) return signature->key;
        throw unsigned_by_us("signature_wrong", "the file's signature does not fit its content");
    }
    throw unsigned_by_us("signature_unknown", "the file is signed by a key that is not trusted here");
}

}  // namespace reprise
