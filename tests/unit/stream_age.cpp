// age files: what goes in comes out, and nothing comes out of one that was touched.
#include <doctest/doctest.h>

#include "base/text.h"
#include "crypto/x25519.h"
#include "stream/age_armor.h"
#include "stream_age_support.h"

using namespace reprise;

namespace {

AgeRecipients recipients_of(std::initializer_list<const Secret*> identities) {
    AgeRecipients recipients;
    for (const Secret* identity : identities) recipients.points.push_back(parse_recipient(recipient_of(identity->reveal())));
    return recipients;
}

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 2654435761U >> 13);
    return text;
}

}  // namespace

TEST_CASE("what is encrypted comes back, at every size around a chunk") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    for (const std::size_t size : {0UL, 1UL, 65535UL, 65536UL, 65537UL, 131072UL, 131073UL, 300000UL}) {
        CAPTURE(size);
        const std::string plain = pattern(size), sealed = age_encrypt(plain, recipients_of({&identity}));
        CHECK(age_decrypt(sealed, ring) == plain);
        CHECK(age_decrypt(sealed, ring, 1000) == plain);
        CHECK(sealed.find("collection") == std::string::npos);
    }
}

TEST_CASE("each of several recipients opens the file, and nobody else does") {
    const Secret one = x25519_new_key(), two = x25519_new_key(), other = x25519_new_key();
    const std::string sealed = age_encrypt("plain", recipients_of({&one, &two}));
    AgeKeyring first = ring_of(one), second = ring_of(two), third = ring_of(other), nobody;
    CHECK(age_decrypt(sealed, first) == "plain");
    CHECK(age_decrypt(sealed, second) == "plain");
    CHECK(reason_of([&] { age_decrypt(sealed, third); }) == "key_wrong");
    CHECK(reason_of([&] { age_decrypt(sealed, nobody); }) == "key_missing");
    AgeKeyring passphrase = ring_of_passphrase("plain");
    CHECK(reason_of([&] { age_decrypt(sealed, passphrase); }) == "key_missing");
}

TEST_CASE("a passphrase opens what it closed, and its cost is bounded before memory is taken") {
    AgeRecipients recipients;
    recipients.passphrase = Secret("correct horse battery staple");
    std::string sealed = age_encrypt("plain", recipients);
    CHECK(sealed.find(" 16\n") != std::string::npos);
    AgeKeyring right = ring_of_passphrase("correct horse battery staple"), wrong = ring_of_passphrase("horse"), none;
    CHECK(age_decrypt(sealed, right) == "plain");
    CHECK(reason_of([&] { age_decrypt(sealed, wrong); }) == "key_wrong");
    CHECK(reason_of([&] { age_decrypt(sealed, none); }) == "key_missing");
    const std::size_t cost = sealed.find(" 16\n");
    const auto with = [&](const char* log_n) { return sealed.substr(0, cost) + " " + log_n + sealed.substr(cost + 3); };
    CHECK(reason_of([&] { age_decrypt(with("19"), right); }) == "scrypt_too_costly");
    CHECK(reason_of([&] { age_decrypt(with("22"), right); }) == "scrypt_too_costly");
    AgeKeyring patient = ring_of_passphrase("x", 22);
    CHECK(reason_of([&] { age_decrypt(with("23"), patient); }) == "encryption_invalid");
    CHECK(reason_of([&] { age_decrypt(with("99"), patient); }) == "encryption_invalid");
}

TEST_CASE("the job that wrote a file reads it back without identity, until it forgets") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring;  // holds no identity
    const std::string sealed = age_encrypt("plain", recipients_of({&identity}), &ring);
    CHECK(age_decrypt(sealed, ring) == "plain");
    std::string forged = age_encrypt("forged", recipients_of({&identity}));
    CHECK(reason_of([&] { age_decrypt(forged, ring); }) == "key_missing");
    ring.forget_written();
    CHECK(reason_of([&] { age_decrypt(sealed, ring); }) == "key_missing");
}

TEST_CASE("an identity is looked up when it is needed, once, and not before") {
    const Secret identity = x25519_new_key();
    int asked = 0;
    AgeKeyring ring({[&] {
                         ++asked;
                         return std::vector<Secret>{identity};
                     },
                     {}});
    const std::string sealed = age_encrypt("plain", recipients_of({&identity}), &ring);
    CHECK(age_decrypt(sealed, ring) == "plain");
    CHECK(asked == 0);
    ring.forget_written();
    CHECK(age_decrypt(sealed, ring) == "plain");
    CHECK(age_decrypt(age_encrypt("more", recipients_of({&identity})), ring) == "more");
    CHECK(asked == 1);
}

TEST_CASE("what only one secret opens is opened though the other cannot be had, and the other way round") {
    const auto gone = [](const char* what) {
        return Failure(Code::denied, "key_missing", std::string(what) + " is not there");
    };
    const Secret identity = x25519_new_key();
    AgeRecipients by_passphrase;
    by_passphrase.passphrase = Secret("correct horse");
    const std::string for_passphrase = age_encrypt("plain", by_passphrase);
    const std::string for_identity = age_encrypt("plain", recipients_of({&identity}));
    AgeKeyring no_identity(
        {[&]() -> std::vector<Secret> { throw gone("the identity file"); }, [] { return Secret("correct horse"); }});
    CHECK(age_decrypt(for_passphrase, no_identity) == "plain");
    CHECK_THROWS_WITH_AS(age_decrypt(for_identity, no_identity), "the identity file is not there", Failure);
    CHECK(age_decrypt(for_passphrase, no_identity) == "plain");
    AgeKeyring no_passphrase(
        {[&] { return std::vector<Secret>{identity}; }, [&]() -> Secret { throw gone("the passphrase file"); }});
    CHECK(age_decrypt(for_identity, no_passphrase) == "plain");
    CHECK_THROWS_WITH_AS(age_decrypt(for_passphrase, no_passphrase), "the passphrase file is not there", Failure);
}

TEST_CASE("a cut at every byte is refused") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string sealed = age_encrypt(pattern(500), recipients_of({&identity}));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
        CAPTURE(size);
        const std::string reason = reason_of([&] { age_decrypt(sealed.substr(0, size), ring); });
        const std::size_t payload = sealed.size() - 500 - 16;
        if (size < payload + 16)
            CHECK(reason == "file_truncated");
        else
            CHECK(reason == "file_damaged");  // a shorter last chunk and a changed one look the same
    }
}

TEST_CASE("a cut between chunks, and one in the next chunk's tag, is told as a cut") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string sealed = age_encrypt(pattern(3 * 65536), recipients_of({&identity}));
    const std::size_t begin = sealed.size() - 3 * 65552;
    for (const std::size_t extra : {0U, 1U, 15U}) {
        CHECK(reason_of([&] { age_decrypt(sealed.substr(0, begin + 65552 + extra), ring); }) == "file_truncated");
        CHECK(reason_of([&] { age_decrypt(sealed.substr(0, begin + extra), ring); }) == "file_truncated");
    }
}

TEST_CASE("a flipped bit anywhere is refused") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    std::string sealed;
    do  // without a newline behind the header, or one whose newline was changed would end there
        sealed = age_encrypt("all that a company knows", recipients_of({&identity}));
    while (sealed.find('\n', sealed.size() - 16 - 24 - 16) != std::string::npos);
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
        std::string wrong = sealed;
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ 1 << bit % 8);
        const std::string reason = reason_of([&] { age_decrypt(wrong, ring); });
        const bool told = reason == "file_damaged" || reason == "encryption_invalid" || reason == "encryption_forged" ||
                          reason == "encryption_unknown" || reason == "key_wrong";
        CHECK_MESSAGE(told, "bit ", bit, ": ", reason);
    }
}

TEST_CASE("chunks that were swapped, repeated, left out or added are refused") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string sealed = age_encrypt(pattern(3 * 65536 + 10), recipients_of({&identity}));
    const std::size_t chunk = 65552, begin = sealed.size() - 3 * chunk - 26;
    const auto part = [&](std::size_t i) { return sealed.substr(begin + i * chunk, chunk); };
    const std::string head = sealed.substr(0, begin);
    CHECK(reason_of([&] { age_decrypt(head + part(1) + part(0) + part(2) + part(3), ring); }) == "file_damaged");
    CHECK(reason_of([&] { age_decrypt(head + part(0) + part(0) + part(2) + part(3), ring); }) == "file_damaged");
    CHECK(reason_of([&] { age_decrypt(head + part(0) + part(2) + part(3), ring); }) == "file_damaged");
    CHECK(reason_of([&] { age_decrypt(head + part(3), ring); }) == "file_damaged");
    CHECK(reason_of([&] { age_decrypt(sealed + "x", ring); }) == "file_damaged");
    const std::string full = age_encrypt(pattern(65536), recipients_of({&identity}));
    CHECK(reason_of([&] { age_decrypt(full + "x", ring); }) == "trailing_bytes");
    CHECK(reason_of([&] { age_decrypt(full + full, ring); }) == "trailing_bytes");
}

TEST_CASE("a header without end, with too many recipients or too long is refused") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string first = "age-encryption.org/v1\n";
    CHECK(reason_of([&] { age_decrypt(first + std::string(100000, 'x'), ring); }) == "encryption_invalid");
    std::string many = first;
    for (int i = 0; i < 129; ++i) many += "-> unknown\n\n";
    CHECK(reason_of([&] { age_decrypt(many + "--- \n", ring); }) == "encryption_invalid");
    std::string longer = first + "-> unknown\n";
    while (longer.size() < 70000) longer += std::string(64, 'A') + "\n";
    CHECK(reason_of([&] { age_decrypt(longer, ring); }) == "encryption_invalid");
    CHECK(reason_of([&] { age_decrypt(longer + "\n--- \n", ring); }) == "encryption_invalid");
    CHECK(reason_of([&] { age_decrypt("age-encryption.org/v2\n", ring); }) == "encryption_unknown");
}

TEST_CASE("a failure of an age file is given again by every later reading") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string sealed = age_encrypt(pattern(200000), recipients_of({&identity}));
    const std::string cut = sealed.substr(0, sealed.size() - 1);
    TextSource source(cut);
    const auto age = make_age_source(source, ring);
    CHECK(reason_of([&] { read_everything(*age); }) == "file_damaged");
    char byte = 0;
    CHECK(reason_of([&] { age->read(&byte, 1); }) == "file_damaged");
}

TEST_CASE("armor is taken off, also when the head was read already") {
    const Secret identity = x25519_new_key();
    AgeKeyring ring = ring_of(identity);
    const std::string sealed = age_encrypt(pattern(1000), recipients_of({&identity}));
    std::string base64, armored = std::string(kArmorBegin) + "\n";
    append_base64(base64, sealed);
    for (std::size_t at = 0; at < base64.size(); at += 64) armored += base64.substr(at, 64) + "\n";
    armored += "-----END AGE ENCRYPTED FILE-----\n";
    for (const std::size_t head : {0UL, 5UL, 100UL, armored.size()}) {
        TextSource source(std::string_view(armored).substr(head));
        const auto bare = make_armor_source(source, armored.substr(0, head));
        CHECK(read_everything(*make_age_source(*bare, ring)) == pattern(1000));
    }
    TextSource cut(std::string_view(armored).substr(0, armored.size() - 40));
    const auto bare = make_armor_source(cut);
    CHECK(reason_of([&] { read_everything(*make_age_source(*bare, ring)); }) == "file_truncated");
}

TEST_CASE("identities and recipients go to text and back, and a wrong one is not repeated") {
    const Secret identity = x25519_new_key();
    const std::string text(identity_text(identity.reveal()).reveal());
    CHECK(text.substr(0, 16) == "AGE-SECRET-KEY-1");
    const auto read = parse_identities("# created: now\r\n# public key: age1…\n\n" + text + "\r\n");
    REQUIRE(read.size() == 1);
    CHECK(read[0].reveal() == identity.reveal());
    std::string wrong = text;
    wrong.back() = wrong.back() == 'Q' ? 'P' : 'Q';
    try {
        parse_identities(wrong);
        FAIL("a wrong identity was taken");
    } catch (const Failure& failure) {
        CHECK(failure.reason == "identity_invalid");
        CHECK(failure.message.find(wrong.substr(20)) == std::string::npos);
    }
    CHECK(reason_of([&] { parse_identities("# nothing\n"); }) == "identity_invalid");
    CHECK(reason_of([&] { parse_recipient("age1qqqq"); }) == "recipient_invalid");
    CHECK(reason_of([&] { parse_recipient(text); }) == "recipient_invalid");
    AgeRecipients low;
    low.points.push_back(std::string(32, '\0'));
    CHECK(reason_of([&] { age_encrypt("x", low); }) == "recipient_invalid");
}
