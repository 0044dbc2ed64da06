#include <cstdlib>

#include "guard.h"
#include "service/keys.h"

using namespace reprise_capi;

int32_t reprise_key_new(const char* kind, size_t kind_size, char** secret, size_t* secret_size, char** shared,
                        size_t* shared_size, reprise_error* error) {
    clear_out(secret, secret_size);
    clear_out(shared, shared_size);
    return guarded(error, [&] {
        need(kind, "kind");
        need(secret, "secret");
        need(shared, "shared");
        const reprise::KeyPair pair = reprise::new_key(text_in(kind, kind_size, "kind"));
        text_out(pair.shared, shared, shared_size);
        try {
            text_out(pair.secret.reveal(), secret, secret_size);
        } catch (const std::bad_alloc&) {
            std::free(*shared);
            clear_out(shared, shared_size);
            throw;
        }
    });
}

int32_t reprise_key_recipient(const char* secret, size_t secret_size, char** shared, size_t* shared_size,
                              reprise_error* error) {
    clear_out(shared, shared_size);
    return guarded(error, [&] {
        need(secret, "secret");
        need(shared, "shared");
        const size_t length = secret_size == REPRISE_NUL ? std::strlen(secret) : secret_size;
        text_out(reprise::shared_part({secret, length}), shared, shared_size);
    });
}
