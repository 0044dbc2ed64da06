#include <doctest/doctest.h>

#include "service/config.h"

using namespace reprise;

namespace {

Config with(const std::string& keys) {
    return parse_config(R"({"mongo_url":"mongodb://h","database":"hr","directory":"/tmp/x",)" + keys + "}");
}

std::string refused(const std::string& keys) {
    try {
        with(keys);
    } catch (const Failure& failure) {
        CHECK(failure.code == Code::invalid_config);
        return failure.reason + ": " + failure.message;
    }
    return "taken";
}

std::string rule_of(const std::string& keys) {
    const WantedRule wanted = with(keys).startup.empty;
    return wanted.automatic ? "automatic: " + too_few(wanted.rule) : what_counts(wanted.rule) + ": " + too_few(wanted.rule);
}

}  // namespace

TEST_CASE("what counts as empty: a sentinel, a list, the whole database, each with a minimum") {
    CHECK(rule_of(R"("startup":{})") == "automatic: no documents");
    CHECK(rule_of(R"("sentinel":"people")") == "collection people: no documents");
    CHECK(rule_of(R"("sentinel":"people","startup":{"minimum":3})") == "collection people: fewer than 3 documents");
    CHECK(rule_of(R"("startup":{"collections":["a","b","a"]})") == "collections a, b: no documents");
    CHECK(rule_of(R"("sentinel":"people","startup":{"empty":"database","minimum":2})") ==
          "the database: fewer than 2 documents");
    CHECK(rule_of(R"("startup":{"empty":"collections","collections":["a"]})") == "collection a: no documents");
}

TEST_CASE("waiting and failing are the host's to choose") {
    CHECK(with(R"("sentinel":"a")").startup.wait_ms == 15 * 60 * 1000);
    CHECK_FALSE(with(R"("sentinel":"a")").startup.start_anyway);
    CHECK(with(R"("startup":{"wait_ms":-1})").startup.wait_ms == 24 * 60 * 60 * 1000);
    CHECK(with(R"("startup":{"on_failure":"start_anyway","wait_ms":0})").startup.start_anyway);
    const std::string shown = config_to_json(with(R"("startup":{"collections":["a","b"],"wait_ms":5})")).text();
    CHECK(shown.find(
              R"("startup":{"empty":"collections","collections":["a","b"],"minimum":1,"wait_ms":5,"on_failure":"fail"})") !=
          std::string::npos);
}

TEST_CASE("S12: a collection that tells whether the data are lost and is in no backup is refused, naming both keys") {
    const auto contradicts = [](const std::string& keys) {
        const std::string said = refused(keys);
        return said.rfind("keys_contradict: keys ", 0) == 0 ? said.substr(22, said.find(" of the configuration") - 22) : said;
    };
    CHECK(contradicts(R"("sentinel":"people","exclude":["people"])") == "sentinel and exclude");
    CHECK(contradicts(R"("sentinel":"people","include":["work"])") == "sentinel and include");
    CHECK(contradicts(R"("startup":{"collections":["a","people"]},"exclude":["people"])") == "startup.collections and exclude");
    CHECK(contradicts(R"("startup":{"collections":["a","people"]},"include":["a"])") == "startup.collections and include");
    CHECK(contradicts(R"("sentinel":"people","startup":{"empty":"database"},"exclude":["people"])") == "sentinel and exclude");
    CHECK(refused(R"("sentinel":"people","exclude":["work"],"include":["people","work"])") == "taken");
    CHECK(refused(R"("exclude":["users"])") == "taken");
}

TEST_CASE("S12: a wrong startup key is refused by its path") {
    CHECK(refused(R"("startup":{"colections":["a"]})").find("did you mean \"startup.collections\"") != std::string::npos);
    CHECK(refused(R"("startup":{"minimum":0})").find("key startup.minimum") != std::string::npos);
    CHECK(refused(R"("startup":{"on_failure":"go"})").find("must be one of \"fail\", \"start_anyway\"") != std::string::npos);
    CHECK(refused(R"("startup":{"empty":"collections"})").find("name at least one collection") != std::string::npos);
    CHECK(refused(R"("startup":{"empty":"collections","collections":[]})").find("name at least one") != std::string::npos);
    CHECK(refused(R"("startup":{"empty":"database","collections":["a"]})").find("key startup.collections") !=
          std::string::npos);
    CHECK(refused(R"("startup":{"collections":["a$b"]})").find("key startup.collections[0]") != std::string::npos);
    CHECK(refused(R"("startup":{"collections":["reprise"]})").find("key startup.collections[0]") != std::string::npos);
    CHECK(refused(R"("startup":true)").find("expected an object") != std::string::npos);
}
