// Small JSON values, the pull tokenizer, and the JSON test suite against both.
#include "codec/json.h"
#include "codec/json_pull.h"
#include "codec_support.h"

using namespace codec_test;

namespace {

using Token = JsonPull::Token;

// Hands out a text in pieces of `step` bytes, so that every token is cut everywhere.
JsonPull::Read reader_of(std::string_view text, std::size_t step) {
    return [text, step](char* buffer, std::size_t capacity) mutable {
        const std::size_t size = std::min({step, capacity, text.size()});
        std::copy_n(text.data(), size, buffer);
        text.remove_prefix(size);
        return size;
    };
}

std::string pull_all(std::string_view text, std::size_t step, bool lenient = false) {
    JsonPull pull(reader_of(text, step), lenient);
    std::string seen;
    for (;;) {
        const Token token = pull.next();
        switch (token) {
            case Token::begin_object: seen += '{'; break;
            case Token::end_object: seen += '}'; break;
            case Token::begin_array: seen += '['; break;
            case Token::end_array: seen += ']'; break;
            case Token::key: seen += "k(" + std::string(pull.text()) + ")"; break;
            case Token::string: seen += "s(" + std::string(pull.text()) + ")"; break;
            case Token::number: seen += "n(" + std::string(pull.text()) + ")"; break;
            case Token::literal: seen += "l(" + std::string(pull.text()) + ")"; break;
            case Token::end: return seen;
        }
    }
}

std::string pull_refusal(const std::string& text, bool lenient = false) {
    return reason_of([&] { pull_all(text, 7, lenient); });
}

std::string parse_refusal(const std::string& text) {
    return reason_of([&] { parse_json(text); });
}

// Valid JSON that configuration and manifests refuse on purpose.
bool is_refused_on_purpose(const std::string& name) {
    return name.find("duplicated_key") != std::string::npos || name.find("escaped_null_in_key") != std::string::npos;
}

}  // namespace

TEST_CASE("the JSON test suite is taken and refused as it says, by both readers") {
    for (const auto& file : vector_files("json")) {
        const std::string name = file.filename().string();
        const std::string text = read_file(file);
        CAPTURE(name);
        if (name[0] == 'y') {
            CHECK(pull_refusal(text) == "accepted");
            CHECK((parse_refusal(text) == "accepted") != is_refused_on_purpose(name));
        } else if (name[0] == 'n') {
            // 100 000 open brackets are refused for their depth: 1000 here, 64 there.
            CHECK(pull_refusal(text) != "accepted");
            CHECK(parse_refusal(text) != "accepted");
            CHECK(refusal(text) != "accepted");
        }
    }
}

TEST_CASE("a small JSON value goes there and back with its order and types") {
    const std::string text = R"({"b":1,"a":[1.5,7.0,true,false,null,-9223372036854775808],"é":"\"\\\b\f\n\r\t\u0001/"})";
    const Json value = parse_json(text);
    CHECK(value.text() == text);
    CHECK(parse_json(value.text(2)) == value);
    CHECK(value.at("a").as_array()[1].is_int() == false);
    CHECK(value.at("b").as_int() == 1);
    CHECK(value.find("c") == nullptr);
    CHECK_THROWS_AS(value.at("c"), Failure);
    CHECK_THROWS_AS(value.at("b").as_string(), Failure);
}

TEST_CASE("a value that is built by hand reads as written") {
    Json value;
    value.set("a", 1).set("list", Json::array()).set("a", "two");
    Json list;
    list.push(1).push("x").push(nullptr);
    value.set("list", list);
    CHECK(value.text() == R"({"a":"two","list":[1,"x",null]})");
    CHECK(value.text(2) == "{\n  \"a\": \"two\",\n  \"list\": [\n    1,\n    \"x\",\n    null\n  ]\n}");
    CHECK(Json::object().text(2) == "{}");
    CHECK_THROWS_AS(list.set("a", 1), Failure);
}

TEST_CASE("small JSON with duplicate keys, NUL in keys, lone surrogates or trailing bytes is refused with its place") {
    CHECK(parse_refusal(R"({"a":1,"\u0061":2})") == "duplicate_key");
    CHECK(parse_refusal("{\"a\\u0000\":1}") == "json_invalid");
    CHECK(parse_refusal(R"(["\udc00"])") == "json_invalid");
    CHECK(parse_refusal(R"(["\ud800x"])") == "json_invalid");
    CHECK(parse_refusal("{}\0{}"s) == "json_invalid");
    CHECK(parse_refusal("{} {}") == "json_invalid");
    CHECK(parse_refusal(std::string(65, '[') + std::string(65, ']')) == "json_invalid");
    CHECK(parse_refusal(std::string(64, '[') + std::string(64, ']')) == "accepted");
    try {
        parse_json("{\n  \"a\": ?\n}");
        FAIL("accepted");
    } catch (const Failure& failure) {
        CHECK(failure.message.find("line 2, column 8") != std::string::npos);
    }
}

TEST_CASE("the tokenizer gives the same tokens however the text is cut") {
    const std::string text =
        "\t{\"a\" : [1, -2.5e3,\"x\\n\\u00e9\\ud83d\\ude00\", true ,null,{}, []],\r\n\"\\u0062\":false}\n ";
    const std::string expected = "{k(a)[n(1)n(-2.5e3)s(x\né😀)l(true)l(null){}[]]k(b)l(false)}";
    for (const std::size_t step : {1, 2, 3, 5, 8, 1000}) CHECK(pull_all(text, step) == expected);
}

TEST_CASE("a cut text, a wrong text and a deep text are told apart, with line and column") {
    CHECK(pull_refusal("") == "file_truncated");
    CHECK(pull_refusal("{\"a\":[1,2") == "file_truncated");
    CHECK(pull_refusal("{\"a") == "file_truncated");
    CHECK(pull_refusal("{\"a\":tru") == "file_truncated");
    CHECK(pull_refusal("{\"a\":-") == "file_truncated");
    CHECK(pull_refusal("[1 2]") == "json_invalid");
    CHECK(pull_refusal("[1]]") == "json_invalid");
    CHECK(pull_refusal("[\"\\ud800\"]") == "json_invalid");
    CHECK(pull_refusal("[NaN]") == "json_invalid");
    CHECK(pull_refusal("[\"\xED\xA0\x80\"]") == "json_invalid");
    CHECK(pull_refusal(std::string(1000, '[') + std::string(1000, ']')) == "accepted");
    CHECK(pull_refusal(std::string(1001, '[') + std::string(1001, ']')) == "json_too_deep");
    try {
        pull_all("{\n \"a\":\n  x}", 3);
        FAIL("accepted");
    } catch (const Failure& failure) {
        CHECK(failure.message.find("line 3, column 3") != std::string::npos);
    }
}

TEST_CASE("the lenient tokenizer takes what Python's json.dump writes") {
    CHECK(pull_all("[NaN,Infinity,-Infinity,-1]", 1, true) == "[n(NaN)n(Infinity)n(-Infinity)n(-1)]");
    CHECK(pull_all(R"(["\ud800a","\udc00","\ud800\ud83d\ude00","\ud800\u0041"])", 1, true) ==
          "[s(\uFFFDa)s(\uFFFD)s(\uFFFD😀)s(\uFFFDA)]");
    JsonPull pull(reader_of(R"(["\ud800\ud801","\udfff"])", 1), true);
    while (pull.next() != Token::end) {
    }
    CHECK(pull.replaced_surrogates() == 3);
    CHECK(pull_refusal("[Nan]", true) == "json_invalid");
    CHECK(pull_refusal("[+Infinity]", true) == "json_invalid");
    CHECK(pull_refusal("[-Inf", true) == "file_truncated");
}

TEST_CASE("a whole value is taken raw, and what follows it is next") {
    const std::string text = "{\"a\": [1, {\"x\":\"]\\\\\\\"\"},\n 3], \"b\":{}}";
    for (const std::size_t step : {1, 3, 1000}) {
        JsonPull pull(reader_of(text, step), false);
        CHECK(pull.next() == Token::begin_object);
        CHECK(pull.next() == Token::key);
        CHECK(pull.next() == Token::begin_array);
        CHECK(pull.take_raw(100) == "[1, {\"x\":\"]\\\\\\\"\"},\n 3]");
        CHECK(pull.line() == 2);
        CHECK(pull.next() == Token::key);
        CHECK(pull.text() == "b");
        CHECK(pull.next() == Token::begin_object);
        CHECK(pull.take_raw(100) == "{}");
        CHECK(pull.next() == Token::end_object);
        CHECK(pull.next() == Token::end);
    }
}

TEST_CASE("a raw value is refused when it is too large, cut, too deep or badly closed") {
    const auto raw_refusal = [](const std::string& text, std::size_t max_bytes) {
        return reason_of([&] {
            JsonPull pull(reader_of(text, 5), false);
            pull.next();
            pull.take_raw(max_bytes);
            pull.next();
        });
    };
    CHECK(raw_refusal("[1,2,3]", 7) == "accepted");
    CHECK(raw_refusal("[1,2,3]", 6) == "document_too_large");
    CHECK(raw_refusal("[\"]", 100) == "file_truncated");
    CHECK(raw_refusal("[\"\\", 100) == "file_truncated");
    CHECK(raw_refusal("[{]", 100) == "json_invalid");
    CHECK(raw_refusal(std::string(1001, '['), 5000) == "json_too_deep");
}

TEST_CASE("a document of the replaced system becomes plain BSON") {
    LegacyDecoder decoder;
    const LegacyDocument document = decoder.decode(
        R"({"_id":"68e","n":5,"big":5000000000,"x":NaN,"y":-Infinity,"f":1.0,"s":"a\ud800","l":[1,true,null,{"k":[]}]})");
    CHECK(document.replaced_surrogates == 1);
    CHECK(
        encode(document.bson) ==
        "{\"_id\":\"68e\",\"n\":5,\"big\":5000000000,\"x\":{\"$numberDouble\":\"NaN\"},\"y\":{\"$numberDouble\":\"-Infinity\"},"
        "\"f\":1.0,\"s\":\"a\uFFFD\",\"l\":[1,true,null,{\"k\":[]}]}");
    CHECK(decoder.decode("{}").replaced_surrogates == 0);
}

TEST_CASE("what the replaced system cannot have written is refused") {
    LegacyDecoder decoder;
    const auto legacy_refusal = [&](const std::string& text) { return reason_of([&] { decoder.decode(text); }); };
    CHECK(legacy_refusal(R"({"_id":{"$oid":"68e000000000000000000000"}})") == "legacy_extended_json");
    CHECK(legacy_refusal(R"({"a":{"b":1,"$date":"x"}})") == "legacy_extended_json");
    CHECK(legacy_refusal(R"({"a":9223372036854775808})") == "number_out_of_range");
    CHECK(legacy_refusal(R"({"a":9223372036854775807})") == "accepted");
    CHECK(legacy_refusal(R"({"a":1,"a":2})") == "duplicate_key");
    CHECK(legacy_refusal(R"({"a":1)") == "file_truncated");
    CHECK(legacy_refusal(R"([1])") == "json_invalid");
    CHECK(legacy_refusal(R"({"a":1} x)") == "json_invalid");
    CHECK(legacy_refusal("{}") == "accepted");
}
