#include "crypto/aead.h"

#include <openssl/crypto.h>

#include "base/leaving.h"
#include "crypto/require.h"

namespace reprise {

struct Aead::State {
    CipherContext context{EVP_CIPHER_CTX_new()};
};

Aead::Aead(std::string_view key, Way way) : state_(std::make_unique<State>()) {
    if (!state_->context) throw std::bad_alloc();
    require_crypto(EVP_CipherInit_ex(state_->context.get(), EVP_chacha20_poly1305(), nullptr, bytes_of(key.data()), nullptr,
                                     way == Way::seal ? 1 : 0) == 1,
                   "ChaCha20-Poly1305");
}

Aead::~Aead() = default;
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;

void Aead::seal(std::string_view nonce, std::string_view plain, char* out) {
    park_if_leaving();
    EVP_CIPHER_CTX* context = state_->context.get();
    int size = 0, rest = 0;
    char* tag = out + plain.size();
    const bool worked =
        EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, bytes_of(nonce.data())) == 1 &&
        EVP_EncryptUpdate(context, bytes_of(out), &size, bytes_of(plain.data()), static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(context, bytes_of(out + size), &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1;
    require_crypto(worked, "ChaCha20-Poly1305");
}

bool Aead::open(std::string_view nonce, std::string_view sealed, char* out) {
    park_if_leaving();
    EVP_CIPHER_CTX* context = state_->context.get();
    const std::size_t plain = sealed.size() - kAeadTagBytes;
    char tag[kAeadTagBytes];
    sealed.copy(tag, kAeadTagBytes, plain);
    int size = 0, rest = 0;
    const bool worked = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, bytes_of(nonce.data())) == 1 &&
                        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag) == 1 &&
                        EVP_DecryptUpdate(context, bytes_of(out), &size, bytes_of(sealed.data()), static_cast<int>(plain)) == 1;
    require_crypto(worked, "ChaCha20-Poly1305");
    if (EVP_DecryptFinal_ex(context, bytes_of(out + size), &rest) == 1) return true;
    ERR_clear_error();
    OPENSSL_cleanse(out, plain);
    return false;
}

}  // namespace reprise
