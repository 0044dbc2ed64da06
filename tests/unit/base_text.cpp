#include <doctest/doctest.h>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"

using namespace reprise;

TEST_CASE("base64 goes there and back and refuses what is not canonical") {
    for (const std::string text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
        std::string encoded;
        append_base64(encoded, text);
        CHECK(from_base64(encoded) == text);
    }
    CHECK_FALSE(from_base64("Zh=="));  // unused bits set
    CHECK_FALSE(from_base64("Zg="));
    CHECK_FALSE(from_base64("Z=g="));
    CHECK_FALSE(from_base64("Zm9v\n"));
}

TEST_CASE("UTF-8 with surrogates or overlong forms is not UTF-8") {
    CHECK(is_utf8("é€𝄞"));
    CHECK_FALSE(is_utf8("\xED\xA0\x80"));
    CHECK_FALSE(is_utf8("\xC0\x80"));
    CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));
    CHECK_FALSE(is_utf8("\xE2\x82"));
    CHECK(cut_at_character("aé", 2) == "a");
}

TEST_CASE("what is printed steers no terminal") {
    CHECK(printable("Zo\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") == "Zo\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    CHECK(printable("a\x1B[31m\x7F") == "a?[31m?");
    CHECK(printable("a\xC2\x9B" "31m\xE2\x80\xAE" "b\xE2\x80\xA8" "c\xE2\x81\xA6") == "a?31m?b?c?");
    CHECK(printable("\xC3") == "?");
}

TEST_CASE("a time stamp goes there and back") {
    CHECK(iso_time(1760286441123456) == "2025-10-12T16:27:21.123456Z");
    CHECK(from_iso_time("2025-10-12T16:27:21.123456Z") == 1760286441123456);
    CHECK(from_iso_time("2025-10-12T16:27:21Z") == 1760286441000000);
    CHECK(compact_time(1760286441123456) == "20251012_162721");
    CHECK(from_compact_time("20251012_162721") == 1760286441000000);
    CHECK_FALSE(from_compact_time("20250230_000000"));
    CHECK_FALSE(from_compact_time("20251012-162721"));
    CHECK(iso_time(-1) == "1969-12-31T23:59:59.999999Z");
    CHECK_FALSE(from_iso_time("2025-02-30T00:00:00Z"));
    CHECK_FALSE(from_iso_time("2025-10-12 16:27:21"));
}

TEST_CASE("a built document reads back field by field") {
    const std::string bytes =
        BsonBuilder().add("a", "x").add("b", std::int64_t{5}).doc("c", BsonBuilder().add("d", true).str()).str();
    const BsonView view(bytes);
    CHECK(view.find("a")->text() == "x");
    CHECK(view.find("b")->integer() == 5);
    CHECK(view.at_path("c.d")->truthy());
    CHECK_FALSE(view.at_path("c.e"));
    CHECK_THROWS_AS(BsonView(std::string_view(bytes).substr(1)), Failure);
}
