// What the admin's tests share: tokens signed here, and the rules that a host would configure.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>

#include "admin/jwt.h"
#include "base/text.h"

namespace reprise::test {

inline std::string base64url(std::string_view bytes) {
    std::string out;
    append_base64(out, bytes);
    while (!out.empty() && out.back() == '=') out.pop_back();
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return out;
}

inline const std::string kSecret = "an entirely random secret of 64 bytes, as every host should have";

inline std::string hmac(const std::string& secret, const std::string& message, const EVP_MD* digest = EVP_sha256()) {
    unsigned char tag[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(digest, secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(message.data()),
         message.size(), tag, &size);
    return std::string(reinterpret_cast<const char*>(tag), size);
}

inline std::string signed_token(const std::string& header, const std::string& claims, const std::string& secret = kSecret) {
    const std::string head = base64url(header) + "." + base64url(claims);
    return head + "." + base64url(hmac(secret, head));
}

inline const std::string kHeader = R"({"alg":"HS256","typ":"JWT"})";
constexpr std::int64_t kNow = 1760286441;

inline JwtRules rules() {
    JwtRules out;
    out.keys.push_back(pin_secret("", "HS256", Secret(kSecret)));
    return out;
}

inline Caller::May may(const std::string& claims, const JwtRules& with = rules()) {
    return check_token(signed_token(kHeader, claims), with, kNow).may;
}

inline Caller::May may_with_header(const std::string& header) {
    return check_token(signed_token(header, R"({"role":"admin","exp":1760290000})"), rules(), kNow).may;
}

}  // namespace reprise::test
