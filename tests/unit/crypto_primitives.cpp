// Known answers from the RFCs, and what must be refused.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/failure.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/bech32.h"
#include "crypto/digest.h"
#include "crypto/kdf.h"
#include "crypto/signature.h"
#include "crypto/x25519.h"

using namespace reprise;

namespace {

std::string unhex(const char* text) { return *from_hex(text); }

template <typename Call>
std::string reason_of(Call&& call) {
    try {
        call();
    } catch (const Failure& failure) {
        return failure.reason;
    }
    return "";
}

std::string bech32_text(std::string_view prefix, std::string_view bytes) {
    return std::string(bech32_encode(prefix, bytes).reveal());
}

}  // namespace

TEST_CASE("X25519 gives the shared secret of RFC 7748, section 6.1") {
    const std::string bob = unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    const std::string alice = unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    CHECK(to_hex(x25519_public(bob)) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    CHECK(to_hex(x25519_shared(bob, alice)->reveal()) == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    const Secret mine = x25519_new_key();
    CHECK(x25519_shared(mine.reveal(), x25519_public(bob))->reveal() ==
          x25519_shared(bob, x25519_public(mine.reveal()))->reveal());
}

TEST_CASE("X25519 refuses points of low order") {
    const Secret key = x25519_new_key();
    for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                              "0100000000000000000000000000000000000000000000000000000000000000",
                              "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                              "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
        CHECK_FALSE(x25519_shared(key.reveal(), unhex(point)).has_value());
}

TEST_CASE("HKDF gives the keys of RFC 5869") {
    const std::string key = unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
    CHECK(to_hex(hkdf_sha256(key, unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9")).reveal()) ==
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    CHECK(to_hex(hkdf_sha256(key, {}, {}).reveal()) == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST_CASE("HMAC-SHA-256 gives the code of RFC 4231") {
    CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("scrypt gives the key of RFC 7914") {
    // pleaseletmein, SodiumChloride, N = 16384, r = 8, p = 1: the first 32 of 64 bytes.
    CHECK(to_hex(scrypt_key("pleaseletmein", "SodiumChloride", 14).reveal()) ==
          "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
}

TEST_CASE("a sealed chunk opens under its own key and nonce, and under no other") {
    const std::string key(32, 'k'), nonce(12, 'n'), plain = "the data of a whole company";
    std::string sealed(plain.size() + kAeadTagBytes, '\0'), opened(plain.size(), 'x');
    Aead(key, Aead::Way::seal).seal(nonce, plain, sealed.data());
    Aead opener(key, Aead::Way::open);
    CHECK(opener.open(nonce, sealed, opened.data()));
    CHECK(opened == plain);
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        std::string wrong = sealed;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        CHECK_FALSE(opener.open(nonce, wrong, opened.data()));
        CHECK(opened == std::string(plain.size(), '\0'));  // nothing of it is left
    }
    CHECK_FALSE(opener.open(std::string(12, 'm'), sealed, opened.data()));
    CHECK_FALSE(Aead(std::string(32, 'l'), Aead::Way::open).open(nonce, sealed, opened.data()));
    CHECK(opener.open(nonce, sealed, opened.data()));
}

TEST_CASE("ChaCha20-Poly1305 is what RFC 8439 says: known answer of an empty text") {
    // The tag over nothing: Poly1305 of 16 zero bytes of lengths under the one-time key.
    std::string tag(kAeadTagBytes, '\0');
    Aead(std::string(32, '\0'), Aead::Way::seal).seal(std::string(12, '\0'), {}, tag.data());
    CHECK(to_hex(tag) == "4eb972c9a8fb3a1b382bb4d36f5ffad1");
}

TEST_CASE("Bech32 goes there and back, in one case only") {
    const std::string bytes(32, '\x5a');
    const std::string text = bech32_text("age", bytes);
    const auto decoded = bech32_decode(text);
    REQUIRE(decoded);
    CHECK(decoded->prefix == "age");
    CHECK(decoded->bytes.reveal() == bytes);
    std::string mixed = text;
    mixed[0] = 'A';
    CHECK_FALSE(bech32_decode(mixed));
    for (std::size_t at = 4; at < text.size(); ++at) {
        std::string wrong = text;
        wrong[at] = wrong[at] == 'q' ? 'p' : 'q';
        CHECK_FALSE(bech32_decode(wrong));
    }
    CHECK_FALSE(bech32_decode(text.substr(0, text.size() - 1)));
    CHECK_FALSE(bech32_decode("age1"));
    CHECK_FALSE(bech32_decode("1qqqqqq"));
    CHECK_FALSE(bech32_decode(""));
    CHECK_FALSE(bech32_decode(text + "\n"));
    CHECK_FALSE(bech32_decode(std::string(100000, 'q')));
    for (std::size_t size = 0; size < 70; ++size) {
        const std::string some(size, '\xc3');
        CHECK(bech32_decode(bech32_text("age", some))->bytes.reveal() == some);
    }
}

TEST_CASE("Bech32 takes the valid texts of BIP 173") {
    CHECK(bech32_decode("A12UEL5L"));
    CHECK(bech32_decode("a12uel5l"));
    CHECK(bech32_decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"));
    CHECK_FALSE(bech32_decode("A1G7SGD8"));
    CHECK_FALSE(bech32_decode("10a06t8"));
    CHECK_FALSE(bech32_decode("li1dgmt3"));
}

TEST_CASE("a signature of RFC 8032's key verifies, and a changed message or signature does not") {
    const PublicKey known{unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")};
    const std::string signature = unhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141"
        "438e7a"
        "100b");
    CHECK(known.verifies("", signature));
    CHECK_FALSE(known.verifies("x", signature));
    CHECK_FALSE(known.verifies("", signature.substr(1)));
    CHECK_FALSE(known.verifies("", ""));
}

TEST_CASE("keys go to PEM and back; what is no Ed25519 key is refused without repeating it") {
    const Secret pem = new_signing_key_pem();
    const SigningKey key(pem.reveal());
    const PublicKey checker = public_key_from_pem(key.public_pem());
    CHECK(checker.bytes == key.public_key());
    CHECK(checker.id() == sha256_hex(key.public_key()).substr(0, 16));
    CHECK(checker.verifies("message", key.sign("message")));
    CHECK_FALSE(checker.verifies("massage", key.sign("message")));
    CHECK_FALSE(
        public_key_from_pem(SigningKey(new_signing_key_pem().reveal()).public_pem()).verifies("message", key.sign("message")));
    for (const std::string text : {"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "hello"}) {
        CHECK(reason_of([&] { SigningKey wrong(text); }) == "signing_key_invalid");
        CHECK(reason_of([&] { public_key_from_pem(text); }) == "trusted_key_invalid");
    }
    CHECK(reason_of([&] { public_key_from_pem(pem.reveal()); }) == "trusted_key_invalid");
    CHECK(reason_of([&] { SigningKey wrong(key.public_pem()); }) == "signing_key_invalid");
}

TEST_CASE("s10: the pages of a secret are left out of core dumps, those of its copies too") {
    const auto flags_of = [](const char* at) {
        std::ifstream maps("/proc/self/smaps");
        bool inside = false;
        for (std::string line; std::getline(maps, line);) {
            unsigned long begin = 0, end = 0;
            if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
                const auto address = reinterpret_cast<std::uintptr_t>(at);
                inside = begin <= address && address < end;
            } else if (inside && line.rfind("VmFlags:", 0) == 0) {
                return line + " ";
            }
        }
        return std::string();
    };
    const Secret text("correct horse battery staple"), copy = text;
    Secret zeroed = Secret::zeroed(100000);
    const char on_the_stack = 'x';
    CHECK(flags_of(&on_the_stack).find(" dd ") == std::string::npos);
    for (const char* at : {text.reveal().data(), copy.reveal().data(), static_cast<const char*>(zeroed.data()),
                           static_cast<const char*>(zeroed.data()) + 99999})
        CHECK(flags_of(at).find(" dd ") != std::string::npos);  // "do not dump"
}

TEST_CASE("a secret is wiped behind its end and leaves nothing when it moves") {
    Secret secret = Secret::zeroed(40);
    CHECK(secret.reveal() == std::string(40, '\0'));
    std::string("0123456789").copy(secret.data(), 10);
    secret.shrink(4);
    CHECK(secret.reveal() == "0123");
    CHECK(secret.data()[5] == '\0');
    const Secret moved = std::move(secret);
    CHECK(moved.reveal() == "0123");
}
