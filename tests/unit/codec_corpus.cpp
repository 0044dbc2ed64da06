// The BSON corpus of the MongoDB specifications: bytes, canonical and relaxed Extended JSON, and what must be refused.
#include <bson/bson.h>

#include "codec/json.h"
#include "codec_support.h"

using namespace codec_test;

namespace {

const std::string* text_at(const Json& value, const char* key) {
    const Json* found = value.find(key);
    return found == nullptr ? nullptr : &found->as_string();
}

bool flag(const Json& value, const char* key) {
    const Json* found = value.find(key);
    return found != nullptr && found->as_bool();
}

// What libbson makes of a text; empty when it refuses.
std::string libbson_decode(const std::string& text) {
    bson_error_t error;
    bson_t* document =
        bson_new_from_json(reinterpret_cast<const std::uint8_t*>(text.data()), static_cast<ssize_t>(text.size()), &error);
    if (document == nullptr) return {};
    std::string bytes(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    bson_destroy(document);
    return bytes;
}

// libbson 1.23 cuts $code at a NUL.
bool libbson_can_read(const std::string& text) {
    return text.find("$code") == std::string::npos || text.find("\\u0000") == std::string::npos;
}

void check_valid(const Json& test) {
    const std::string bytes = unhex(*text_at(test, "canonical_bson"));
    for (const Profile profile : {Profile::readable, Profile::portable}) {
        std::uint32_t escapes = 0;
        const std::string text = encode(bytes, profile, &escapes);
        CAPTURE(text);
        CHECK(decode(text) == bytes);
        if (escapes == 0 && libbson_can_read(text)) CHECK(to_hex(libbson_decode(text)) == to_hex(bytes));
    }
    if (flag(test, "lossy")) return;
    for (const char* key : {"canonical_extjson", "relaxed_extjson", "degenerate_extjson"}) {
        const std::string* text = text_at(test, key);
        if (text == nullptr) continue;
        CAPTURE(*text);
        if (std::string_view(key) == "relaxed_extjson") {
            // Relaxed loses int64 within int32 by design; what it reads as must still be stable.
            const std::string relaxed = decode(*text);
            CHECK(decode(encode(relaxed)) == relaxed);
        } else {
            CHECK(to_hex(decode(*text)) == to_hex(bytes));
        }
    }
}

// Wrong lengths and types are refused. What is only odd inside (UTF-8, booleans, old binaries) is escaped and comes back.
void check_decode_error(const Json& test) {
    const std::string bytes = unhex(*text_at(test, "bson"));
    const std::string description = *text_at(test, "description");
    const bool is_odd_inside = description.find("UTF-8") != std::string::npos ||
                               description.find("boolean value") != std::string::npos ||
                               description.find("subtype 0x02") != std::string::npos;
    try {
        std::uint32_t escapes = 0;
        const std::string text = encode(bytes, Profile::readable, &escapes);
        CHECK(is_odd_inside);
        CHECK(escapes == 1);
        CHECK(decode(text) == bytes);
    } catch (const Failure& failure) {
        CHECK_FALSE(is_odd_inside);
        CHECK(failure.reason == "bson_invalid");
    }
}

}  // namespace

TEST_CASE("every document of the BSON corpus comes back byte for byte, and libbson reads ours the same") {
    for (const auto& file : vector_files("bson-corpus")) {
        CAPTURE(file.filename().string());
        const Json corpus = parse_json(read_file(file));
        const Json* tests = corpus.find("valid");
        if (tests == nullptr) continue;
        for (const Json& test : tests->as_array()) {
            CAPTURE(*text_at(test, "description"));
            check_valid(test);
        }
    }
}

TEST_CASE("broken BSON of the corpus is refused or escaped, never guessed at") {
    for (const auto& file : vector_files("bson-corpus")) {
        CAPTURE(file.filename().string());
        const Json corpus = parse_json(read_file(file));
        const Json* tests = corpus.find("decodeErrors");
        if (tests == nullptr) continue;
        for (const Json& test : tests->as_array()) {
            CAPTURE(*text_at(test, "description"));
            check_decode_error(test);
        }
    }
}

TEST_CASE("Extended JSON that the corpus calls wrong is refused") {
    for (const auto& file : vector_files("bson-corpus")) {
        CAPTURE(file.filename().string());
        const Json corpus = parse_json(read_file(file));
        const Json* tests = corpus.find("parseErrors");
        if (tests == nullptr) continue;
        const bool is_decimal = text_at(corpus, "bson_type") != nullptr && *text_at(corpus, "bson_type") == "0x13";
        for (const Json& test : tests->as_array()) {
            std::string text = *text_at(test, "string");
            if (is_decimal) text = Json::object({{"d", Json::object({{"$numberDecimal", text}})}}).text();
            CAPTURE(text);
            CHECK(refusal(text) != "accepted");
        }
    }
}
