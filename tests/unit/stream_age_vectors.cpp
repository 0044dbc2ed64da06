// The age test kit (C2SP/CCTV): every vector behaves as it says; those for post-quantum recipients, whom we do not know, as
// files for somebody else.
#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "crypto/digest.h"
#include "crypto/x25519.h"
#include "stream/age_armor.h"
#include "stream_age_support.h"

using namespace reprise;

namespace {

constexpr std::size_t kMaxVectorBytes = 64 * 1024 * 1024;

struct Vector {
    std::multimap<std::string, std::string> keys;
    std::string file;

    std::string one(const char* key) const {
        const auto found = keys.find(key);
        return found == keys.end() ? "" : found->second;
    }
};

std::string inflated(const std::string& packed) {
    std::string out(kMaxVectorBytes, '\0');
    uLongf size = out.size();
    REQUIRE(::uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(packed.data()),
                         packed.size()) == Z_OK);
    out.resize(size);
    return out;
}

Vector read_vector(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    Vector vector;
    std::size_t at = 0;
    for (std::size_t end; (end = text.find('\n', at)) != at; at = end + 1) {
        REQUIRE(end != std::string::npos);
        const std::string line = text.substr(at, end - at);
        const std::size_t colon = line.find(": ");
        REQUIRE(colon != std::string::npos);
        vector.keys.emplace(line.substr(0, colon), line.substr(colon + 2));
    }
    vector.file = text.substr(at + 1);
    if (vector.one("compressed") == "zlib") vector.file = inflated(vector.file);
    return vector;
}

bool is_post_quantum(const std::string& identity) { return identity.find("-PQ-") != std::string::npos; }

// Post-quantum identities left out, since no configuration can hold them.
AgeKeyring ring_for(const Vector& vector) {
    const auto identities = [&vector] {
        std::vector<Secret> found;
        for (auto [at, end] = vector.keys.equal_range("identity"); at != end; ++at) {
            if (is_post_quantum(at->second)) continue;
            for (Secret& identity : parse_identities(at->second)) found.push_back(std::move(identity));
        }
        return found;
    };
    return AgeKeyring({identities, [&vector] { return Secret(vector.one("passphrase")); }}, 22);
}

// Which of the kit's outcomes a reason belongs to.
std::string outcome_of(const std::string& reason) {
    static const std::map<std::string, std::string> outcomes{
        {"", "success"},
        {"encryption_forged", "HMAC failure"},
        {"key_missing", "no match"},
        {"key_wrong", "no match"},
        {"armor_invalid", "armor failure"},
        {"encryption_unknown", "header failure"},
        {"file_damaged", "payload failure"},
    };
    const auto found = outcomes.find(reason);
    return found == outcomes.end() ? reason : found->second;
}

// Three of our reasons name what happened, and not where: they fit more than one outcome.
bool fits(const std::string& expected, const std::string& reason) {
    if (outcome_of(reason) == expected) return true;
    if (reason == "file_truncated") return expected != "success" && expected != "no match" && expected != "HMAC failure";
    if (reason == "trailing_bytes") return expected == "payload failure" || expected == "armor failure";
    return reason == "encryption_invalid" && (expected == "header failure" || expected == "payload failure");
}

// Reads the vector's file and says why it ends.
std::string opened(const Vector& vector, AgeKeyring& ring, std::size_t piece, std::string& released) {
    TextSource raw(vector.file, piece);
    const auto bare = vector.one("armored") == "yes" ? make_armor_source(raw) : nullptr;
    const auto age = make_age_source(bare ? *bare : static_cast<Source&>(raw), ring);
    return reason_of([&] { read_everything(*age, &released); });
}

void check(const Vector& vector, std::size_t piece) {
    AgeKeyring ring = ring_for(vector);
    std::string released;
    const std::string reason = opened(vector, ring, piece, released);
    CHECK_MESSAGE(fits(vector.one("expect"), reason), "expected ", vector.one("expect"), ", got ", reason);
    const std::string payload = vector.one("payload");
    if (!payload.empty()) CHECK(sha256_hex(released) == payload);
}

// Of a header that is wrong for whoever reads it; all others look like files for somebody else.
std::string reason_for_strangers(const std::string& name) {
    return name == "hybrid_not_canonical_body" || name == "hybrid_x25519_arg" ? "encryption_invalid" : "key_wrong";
}

void check_post_quantum(const Vector& vector, const std::string& name, std::size_t piece) {
    int refused = 0;
    for (auto [at, end] = vector.keys.equal_range("identity"); at != end; ++at)
        if (is_post_quantum(at->second)) {
            const std::string& identity = at->second;
            CHECK(reason_of([&] { parse_identities(identity); }) == "identity_invalid");
            ++refused;
        }
    CHECK(refused > 0);
    AgeKeyring somebody = ring_of(x25519_new_key()), nobody, theirs = ring_for(vector);
    std::string released;
    CHECK(opened(vector, somebody, piece, released) == reason_for_strangers(name));
    const std::string without = opened(vector, nobody, piece, released);
    CHECK(without == (reason_for_strangers(name) == "key_wrong" ? "key_missing" : "encryption_invalid"));
    if (name == "hybrid_x25519_arg") CHECK(fits(vector.one("expect"), opened(vector, theirs, piece, released)));
    CHECK(released.empty());
}

std::vector<std::filesystem::path> vectors_with(bool hybrid) {
    const std::filesystem::path folder = std::filesystem::path(REPRISE_SOURCE_FOLDER) / ".." / "shared" / "vectors" / "age";
    std::vector<std::filesystem::path> found;
    if (!std::filesystem::is_directory(folder)) {
        MESSAGE("skipped: the vectors lie in ../shared, which is not here");
        return found;
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if ((entry.path().filename().string().find("hybrid") != std::string::npos) == hybrid) found.push_back(entry.path());
    CHECK(found.size() == (hybrid ? 19 : 124));
    return found;
}

}  // namespace

TEST_CASE("every age vector behaves as it says") {
    for (const auto& path : vectors_with(false)) {
        CAPTURE(path);
        const Vector vector = read_vector(path);
        check(vector, 1 << 20);
        check(vector, 7);
    }
}

TEST_CASE("age vectors for post-quantum recipients are files for somebody else, and their identities are refused by name") {
    for (const auto& path : vectors_with(true)) {
        CAPTURE(path);
        const Vector vector = read_vector(path);
        for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{7}})
            check_post_quantum(vector, path.filename().string(), piece);
    }
}
