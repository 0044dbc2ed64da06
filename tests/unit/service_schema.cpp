#include <doctest/doctest.h>

#include "service/schema.h"

using namespace reprise;

namespace {

Schema house() {
    const KeyRule keep{"keep_last", KeyType::number, false, {}, 0, 100};
    const KeyRule within{"keep_within", KeyType::text, true, {"7d", "1m"}, 0, 0};
    const KeyRule share{"least_share", KeyType::real, false, {}, 0, 1};
    const KeyRule names{"names", KeyType::texts, false, {}, 0, 0};
    const KeyRule deep{"deep", KeyType::object, false, {}, 0, 0, {share}, false};
    return {Code::invalid_config,
            "configuration",
            {{"database", KeyType::text, true, {}, 0, 0},
             {"retention", KeyType::object, false, {}, 0, 0, {keep, within, names, deep}, true},
             {"guard", KeyType::object, false, {}, 0, 0, {share}, false}}};
}

std::string refused(const char* json) {
    try {
        parse_checked(json, house());
    } catch (const Failure& failure) {
        CHECK(failure.code == Code::invalid_config);
        return failure.reason + ": " + failure.message;
    }
    return "taken";
}

}  // namespace

TEST_CASE("S12: a key inside an object is refused by its path, with the key that was meant") {
    CHECK(refused(R"({"database":"hr","retention":{"keep_lst":7,"keep_within":"7d"}})") ==
          "key_unknown: unknown key retention.keep_lst in the configuration; did you mean \"retention.keep_last\"?");
    CHECK(refused(R"({"database":"hr","guard":{"colour":1}})") ==
          "key_unknown: unknown key guard.colour in the configuration: known are guard.least_share");
    CHECK(refused(R"({"database":"hr","retention":{"keep_within":"7d","deep":{"least_shares":1}}})") ==
          "key_unknown: unknown key retention.deep.least_shares in the configuration; did you mean "
          "\"retention.deep.least_share\"?");
    CHECK(refused(R"({"database":"hr","guard":{"keep_last":1}})").find("unknown key guard.keep_last") != std::string::npos);
}

TEST_CASE("S12: a value of the wrong type or size inside an object is refused by its path") {
    CHECK(refused(R"({"database":"hr","retention":{"keep_last":"7","keep_within":"7d"}})") ==
          "key_type_wrong: key retention.keep_last of the configuration is a string, expected a whole number");
    CHECK(refused(R"({"database":"hr","retention":{"keep_last":1.5,"keep_within":"7d"}})") ==
          "key_type_wrong: key retention.keep_last of the configuration is a number, expected a whole number");
    CHECK(refused(R"({"database":"hr","retention":{"keep_last":101,"keep_within":"7d"}})") ==
          "key_value_wrong: key retention.keep_last of the configuration must be from 0 to 100");
    CHECK(refused(R"({"database":"hr","retention":{"keep_within":"1y"}})") ==
          "key_value_wrong: key retention.keep_within of the configuration must be one of \"7d\", \"1m\"");
    CHECK(refused(R"({"database":"hr","retention":{"keep_within":"7d","names":["a",5]}})") ==
          "key_type_wrong: key retention.names[1] of the configuration is a number, expected a string");
    CHECK(refused(R"({"database":"hr","guard":{"least_share":true}})") ==
          "key_type_wrong: key guard.least_share of the configuration is a boolean, expected a number");
    CHECK(refused(R"({"database":"hr","guard":{"least_share":1.01}})") ==
          "key_value_wrong: key guard.least_share of the configuration must be from 0 to 1");
    CHECK(refused(R"({"database":"hr","guard":{"least_share":2}})").rfind("key_value_wrong", 0) == 0);
}

TEST_CASE("S12: an object is wanted where an object is wanted, and its required keys in it") {
    CHECK(refused(R"({"database":"hr","guard":false})") ==
          "key_type_wrong: key guard of the configuration is a boolean, expected an object");
    CHECK(refused(R"({"database":"hr","retention":7})") ==
          "key_type_wrong: key retention of the configuration is a number, expected an object or a boolean");
    CHECK(refused(R"({"database":"hr","retention":null})") ==
          "key_type_wrong: key retention of the configuration is null, expected an object or a boolean");
    CHECK(refused(R"({"database":"hr","retention":{}})") ==
          "key_missing: the configuration has no key retention.keep_within, which is required");
    CHECK(refused(R"({"database":"hr","retention":{"keep_within":""}})").rfind("key_value_wrong", 0) == 0);
}

TEST_CASE("what a schema knows is read back through the readers") {
    const Json json = parse_checked(R"({"database":"hr","retention":false,"guard":{"least_share":0.25}})", house());
    CHECK(switch_or(json, "retention", true) == false);
    CHECK(object_or_empty(json, "retention").as_object().empty());
    CHECK(switch_or(json, "guard", true) == true);
    CHECK(real_or(object_or_empty(json, "guard"), "least_share", 0.5) == 0.25);
    const Json whole = parse_checked(R"({"database":"hr","guard":{"least_share":1}})", house());
    CHECK(real_or(object_or_empty(whole, "guard"), "least_share", 0.5) == 1.0);
    CHECK(real_or(object_or_empty(whole, "absent"), "least_share", 0.5) == 0.5);
}

TEST_CASE("a schema prints its objects with their keys") {
    CHECK(describe_keys(house()).text() ==
          R"({"database":"string","retention":{"keys":{"keep_last":"whole number","keep_within":{"one_of":["7d","1m"]},)"
          R"("names":"array of strings","deep":{"keys":{"least_share":"number"}}},"or":"boolean"},)"
          R"("guard":{"keys":{"least_share":"number"}}})");
}
