// Private to the room: OpenSSL's answers as Failures, and owners of its handles.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <new>

#include "base/failure.h"

namespace reprise {

inline const unsigned char* bytes_of(const char* at) { return reinterpret_cast<const unsigned char*>(at); }
inline unsigned char* bytes_of(char* at) { return reinterpret_cast<unsigned char*>(at); }

// OpenSSL keeps its errors per thread, for the host to find: ours are taken away again.
inline void require_crypto(bool worked, const char* what) {
    if (worked) return;
    ERR_clear_error();
    throw Failure(Code::internal, "crypto_failed", std::string("OpenSSL could not do ") + what);
}

template <typename T, void (*free_it)(T*)>
struct Freer {
    void operator()(T* handle) const { free_it(handle); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX, EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;

}  // namespace reprise
