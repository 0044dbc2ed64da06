#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "format_support.h"

using namespace reprise;
using namespace format_test;

namespace {

// As json.dump(…, default=str, indent=2, ensure_ascii=False or True) writes it: no newline at the end.
const char* const kOld = R"({
  "backup_date": "2025-10-12T16:27:21.123456",
  "database": "test_database",
  "collections": {
    "users": [
      {
        "_id": "68ebd0f5a5b4c3d2e1f00001",
        "name": "Sophie",
        "hired": "2019-04-01 00:00:00",
        "rate": NaN,
        "high": Infinity,
        "low": -Infinity,
        "odd": "x\ud800y",
        "big": 1700000000123,
        "small": 5,
        "half": 0.5,
        "list": [1, {"a": null, "b": true}],
        "empty": {}
      },
      {}
    ],
    "absences": []
  }
})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a file of the replaced system is read, with a warning") {
    const Backup got = read(kOld);
    CHECK(got.legacy);
    CHECK(got.header.format == 0);
    CHECK(got.header.database == "test_database");
    CHECK(got.header.backup_date_us == 1760286441123456);
    REQUIRE(got.collections.size() == 2);
    REQUIRE(got.collections[0].documents.size() == 2);
    const BsonView user(got.collections[0].documents[0]);
    CHECK(user.find("_id")->text() == "68ebd0f5a5b4c3d2e1f00001");
    CHECK(std::isnan(user.find("rate")->number()));
    CHECK(user.find("high")->number() == std::numeric_limits<double>::infinity());
    CHECK(user.find("low")->number() == -std::numeric_limits<double>::infinity());
    CHECK(user.find("odd")->text() == "x\xEF\xBF\xBDy");
    CHECK(user.find("big")->type == BsonType::int64);
    CHECK(user.find("small")->type == BsonType::int32);
    CHECK(user.find("half")->number() == 0.5);
    CHECK(got.summary.documents == 2);
    CHECK(got.summary.find("users")->documents == 2);
    CHECK(got.summary.find("absences")->documents == 0);
    CHECK(got.sha256.size() == 64);
    REQUIRE(got.warnings.size() == 2);
    CHECK(got.warnings[0].find("nothing proves") != std::string::npos);
    CHECK(got.warnings[1].find("1 lone surrogate") != std::string::npos);
}

TEST_CASE("a file of the replaced system that is cut anywhere is refused") {
    const std::string text = kOld;
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK(reason_of(text.substr(0, size)) == "file_truncated");
    }
}

TEST_CASE("a file of the replaced system may stand on one line and end with white space") {
    CHECK(reason_of("{\"backup_date\": \"x\", \"database\": \"d\", \"collections\": {\"a\": [{\"n\": 1}]}}\n\n") == "fine");
    CHECK(read("{\"backup_date\":\"x\",\"database\":\"d\",\"collections\":{\"a\":[{\"n\":1}]},\"total\":1}").legacy);
}

TEST_CASE("Extended JSON in a file of the replaced system is refused: it is a stripped file of format 1 (hazard 27)") {
    for (const std::string id :
         {R"({"$oid": "68ebd0f5a5b4c3d2e1f00001"})", R"({"$date": "2025-10-12T00:00:00Z"})", R"({"$numberLong": "5"})",
          R"({"$rawBson": {"type": "03", "base64": "BQAAAAA="}})", R"({"$binary": {"base64": "", "subType": "00"}})"})
        CHECK(reason_of(replaced(kOld, "\"68ebd0f5a5b4c3d2e1f00001\"", id)) == "legacy_extended_json");
}

TEST_CASE("a file of format 1 from which parts were taken out does not pass for an old one (hazard 27)") {
    Backup backup = sample(2);
    const std::string text = write(backup);
    const auto without = [&](std::string from, const std::string& first, const std::string& last) {
        const auto start = from.find(first), end = from.find(last, start);
        REQUIRE(end != std::string::npos);
        return from.erase(start, end - start);
    };
    const std::string no_header = without(text, "\"reprise\":", "\"catalog\":");
    const std::string no_catalog = without(no_header, "\"catalog\":", "\"collections\":");
    const std::string no_summary = without(no_catalog, ",\n\"summary\":", "}\n") + "\n";
    CHECK(reason_of(no_header) != "fine");
    CHECK(reason_of(no_catalog) != "fine");
    CHECK(reason_of(without(no_catalog, ",\n\"summary\":", "}\n")) != "fine");
    CHECK(reason_of(without(text, "\"catalog\":", "\"collections\":")) != "fine");
    CHECK(reason_of(text.substr(0, text.find(",\n\"summary\"")) + "}") != "fine");
    // With the first line laid out anew as well: what stands in the rest tells.
    for (const std::string& stripped : {no_header, no_catalog}) {
        CHECK(reason_of(replaced(stripped, "{\"backup_date\":", "{ \"backup_date\": ")) == "header_missing");
        CHECK(reason_of(stripped, true) == "header_missing");
    }
}

TEST_CASE("what cannot be read in a file of the replaced system is said with its place") {
    CHECK(reason_of(replaced(kOld, "1700000000123", "9223372036854775808")) == "number_out_of_range");
    CHECK(message_of(replaced(kOld, "1700000000123", "9223372036854775808")).find("(\"users\", document 1)") !=
          std::string::npos);
    CHECK(reason_of(replaced(kOld, "\"absences\": []", "\"absences\": {}")) == "json_invalid");
    CHECK(reason_of(replaced(kOld, "\"absences\": []", "\"absences\": [5]")) == "json_invalid");
    CHECK(reason_of(replaced(kOld, "\"absences\": []", "\"users\": []")) == "duplicate_key");
    CHECK(reason_of(replaced(kOld, "\"absences\": []", "\"system.users\": []")) == "name_invalid");
    CHECK(reason_of(replaced(kOld, "\"absences\": []", "\"reprise\": []")) == "name_invalid");
    CHECK(reason_of(replaced(kOld, "\"absences\"", "\"us\\u0065rs\"")) == "duplicate_key");
    CHECK(reason_of(replaced(kOld, "test_database", "a/b")) == "name_invalid");
    CHECK(reason_of(std::string(kOld) + "x") == "json_invalid");
    CHECK(reason_of(replaced(kOld, "\n  \"collections\"", "\n  \"sha256\": \"x\",\n  \"collections\"")) == "header_missing");
    std::string late = kOld;
    late.insert(late.size() - 2, ", \"summary\": {}");
    CHECK(reason_of(late) == "header_missing");
    late = kOld;
    late.insert(late.size() - 2, ", \"reprise\": {}");
    CHECK(reason_of(late) == "keys_out_of_order");
}
