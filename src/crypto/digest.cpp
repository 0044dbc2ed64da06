#include "crypto/digest.h"

#include <openssl/evp.h>

#include "base/failure.h"
#include "base/leaving.h"
#include "base/text.h"

namespace reprise {
namespace {

void require(int result) {
    if (result != 1) throw Failure(Code::internal, "crypto_failed", "OpenSSL refused a SHA-256 operation");
}

}  // namespace

struct Sha256::State {
    State() : context(EVP_MD_CTX_new()) {
        if (context == nullptr) throw std::bad_alloc();
    }
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    std::string finish() const {
        std::string out(32, '\0');
        require(EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(out.data()), nullptr));
        return out;
    }

    EVP_MD_CTX* context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    park_if_leaving();
    require(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr));
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    park_if_leaving();
    require(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
}

std::string Sha256::finish() {
    park_if_leaving();
    return state_->finish();
}

std::string Sha256::peek_hex() const {
    const State copy;
    require(EVP_MD_CTX_copy_ex(copy.context, state_->context));
    return to_hex(copy.finish());
}

std::string sha256_hex(std::string_view bytes) {
    Sha256 hash;
    hash.update(bytes);
    return to_hex(hash.finish());
}

}  // namespace reprise
