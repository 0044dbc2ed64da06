#include "crypto/signature.h"

#include <openssl/pem.h>

#include "base/leaving.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/require.h"

namespace reprise {
namespace {

constexpr std::size_t kKeyIdDigits = 16;
constexpr std::string_view kPrivateMark = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kPublicMark = "-----BEGIN PUBLIC KEY-----";

using Bio = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

// Instead of OpenSSL's own question on the terminal.
int no_password(char*, int, int, void*) { return -1; }

Bio reader_of(std::string_view text) {
    Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!bio) throw std::bad_alloc();
    return bio;
}

Bio writer_in_memory() {
    Bio bio(BIO_new(BIO_s_mem()));
    if (!bio) throw std::bad_alloc();
    return bio;
}

std::string_view written(const Bio& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

bool is_ed25519(const Key& key) { return key != nullptr && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519; }

std::string raw_public(EVP_PKEY* key) {
    std::string out(kEd25519KeyBytes, '\0');
    std::size_t size = out.size();
    require_crypto(EVP_PKEY_get_raw_public_key(key, bytes_of(out.data()), &size) == 1 && size == kEd25519KeyBytes,
                   "Ed25519's public key");
    return out;
}

}  // namespace

struct SigningKey::State {
    Key key;
};

SigningKey::SigningKey(std::string_view pem) : state_(std::make_unique<State>()) {
    if (pem.find(kPrivateMark) != std::string_view::npos)
        state_->key.reset(PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr, no_password, nullptr));
    ERR_clear_error();
    if (!is_ed25519(state_->key))
        throw Failure(Code::invalid_config, "signing_key_invalid",
                      "the signing key is no Ed25519 key in PKCS#8 PEM without a password; make one with keygen --signing or "
                      "openssl genpkey -algorithm ed25519");
}

SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;

std::string SigningKey::sign(std::string_view message) const {
    park_if_leaving();
    const DigestContext context(EVP_MD_CTX_new());
    if (!context) throw std::bad_alloc();
    std::string out(kSignatureBytes, '\0');
    std::size_t size = out.size();
    const bool worked =
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
        EVP_DigestSign(context.get(), bytes_of(out.data()), &size, bytes_of(message.data()), message.size()) == 1;
    require_crypto(worked && size == kSignatureBytes, "an Ed25519 signature");
    return out;
}

std::string SigningKey::public_key() const { return raw_public(state_->key.get()); }

std::string SigningKey::public_pem() const {
    const Bio bio = writer_in_memory();
    require_crypto(PEM_write_bio_PUBKEY(bio.get(), state_->key.get()) == 1, "a PEM file");
    return std::string(written(bio));
}

std::string PublicKey::id() const { return sha256_hex(bytes).substr(0, kKeyIdDigits); }

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
    park_if_leaving();
    const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes.data()), bytes.size()));
    const DigestContext context(EVP_MD_CTX_new());
    if (!context) throw std::bad_alloc();
    require_crypto(key != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1,
                   "the check of an Ed25519 signature");
    const bool fits =
        signature.size() == kSignatureBytes && EVP_DigestVerify(context.get(), bytes_of(signature.data()), signature.size(),
                                                                bytes_of(message.data()), message.size()) == 1;
    ERR_clear_error();
    return fits;
}

PublicKey public_key_from_pem(std::string_view pem) {
    Key key;
    if (pem.find(kPublicMark) != std::string_view::npos)
        key.reset(PEM_read_bio_PUBKEY(reader_of(pem).get(), nullptr, no_password, nullptr));
    ERR_clear_error();
    if (!is_ed25519(key))
        throw Failure(Code::invalid_config, "trusted_key_invalid",
                      "a trusted key is no public Ed25519 key in PEM (SPKI); make it with openssl pkey -pubout");
    return {raw_public(key.get())};
}

Secret new_signing_key_pem() {
    const KeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr));
    EVP_PKEY* made = nullptr;
    require_crypto(context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 && EVP_PKEY_keygen(context.get(), &made) == 1,
                   "an Ed25519 key");
    const Key key(made);
    const Bio bio = writer_in_memory();
    require_crypto(PEM_write_bio_PKCS8PrivateKey(bio.get(), made, nullptr, nullptr, 0, no_password, nullptr) == 1,
                   "a PEM file");
    Secret out(written(bio));
    const std::string_view text = written(bio);
    OPENSSL_cleanse(const_cast<char*>(text.data()), text.size());  // the memory is the BIO's, which is ours
    return out;
}

}  // namespace reprise
