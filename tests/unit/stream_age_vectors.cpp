// The age test kit (C2SP/CCTV): every vector that needs no post-quantum recipient behaves as it says.
#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "crypto/digest.h"
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

AgeKeyring ring_for(const Vector& vector) {
    return AgeKeyring(
        [&vector] {
            AgeSecrets secrets;
            for (auto [at, end] = vector.keys.equal_range("identity"); at != end; ++at)
                for (Secret& identity : parse_identities(at->second)) secrets.identities.push_back(std::move(identity));
            secrets.passphrase = Secret(vector.one("passphrase"));
            return secrets;
        },
        22);
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

void check(const Vector& vector, std::size_t piece) {
    AgeKeyring ring = ring_for(vector);
    TextSource raw(vector.file, piece);
    const auto bare = vector.one("armored") == "yes" ? make_armor_source(raw) : nullptr;
    const auto age = make_age_source(bare ? *bare : static_cast<Source&>(raw), ring);
    std::string released;
    const std::string reason = reason_of([&] { read_everything(*age, &released); });
    CHECK_MESSAGE(fits(vector.one("expect"), reason), "expected ", vector.one("expect"), ", got ", reason);
    const std::string payload = vector.one("payload");
    if (!payload.empty()) CHECK(sha256_hex(released) == payload);
}

}  // namespace

TEST_CASE("every age vector behaves as it says") {
    const std::filesystem::path shared = std::filesystem::path(REPRISE_SOURCE_FOLDER) / ".." / "shared";
    if (!std::filesystem::is_directory(shared)) {
        MESSAGE("skipped: the vectors lie in ../shared, which is not here");
        return;
    }
    int checked = 0, post_quantum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(shared / "vectors" / "age")) {
        const std::string name = entry.path().filename().string();
        if (name.find("hybrid") != std::string::npos) {
            ++post_quantum;
            continue;
        }
        CAPTURE(name);
        const Vector vector = read_vector(entry.path());
        check(vector, 1 << 20);
        check(vector, 7);
        ++checked;
    }
    MESSAGE(checked, " vectors; ", post_quantum, " that need a post-quantum recipient are left out");
    CHECK(checked == 124);
    CHECK(post_quantum == 19);
}
