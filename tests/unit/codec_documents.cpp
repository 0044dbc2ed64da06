// How each type is written, what is escaped and at which level, and what is refused in documents.
#include <cfloat>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "codec_support.h"

using namespace codec_test;

namespace {

std::string double_text(double value) { return written(BsonType::double_, le(value)); }

std::string date_text(std::int64_t unix_ms) { return written(BsonType::date, le(unix_ms)); }

std::string raw(const char* type, std::string_view bytes) {
    std::string text = "{\"$rawBson\":{\"type\":\""s + type + "\",\"base64\":\"";
    append_base64(text, bytes);
    return text + "\"}}";
}

std::string code_w_scope(std::string_view code, const std::string& scope) {
    const std::string body = counted_text(code) + scope;
    return le(static_cast<std::int32_t>(body.size() + 4)) + body;
}

std::string nested(int levels) {
    std::string document = BsonBuilder().str();
    for (int level = 1; level < levels; ++level)
        document = level % 2 == 0 ? BsonBuilder().doc("0", document).str() : BsonBuilder().array("0", document).str();
    return document;
}

}  // namespace

TEST_CASE("whole numbers are written plain where every reader gives the same type") {
    CHECK(written(BsonType::int32, le(std::int32_t{5})) == "5");
    CHECK(written(BsonType::int32, le(INT32_MIN)) == "-2147483648");
    CHECK(written(BsonType::int64, le(std::int64_t{5})) == "{\"$numberLong\":\"5\"}");
    CHECK(written(BsonType::int64, le(std::int64_t{INT32_MAX} + 1)) == "2147483648");
    CHECK(written(BsonType::int64, le(std::int64_t{INT32_MIN})) == "{\"$numberLong\":\"-2147483648\"}");
    CHECK(written(BsonType::int64, le(std::int64_t{9007199254740991})) == "9007199254740991");
    CHECK(written(BsonType::int64, le(std::int64_t{-9007199254740991})) == "-9007199254740991");
    CHECK(written(BsonType::int64, le(std::int64_t{9007199254740992})) == "{\"$numberLong\":\"9007199254740992\"}");
    CHECK(written(BsonType::int64, le(INT64_MIN)) == "{\"$numberLong\":\"-9223372036854775808\"}");
}

TEST_CASE("doubles have the shortest digits and never look whole") {
    CHECK(double_text(7.0) == "7.0");
    CHECK(double_text(-0.0) == "-0.0");
    CHECK(double_text(36.46) == "36.46");
    CHECK(double_text(0.1 + 0.2) == "0.30000000000000004");
    CHECK(double_text(100000.0) == "100000.0");
    CHECK(double_text(1e20) == "100000000000000000000.0");
    CHECK(double_text(1e21) == "1e+21");
    CHECK(double_text(std::nextafter(1e21, 0)) == "999999999999999900000.0");
    CHECK(double_text(1e-6) == "0.000001");
    CHECK(double_text(9.99e-7) == "9.99e-07");
    CHECK(double_text(5e-324) == "5e-324");
    CHECK(double_text(DBL_MAX) == "1.7976931348623157e+308");
    CHECK(double_text(DBL_MIN) == "2.2250738585072014e-308");
    CHECK(double_text(9007199254740993.0) == "9007199254740992.0");
    CHECK(double_text(std::numeric_limits<double>::quiet_NaN()) == "{\"$numberDouble\":\"NaN\"}");
    CHECK(double_text(-HUGE_VAL) == "{\"$numberDouble\":\"-Infinity\"}");
    for (const std::uint64_t odd : {0xFFF8000000000000u, 0x7FF8000000000001u, 0x7FF0000000000001u})
        CHECK(written(BsonType::double_, le(odd), 1) == raw("01", le(odd)));
    CHECK(encode(one(BsonType::double_, le(7.0)), Profile::portable) == "{\"a\":{\"$numberDouble\":\"7.0\"}}");
    CHECK(encode(one(BsonType::double_, le(7.5)), Profile::portable) == "{\"a\":7.5}");
}

TEST_CASE("dates from 1970 to 9999 are readable, others are numbers") {
    CHECK(date_text(0) == "{\"$date\":\"1970-01-01T00:00:00Z\"}");
    CHECK(date_text(1) == "{\"$date\":\"1970-01-01T00:00:00.001Z\"}");
    CHECK(date_text(951827696120) == "{\"$date\":\"2000-02-29T12:34:56.120Z\"}");
    CHECK(date_text(253402300799999) == "{\"$date\":\"9999-12-31T23:59:59.999Z\"}");
    CHECK(date_text(253402300800000) == "{\"$date\":{\"$numberLong\":\"253402300800000\"}}");
    CHECK(date_text(-1) == "{\"$date\":{\"$numberLong\":\"-1\"}}");
    CHECK(date_text(INT64_MIN) == "{\"$date\":{\"$numberLong\":\"-9223372036854775808\"}}");
    CHECK(decode(R"({"a":{"$date":"1969-12-31T23:59:59.9Z"}})") == one(BsonType::date, le(std::int64_t{-100})));
    CHECK(decode(R"({"a":{"$date":"1970-01-01T01:00:00+01:00"}})") == one(BsonType::date, le(std::int64_t{0})));
    for (const char* bad : {"2023-02-29T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:00:00.1234Z", "2023-01-01T00:00:00",
                            "2023-01-01 00:00:00Z", "2023-1-01T00:00:00Z", "", "2023-01-01T00:00:00.Z"})
        CHECK(refusal("{\"a\":{\"$date\":\""s + bad + "\"}}") == "extended_json_invalid");
}

TEST_CASE("strings keep every character, and what is not UTF-8 is escaped") {
    CHECK(written(BsonType::string, counted_text("é\"\\/\b\f\n\r\t\x01\x1f\x7f\0😀"s)) ==
          "\"é\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000😀\"");
    for (const char* bad : {"\xED\xA0\x80", "\xC0\x80", "\xF4\x90\x80\x80", "abcdefgh\xFF", "\xE2\x82"})
        CHECK(written(BsonType::string, counted_text(bad), 1) == raw("02", counted_text(bad)));
    // Every length and place, so that the loops that go by words meet every edge.
    for (std::size_t size = 0; size < 40; ++size)
        for (std::size_t at = 0; at < size; ++at)
            for (const char* special : {"\"", "é", "\n", "\xFF"}) {
                std::string text(size, 'x');
                text.replace(at, 1, special);
                written(BsonType::string, counted_text(text), *special == '\xFF' ? 1 : 0);
            }
}

TEST_CASE("what Extended JSON cannot say is escaped at the smallest level that works") {
    const std::string null_a = BsonBuilder().null("a").str();
    CHECK(written(BsonType::boolean, "\2", 1) == raw("08", "\2"));
    CHECK(written(BsonType::binary, le(std::int32_t{1}) + "\2x", 1) == raw("05", le(std::int32_t{1}) + "\2x"));
    CHECK(written(BsonType::regex, "a\0mi\0"s, 1) == raw("0b", "a\0mi\0"s));
    CHECK(written(BsonType::regex, "a\0ii\0"s, 1) == raw("0b", "a\0ii\0"s));
    CHECK(written(BsonType::regex, "a\0im\0"s) == R"({"$regularExpression":{"pattern":"a","options":"im"}})");
    CHECK(written(BsonType::decimal128, std::string(16, '\xFF'), 1) == raw("13", std::string(16, '\xFF')));
    const std::string twice = BsonBuilder().null("k").null("k").str();
    CHECK(written(BsonType::document, twice, 1) == raw("03", twice));
    const std::string bad_index = BsonBuilder().null("1").str();
    CHECK(written(BsonType::array, bad_index, 1) == raw("04", bad_index));
    const std::string bad_key =
        BsonBuilder().doc("deep", BsonBuilder().raw(BsonType::boolean, "b", "\2").str()).null("\xFF").str();
    CHECK(written(BsonType::document, bad_key, 1) == raw("03", bad_key));
    CHECK(written(BsonType::document, BsonBuilder().doc("in", twice).str(), 1) == "{\"in\":" + raw("03", twice) + "}");
    // The top level: the whole line.
    CHECK(encode(twice) == raw("03", twice));
    CHECK(decode(encode(twice)) == twice);
}

TEST_CASE("a document with a key that means something is escaped wherever the key stands, DBRefs stay plain") {
    for (const char* key :
         {"$oid",    "$symbol", "$numberInt", "$numberLong", "$numberDouble",      "$numberDecimal", "$binary",
          "$uuid",   "$code",   "$scope",     "$timestamp",  "$regularExpression", "$dbPointer",     "$date",
          "$minKey", "$maxKey", "$undefined", "$regex",      "$options",           "$type",          "$rawBson"}) {
        const std::string last = BsonBuilder().add("x", 1).doc("y", BsonBuilder().str()).add(key, "v").str();
        CHECK(written(BsonType::document, last, 1) == raw("03", last));
        CHECK(encode(last) == raw("03", last));
        CHECK(refusal("{\"x\":1,\""s + key + "\":{\"y\":\"z\"}}") ==
              (key == "$regex"s || key == "$options"s || key == "$type"s ? "accepted" : "extended_json_invalid"));
    }
    const std::string reference =
        BsonBuilder().add("$ref", "c").raw(BsonType::oid, "$id", std::string(12, '\1')).add("$db", "d").str();
    CHECK(written(BsonType::document, reference) == R"({"$ref":"c","$id":{"$oid":"010101010101010101010101"},"$db":"d"})");
}

TEST_CASE("code is kept with its NULs, in arrays and inside scopes") {
    CHECK(written(BsonType::code, counted_text("a\0b"s)) == "{\"$code\":\"a\\u0000b\"}");
    const std::string inner = BsonBuilder().raw(BsonType::code, "f", counted_text("x\0"s)).str();
    CHECK(written(BsonType::code_w_scope, code_w_scope("a\0b"s, inner)) ==
          "{\"$code\":\"a\\u0000b\",\"$scope\":{\"f\":{\"$code\":\"x\\u0000\"}}}");
    BsonArray array;
    array.raw(BsonType::code, counted_text("1"))
        .raw(BsonType::code_w_scope, code_w_scope("2", inner))
        .raw(BsonType::code, counted_text("3"));
    written(BsonType::array, array.str());
    const std::string twice = BsonBuilder().null("k").null("k").str();
    CHECK(written(BsonType::code_w_scope, code_w_scope("c", twice), 1) ==
          "{\"$code\":\"c\",\"$scope\":" + raw("03", twice) + "}");
    CHECK(written(BsonType::code_w_scope, code_w_scope("\xFF", inner), 1) == raw("0f", code_w_scope("\xFF", inner)));
    CHECK(decode(R"({"a":{"$scope":{"b":1},"$code":"late"}})") ==
          one(BsonType::code_w_scope, code_w_scope("late", BsonBuilder().add("b", 1).str())));
    for (const char* bad :
         {R"({"a":{"$scope":{}}})", R"({"a":{"$code":"x","$scope":[]}})", R"({"a":{"$code":"x","$scope":{},"b":1}})",
          R"({"a":{"$scope":{},"$code":5}})", R"({"a":{"$code":"x","$scope":{"$oid":"010101010101010101010101"}}})"})
        CHECK(refusal(bad) != "accepted");
}

TEST_CASE("documents are refused for a bare -0, numbers out of range, old forms and repeated keys") {
    CHECK(refusal(R"({"a":-0})") == "json_invalid");
    CHECK(refusal(R"({"a":1e999})") == "number_out_of_range");
    CHECK(refusal(R"({"a":9223372036854775808})") == "number_out_of_range");
    CHECK(refusal(R"({"a":{"$numberInt":"2147483648"}})") == "number_out_of_range");
    CHECK(refusal(R"({"a":{"$date":5}})") == "extended_json_invalid");
    CHECK(refusal(R"({"a":{"$regex":"x","$options":"i"}})") == "extended_json_invalid");
    CHECK(refusal(R"({"a":{"$binary":"AA==","$type":"00"}})") == "extended_json_invalid");
    CHECK(refusal(R"({"a":1,"\u0061":2})") == "duplicate_key");
    CHECK(refusal(R"({"a\u0000b":1})") == "json_invalid");
    CHECK(refusal(R"({"a":"\ud800"})") == "json_invalid");
    CHECK(refusal(R"({"a":"\udc00\ud800"})") == "json_invalid");
    CHECK(refusal("{}{}") == "json_invalid");
    CHECK(refusal("{}\0"s) == "json_invalid");
    CHECK(refusal("{\"a\":1}\0{}"s) == "json_invalid");
    CHECK(refusal("[]") == "json_invalid");
    CHECK(refusal("5") == "json_invalid");
    CHECK(refusal("") == "json_invalid");
    CHECK(refusal(R"({"$oid":"010101010101010101010101"})") != "accepted");
    CHECK(decode(R"({"a":1e-999,"b":-1e-999})") == BsonBuilder().add("a", 0.0).add("b", -0.0).str());
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"key" + std::to_string(i) + "\":0,";
    CHECK(refusal(many + "\"key\":0}") == "accepted");
    CHECK(refusal(many + "\"key7\":0}") == "duplicate_key");
}

TEST_CASE("an escape must be canonical and hold one complete value") {
    CHECK(decode(R"({"a":{"$rawBson":{"base64":"Ag==","type":"08"}}})") == one(BsonType::boolean, "\2"));
    for (const char* bad :
         {R"({"type":"08","base64":"Ah=="})", R"({"type":"08","base64":"Ag"})", R"({"type":"8","base64":"Ag=="})",
          R"({"type":"0B","base64":"AAA="})", R"({"type":"08","base64":"AgI="})", R"({"type":"08"})",
          R"({"type":"08","base64":"Ag==","x":1})", R"({"type":"03","base64":"BQAAAAE="})", R"({"type":"14","base64":""})",
          R"(5)", R"("x")", R"({"type":"08","base64":5})"}) {
        CAPTURE(bad);
        CHECK(refusal("{\"a\":{\"$rawBson\":"s + bad + "}}") == "escape_invalid");
    }
    CHECK(refusal(R"({"a":{"$rawBson":{"type":"08","base64":"Ag=="},"b":1}})") == "escape_invalid");
}

TEST_CASE("depth 200 goes through both ways and 201 does not, escapes included") {
    const std::string deepest = nested(kMaxBsonDepth);
    CHECK(decode(encode(deepest)) == deepest);
    CHECK(encode_refusal(nested(kMaxBsonDepth + 1)) == "document_too_deep");
    std::string scopes = BsonBuilder().str();
    for (int level = 1; level < kMaxBsonDepth; ++level)
        scopes = BsonBuilder().raw(BsonType::code_w_scope, "c", code_w_scope("", scopes)).str();
    CHECK(decode(encode(scopes)) == scopes);
    CHECK(encode_refusal(BsonBuilder().raw(BsonType::code_w_scope, "c", code_w_scope("", scopes)).str()) ==
          "document_too_deep");
    std::string text = encode(deepest);
    CHECK(refusal("{\"a\":" + text + "}") == "document_too_deep");
    CHECK(refusal("{\"a\":" + raw("03", deepest) + "}") == "document_too_deep");
    CHECK(encode_refusal(BsonBuilder().null("$oid").doc("a", deepest).str()) == "document_too_deep");
    CHECK(refusal("{\"a\":" + std::string(100000, '[')) == "document_too_deep");
}

TEST_CASE("documents of 16 MiB go through, and a line that would be too long becomes one escape") {
    const std::string plain = BsonBuilder().add("a", std::string(16 * 1024 * 1024, 'x')).str();
    CHECK((decode(encode(plain)) == plain));
    const std::string controls = BsonBuilder().add("b", "y").add("a", std::string(16 * 1024 * 1024, '\1')).str();
    std::uint32_t escapes = 0;
    const std::string line = encode(controls, Profile::readable, &escapes);
    CHECK(escapes == 1);
    CHECK(line.size() < kMaxLineBytes);
    CHECK((line.compare(0, 12, "{\"$rawBson\":") == 0));
    CHECK((decode(line) == controls));
    CHECK(encode_refusal(BsonBuilder().add("a", std::string(kMaxDocumentBytes, 'x')).str()) == "document_too_large");
    CHECK(refusal("{\"a\":\"" + std::string(kMaxDocumentBytes, 'x') + "\"}") == "document_too_large");
}

TEST_CASE("what is refused leaves the output as it was") {
    Encoder encoder(Profile::readable);
    std::string out = "before";
    CHECK_THROWS_AS(encoder.encode(one(BsonType::boolean, ""), out), Failure);
    CHECK(out == "before");
    encoder.encode(BsonBuilder().add("a", 1).str(), out);
    CHECK(out == "before{\"a\":1}");
}

TEST_CASE("a locale with a decimal comma changes nothing") {
    // Few machines have one: it is compiled where the sources of the locales are installed.
    std::string folder = (std::filesystem::temp_directory_path() / "reprise_locale_XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const int made = std::system(("localedef -i de_DE -f UTF-8 '" + folder + "/de_DE.UTF-8' >" + folder + "/log 2>&1").c_str());
    if (made == 0) ::setenv("LOCPATH", folder.c_str(), 1);
    if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr) {
        MESSAGE("skipped: this machine has no locale with a decimal comma, and cannot make one");
    } else {
        CHECK(std::string(std::localeconv()->decimal_point) == ",");
        CHECK(double_text(36.46) == "36.46");
        CHECK(double_text(1.5e300) == "1.5e+300");
        CHECK(double_text(0.1 + 0.2) == "0.30000000000000004");
    }
    std::setlocale(LC_ALL, "C");
    ::unsetenv("LOCPATH");
    std::filesystem::remove_all(folder);
}
