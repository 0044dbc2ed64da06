// SHA-256, streaming, over OpenSSL's EVP.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace reprise {

class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::string_view bytes);
    std::string finish();            // 32 raw bytes; the object can then only be destroyed
    std::string peek_hex() const;    // hash of what came so far, 64 hex digits; more may follow

private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace reprise
