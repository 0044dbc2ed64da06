#include "session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <ctime>
#include <stdexcept>
#include <vector>

namespace session {
namespace {

constexpr long kLifeS = 8 * 60 * 60;

std::string base64url(const unsigned char* bytes, std::size_t size) {
    std::vector<unsigned char> text(4 * ((size + 2) / 3) + 1);
    const int length = EVP_EncodeBlock(text.data(), bytes, static_cast<int>(size));
    std::string out(reinterpret_cast<char*>(text.data()), static_cast<std::size_t>(length));
    while (!out.empty() && out.back() == '=') out.pop_back();
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return out;
}

std::string base64url(const std::string& text) {
    return base64url(reinterpret_cast<const unsigned char*>(text.data()), text.size());
}

// Only what needs no escape in JSON is a name here.
std::string plain(const std::string& subject) {
    for (const char c : subject)
        if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') throw std::invalid_argument("no such name");
    return subject;
}

}  // namespace

std::string token_for(const std::string& subject, const std::string& secret) {
    const std::string claims =
        "{\"sub\":\"" + plain(subject) + "\",\"role\":\"admin\",\"exp\":" + std::to_string(std::time(nullptr) + kLifeS) + "}";
    const std::string head = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(claims);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(head.data()),
         head.size(), mac, &size);
    return head + "." + base64url(mac, size);
}

bool same_password(const std::string& given, const std::string& expected) {
    return !expected.empty() && given.size() == expected.size() &&
           CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

std::string random_secret() {
    unsigned char bytes[32];
    if (RAND_bytes(bytes, sizeof bytes) != 1) throw std::runtime_error("no random bytes");
    std::string out;
    for (const unsigned char byte : bytes) {
        out += "0123456789abcdef"[byte >> 4];
        out += "0123456789abcdef"[byte & 15];
    }
    return out;
}

}  // namespace session
