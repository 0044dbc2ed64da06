#include "crypto/kdf.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <cstdint>

#include "base/leaving.h"
#include "crypto/require.h"

namespace reprise {
namespace {

constexpr std::uint64_t kScryptR = 8, kScryptP = 1;
constexpr std::uint64_t kScryptSlackBytes = 1024 * 1024;

void hmac_to(std::string_view key, std::string_view message, char* out) {
    park_if_leaving();
    unsigned size = kKeyBytes;
    const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message.data()), message.size(),
                            bytes_of(out), &size);
    require_crypto(made != nullptr, "HMAC-SHA-256");
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view message) {
    std::string out(kKeyBytes, '\0');
    hmac_to(key, message, out.data());
    return out;
}

Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info) {
    const std::string no_salt(kKeyBytes, '\0');
    Secret extracted = Secret::zeroed(kKeyBytes), out = Secret::zeroed(kKeyBytes);
    hmac_to(salt.empty() ? std::string_view(no_salt) : salt, key, extracted.data());
    // One block is all that is asked for: T(1) = HMAC(PRK, info | 0x01).
    hmac_to(extracted.reveal(), std::string(info) + '\1', out.data());
    return out;
}

Secret scrypt_key(std::string_view passphrase, std::string_view salt, int log_n) {
    const std::uint64_t n = std::uint64_t{1} << log_n;
    const std::uint64_t memory = 128 * kScryptR * (n + 2) + 128 * kScryptR * kScryptP + kScryptSlackBytes;
    Secret out = Secret::zeroed(kKeyBytes);
    park_if_leaving();
    if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), bytes_of(salt.data()), salt.size(), n, kScryptR, kScryptP, memory,
                       bytes_of(out.data()), kKeyBytes) == 1)
        return out;
    ERR_clear_error();
    throw Failure(Code::out_of_memory, "out_of_memory",
                  "scrypt with " + std::to_string(n / 1024) + " MiB could not be computed: not that much memory is free");
}

bool equal_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace reprise
