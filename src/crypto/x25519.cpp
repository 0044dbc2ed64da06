#include "crypto/x25519.h"

#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/require.h"

namespace reprise {
namespace {

Key private_of(std::string_view bytes) {
    Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes_of(bytes.data()), bytes.size()));
    require_crypto(key != nullptr, "X25519 with a private key");
    return key;
}

}  // namespace

Secret x25519_new_key() {
    Secret key = Secret::zeroed(kX25519Bytes);
    random_secret(key);
    return key;
}

std::string x25519_public(std::string_view private_key) {
    const Key key = private_of(private_key);
    std::string out(kX25519Bytes, '\0');
    std::size_t size = out.size();
    require_crypto(EVP_PKEY_get_raw_public_key(key.get(), bytes_of(out.data()), &size) == 1 && size == kX25519Bytes,
                   "X25519's public key");
    return out;
}

std::optional<Secret> x25519_shared(std::string_view private_key, std::string_view public_key) {
    const Key mine = private_of(private_key);
    const Key theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, bytes_of(public_key.data()), public_key.size()));
    require_crypto(theirs != nullptr, "X25519 with a public key");
    const KeyContext context(EVP_PKEY_CTX_new(mine.get(), nullptr));
    require_crypto(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
                       EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1,
                   "X25519");
    Secret out = Secret::zeroed(kX25519Bytes);
    std::size_t size = kX25519Bytes;
    // OpenSSL itself refuses the all-zero result; the comparison stands here because the format demands it.
    const bool worked = EVP_PKEY_derive(context.get(), bytes_of(out.data()), &size) == 1 && size == kX25519Bytes;
    ERR_clear_error();
    if (!worked || equal_constant_time(out.reveal(), std::string(kX25519Bytes, '\0'))) return std::nullopt;
    return out;
}

}  // namespace reprise
