// What the codec's tests share: both directions in one call, the vectors from elsewhere, and the reason of a refusal.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "base/bson.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "base/text.h"
#include "codec/bson_to_json.h"
#include "codec/json_to_bson.h"

namespace codec_test {

using namespace reprise;
using namespace std::string_literals;

inline std::string encode(std::string_view document, Profile profile = Profile::readable, std::uint32_t* escapes = nullptr) {
    static Encoder readable(Profile::readable), portable(Profile::portable);
    std::string out;
    const std::uint32_t count = (profile == Profile::readable ? readable : portable).encode(document, out);
    if (escapes != nullptr) *escapes = count;
    return out;
}

inline std::string decode(std::string text) {
    static Decoder decoder;
    return std::string(decoder.decode(text));
}

inline std::string unhex(std::string_view hex) {
    const auto bytes = from_hex(hex);
    REQUIRE(bytes);
    return *bytes;
}

inline std::string reason_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        CHECK(failure.code == Code::corrupt);
        CHECK_FALSE(failure.message.empty());
        return failure.reason;
    }
    return "accepted";
}

inline std::string refusal(const std::string& text) {
    return reason_of([&] { decode(text); });
}

inline std::string encode_refusal(const std::string& document) {
    return reason_of([&] { encode(document); });
}

// A document with one field "a" of these bytes.
inline std::string one(BsonType type, std::string_view value) { return BsonBuilder().raw(type, "a", value).str(); }

template <typename T>
std::string le(T value) {
    std::string out;
    append_le(out, value);
    return out;
}

inline std::string counted_text(std::string_view text) {
    return le(static_cast<std::int32_t>(text.size() + 1)) + std::string(text) + '\0';
}

// What a field "a" of these bytes becomes, after it came back the same; `escapes` of them.
inline std::string written(BsonType type, std::string_view value, std::uint32_t expected_escapes = 0) {
    const std::string document = one(type, value);
    std::uint32_t escapes = 0;
    const std::string text = encode(document, Profile::readable, &escapes);
    CHECK(escapes == expected_escapes);
    CHECK(decode(text) == document);
    REQUIRE(text.size() >= 6);
    REQUIRE(text.substr(0, 5) == "{\"a\":");
    return text.substr(5, text.size() - 6);
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    REQUIRE_MESSAGE(in.good(), path.filename().string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The files of one folder of vectors, sorted; empty, with a message, where there is no ../shared (a user's clone).
inline std::vector<std::filesystem::path> vector_files(const std::string& folder) {
    const std::filesystem::path shared = std::filesystem::path(REPRISE_SOURCE_FOLDER) / ".." / "shared";
    std::vector<std::filesystem::path> files;
    if (!std::filesystem::is_directory(shared)) {
        MESSAGE("skipped: ../shared/vectors is not here");
        return files;
    }
    for (const auto& entry : std::filesystem::directory_iterator(shared / "vectors" / folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    REQUIRE_FALSE(files.empty());
    return files;
}

}  // namespace codec_test
