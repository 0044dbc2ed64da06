#include <doctest/doctest.h>

#include "base/failure.h"
#include "format/manifest.h"
#include "format/names.h"

using namespace reprise;

TEST_CASE("our file names are parsed and written back") {
    for (const std::string name :
         {"backup_20251012_162721.json", "backup_20251012_162721_02.json", "before_restore_20251012_162721_99.json",
          "suspect_20251012_162721.json.zst.age", "backup_20251012_162721.json.gz", "backup_20251012_162721.json.age"}) {
        const auto parsed = parse_file_name(name);
        REQUIRE(parsed);
        CHECK(parsed->text() == name);
        CHECK(parsed->stamp == "20251012_162721");
    }
    CHECK(parse_file_name("before_restore_20251012_162721.json")->kind == FileKind::before_restore);
    CHECK(parse_file_name("suspect_20251012_162721.json")->kind == FileKind::suspect);
}

TEST_CASE("other names are not ours") {
    for (const std::string name :
         {"", "backup_latest.json", "backup_20251012_162721", "backup_20251012_162721.json.bz2",
          "backup_20251012_162721_01.json", "backup_20251012_162721_2.json", "backup_20251012_162721_100.json",
          "backup_20251312_162721.json", "backup_20251012_252721.json", "backup_2025101_162721.json",
          "Backup_20251012_162721.json", "backup_20251012_162721.json ", "backup_20251012_162721.json\n",
          "xbackup_20251012_162721.json", "backup_20251012_162721.age", "before_20251012_162721.json"}) {
        CAPTURE(name);
        CHECK_FALSE(parse_file_name(name));
    }
}

TEST_CASE("our own collections are known, and their neighbours are not ours") {
    CHECK(is_own_collection("reprise"));
    CHECK(is_own_collection("reprise_0123abcd_1"));
    CHECK_FALSE(is_own_collection("reprise_"));
    CHECK_FALSE(is_own_collection("reprise_0123abcd"));
    CHECK_FALSE(is_own_collection("reprise_0123ABCD_1"));
    CHECK_FALSE(is_own_collection("reprise_clients"));
    CHECK_FALSE(is_own_collection("reprises"));
}

TEST_CASE("names of collections and databases that cannot be trusted") {
    for (const std::string& name :
         {std::string(), std::string("a\0b", 3), std::string("a$"), std::string(".a"), std::string("system.x"),
          std::string("reprise"), std::string("\xff"), std::string(255, 'x')})
        CHECK(collection_name_problem("db", name));
    for (const std::string name : {"users", "a.b", "a b", "\"", "%2e", "é/\n", "system.js", "systemx", "fs.files"})
        CHECK_FALSE(collection_name_problem("db", name));
    CHECK_FALSE(collection_name_problem("db", std::string(252, 'x')));
    CHECK(collection_name_problem("db", std::string(253, 'x')));
    for (const std::string name : {"", "a.b", "a/b", "a b", "a$", "\xff"}) CHECK(database_name_problem(name));
    CHECK(database_name_problem(std::string(64, 'x')));
    for (const std::string name : {"test_database", "é", "a-b"}) CHECK_FALSE(database_name_problem(name));
}

TEST_CASE("a manifest goes to JSON and back") {
    Manifest m;
    m.name = "backup_20251012_162721.json";
    m.size_bytes = 5;
    m.modified_us = 7;
    m.sha256 = std::string(64, 'a');
    m.verified = true;
    m.deployment = "d";
    m.sequence = 9;
    m.summary.consistency = "snapshot";
    m.summary.collections = {{"users", {1, 2, "xxh3-128:" + std::string(32, '0')}}};
    const Manifest got = manifest_from_json(parse_json(manifest_to_json(m).text()));
    CHECK(manifest_to_json(got) == manifest_to_json(m));
    CHECK(got.sequence == 9);
    CHECK(got.deployment == "d");
    CHECK(got.summary.collections == m.summary.collections);
    CHECK(manifest_key(m.name) == "manifests/backup_20251012_162721.json.json");
    m.sequence = std::int64_t{1} << 53;
    CHECK(manifest_from_json(manifest_to_json(m)).sequence == m.sequence);
    std::vector<std::string> wrong{"{}", "[]", "{\"manifest\":2}", "{\"manifest\":1,\"name\":5}"};
    for (const std::int64_t sequence : {m.sequence + 1, std::int64_t{9223372036854775807}}) {
        m.sequence = sequence;
        wrong.push_back(manifest_to_json(m).text());
    }
    for (const std::string& text : wrong) {
        try {
            manifest_from_json(parse_json(text));
            FAIL("it was taken");
        } catch (const Failure& failure) {
            CHECK(failure.reason == "manifest_invalid");
        }
    }
}

TEST_CASE("backups are ordered by deployment and sequence, and files of the old system come first") {
    Manifest old_one, old_two, first, second;
    old_one.legacy = old_two.legacy = true;
    old_one.backup_date_us = 1;
    old_two.backup_date_us = 2;
    first.deployment = second.deployment = "d";
    first.sequence = 1;
    first.backup_date_us = 9;  // the clock went backwards afterwards
    second.sequence = 2;
    second.backup_date_us = 5;
    CHECK(older(old_one, old_two));
    CHECK(older(old_two, first));
    CHECK(older(first, second));
    CHECK_FALSE(older(second, first));
    CHECK_FALSE(older(first, first));
}
