// ChaCha20-Poly1305 (RFC 8439) without additional data, over OpenSSL.
#pragma once

#include <memory>
#include <string_view>

namespace reprise {

constexpr std::size_t kAeadTagBytes = 16, kAeadNonceBytes = 12;

// One key for many nonces, in one direction. One thread at a time. OpenSSL's copy of the key lies on the ordinary heap as
// long as this lives, and is wiped then.
class Aead {
public:
    enum class Way { seal, open };
    Aead(std::string_view key, Way way);  // 32 bytes
    ~Aead();
    Aead(Aead&&) noexcept;
    Aead& operator=(Aead&&) noexcept;

    // `out` has room for plain.size() + kAeadTagBytes. A nonce must never be used twice.
    void seal(std::string_view nonce, std::string_view plain, char* out);
    // `sealed` is at least kAeadTagBytes long; `out` has room for the rest. False when the tag does not fit: then nothing of
    // what was decrypted is left in `out`.
    bool open(std::string_view nonce, std::string_view sealed, char* out);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
