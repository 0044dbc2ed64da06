// The Wycheproof vectors for JSON Web Signatures, and what they leave out.
#include <openssl/pem.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "admin/jws.h"
#include "admin_support.h"
#include "base/failure.h"
#include "codec/json.h"
#include "doctest/doctest.h"

using namespace reprise;
using namespace reprise::test;

namespace {

std::string algorithm_in(const std::string& token) {
    const auto header = from_base64url(token.substr(0, token.find('.')));
    try {
        return header ? parse_json(*header).at("alg").as_string() : "";
    } catch (const Failure&) {
        return "";
    }
}

// Four vectors contradict others or the RFC: 367 and 370 are, byte for byte, the valid 357 (the padding that they speak of is
// not in the file), and 372 and 373 call a '?' inside base64url valid, which RFC 7515 §2 and vectors 366 and 371 do not.
bool is_really_valid(std::int64_t id, const std::string& result) {
    if (id == 367 || id == 370) return true;
    if (id == 372 || id == 373) return false;
    return result == "valid";
}

std::string reason_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Failure& failure) {
        return failure.reason;
    }
    return "";
}

std::string pem_of(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    std::string out(text, static_cast<std::size_t>(size));
    BIO_free(bio);
    return out;
}

std::string sign_with(EVP_PKEY* key, const EVP_MD* digest, const std::string& message) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::size_t size = 0;
    const auto* in = reinterpret_cast<const unsigned char*>(message.data());
    REQUIRE(EVP_DigestSignInit(context, nullptr, digest, nullptr, key) == 1);
    REQUIRE(EVP_DigestSign(context, nullptr, &size, in, message.size()) == 1);
    std::string out(size, '\0');
    REQUIRE(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, in, message.size()) == 1);
    out.resize(size);
    EVP_MD_CTX_free(context);
    return out;
}

}  // namespace

TEST_CASE("every vector of Wycheproof for JSON Web Signatures ends as it says") {
    const std::filesystem::path folder = std::filesystem::path(REPRISE_SOURCE_FOLDER) / ".." / "shared" / "vectors" / "jws";
    std::ifstream file(folder / "json_web_signature_test.json");
    if (!file) {
        MESSAGE("skipped: ../shared/vectors is not here");
        return;
    }
    std::stringstream text;
    text << file.rdbuf();
    const Json all = parse_json(text.str());
    int accepted = 0, refused = 0;
    for (const auto& group : all.at("testGroups").as_array()) {
        const Json* given = group.find("public");
        const Json& jwk = given != nullptr ? *given : group.at("private");
        for (const auto& test : group.at("tests").as_array()) {
            const std::string token = test.at("jws").is_string() ? test.at("jws").as_string() : test.at("jws").text();
            const std::int64_t id = test.at("tcId").as_int();
            CAPTURE(id);
            const bool valid = is_really_valid(id, test.at("result").as_string());
            std::vector<JwsKey> keys;
            try {
                keys.push_back(key_from_jwk(jwk.text(), algorithm_in(token)));
            } catch (const Failure&) {
            }
            // Four valid ones come with a JWK whose `alg` is of another algorithm or of none: pinned, such a key refuses them.
            const bool other_algorithm =
                valid && jwk.find("alg") != nullptr && jwk.at("alg").as_string() != algorithm_in(token);
            if (other_algorithm) {
                CHECK(keys.empty());
                Json unpinned = Json::object();
                for (const auto& [key, value] : jwk.as_object())
                    if (key != "alg") unpinned.set(key, value);
                keys.push_back(key_from_jwk(unpinned.text(), algorithm_in(token)));
            }
            CHECK(open_jws(token, keys).has_value() == valid);
            ++(valid ? accepted : refused);
        }
    }
    CHECK(accepted + refused == 401);
    MESSAGE(accepted, " accepted, ", refused, " refused");
}

TEST_CASE("keys of every type check what was signed with them, and nothing else") {
    EVP_PKEY* ed = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    EVP_PKEY* rsa = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048));
    const std::map<std::string, std::pair<EVP_PKEY*, const EVP_MD*>> made = {{"EdDSA", {ed, nullptr}},
                                                                             {"RS256", {rsa, EVP_sha256()}}};
    for (const auto& [algorithm, one] : made) {
        const std::vector<JwsKey> keys = {pin_key("", algorithm, VerifyKey::from_pem(pem_of(one.first)))};
        const std::string head = base64url("{\"alg\":\"" + algorithm + "\"}") + "." + base64url("{}");
        const std::string signature = sign_with(one.first, one.second, head);
        CHECK(open_jws(head + "." + base64url(signature), keys).has_value());
        std::string changed = signature;
        changed[5] = static_cast<char>(changed[5] ^ 1);
        CHECK(!open_jws(head + "." + base64url(changed), keys));
        CHECK(!open_jws(head + "." + base64url(signature + '\0'), keys));
        CHECK(!open_jws(head + ".", keys));
    }
    EVP_PKEY_free(ed);
    EVP_PKEY_free(rsa);
}

TEST_CASE("an HMAC made with the public key is refused, whatever the header says") {
    EVP_PKEY* rsa = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(2048));
    const std::string pem = pem_of(rsa);
    EVP_PKEY_free(rsa);
    const std::vector<JwsKey> keys = {pin_key("", "RS256", VerifyKey::from_pem(pem))};
    CHECK(!open_jws(signed_token(R"({"alg":"HS256"})", "{}", pem), keys));
    CHECK(!open_jws(signed_token(R"({"alg":"RS256"})", "{}", pem), keys));
    CHECK(reason_of([&] { pin_secret("", "HS256", Secret(pem)); }) == "key_invalid");
    CHECK(reason_of([&] { pin_key("", "HS256", VerifyKey::from_pem(pem)); }) == "key_invalid");
}

TEST_CASE("keys that are too weak or no keys are refused when they are configured") {
    EVP_PKEY* weak = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(1024));
    CHECK(reason_of([&] { VerifyKey::from_pem(pem_of(weak)); }) == "key_weak");
    EVP_PKEY_free(weak);
    CHECK(reason_of([] { VerifyKey::rsa(std::string(256, '\xC1'), "\x01"); }) == "key_weak");
    CHECK(reason_of([] { pin_secret("", "HS256", Secret("31 bytes are one too few for it")); }) == "key_weak");
    CHECK(reason_of([] { pin_secret("", "HS512", Secret(std::string(63, 'k'))); }) == "key_weak");
    CHECK(reason_of([] { pin_secret("", "HS256", Secret("")); }) == "key_invalid");
    CHECK(reason_of([] { VerifyKey::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"); }) ==
          "key_invalid");
    CHECK(reason_of([] { VerifyKey::ec("P-256", std::string(32, '\x01'), std::string(32, '\x01')); }) == "key_invalid");
    CHECK(reason_of([] { VerifyKey::ed25519("short"); }) == "key_invalid");
    for (const char* none : {"none", "None", "NONE", "nOnE", "", "hs256", "HS257"})
        CHECK(reason_of([&] { pin_secret("", none, Secret(kSecret)); }) == "algorithm_unknown");
}

TEST_CASE("a token's kid chooses among the keys, and a key without one is tried for all") {
    const std::string other(64, 'o');
    const std::vector<JwsKey> keys = {pin_secret("new", "HS256", Secret(kSecret)), pin_secret("old", "HS256", Secret(other))};
    CHECK(open_jws(signed_token(R"({"alg":"HS256","kid":"new"})", "{}"), keys).has_value());
    CHECK(open_jws(signed_token(R"({"alg":"HS256","kid":"old"})", "{}", other), keys).has_value());
    CHECK(!open_jws(signed_token(R"({"alg":"HS256","kid":"old"})", "{}"), keys));
    CHECK(!open_jws(signed_token(R"({"alg":"HS256","kid":"gone"})", "{}"), keys));
    CHECK(!open_jws(signed_token(R"({"alg":"HS256","kid":7})", "{}"), keys));
    CHECK(open_jws(signed_token(R"({"alg":"HS256"})", "{}", other), keys).has_value());
    CHECK(
        open_jws(signed_token(R"({"alg":"HS256","kid":"any"})", "{}"), {pin_secret("", "HS256", Secret(kSecret))}).has_value());
}
