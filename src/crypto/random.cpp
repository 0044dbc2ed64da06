#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/failure.h"
#include "base/leaving.h"
#include "base/text.h"

namespace reprise {

std::string random_bytes(std::size_t count) {
    park_if_leaving();
    std::string out(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1)
        throw Failure(Code::internal, "crypto_failed", "OpenSSL has no random bytes to give");
    return out;
}

void random_secret(Secret& secret) {
    park_if_leaving();
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size())) != 1)
        throw Failure(Code::internal, "crypto_failed", "OpenSSL has no random bytes to give");
}

std::string random_hex(std::size_t bytes) { return to_hex(random_bytes(bytes)); }

void begin_crypto() { OPENSSL_init_crypto(0, nullptr); }

void leave_crypto() {
    park_if_leaving();
    OPENSSL_thread_stop();
}

}  // namespace reprise
