#include <doctest/doctest.h>

#include "service/candidates.h"

using namespace reprise;

namespace {

ShelfItem file(const std::string& name, std::int64_t sequence, std::int64_t users = 2) {
    ShelfItem item;
    item.blob.name = name;
    item.name = *parse_file_name(name);
    Manifest m;
    m.name = name;
    m.verified = true;
    m.database = "hr";
    m.deployment = "d1";
    m.sequence = sequence;
    m.sha256 = "hash of " + name;
    m.summary.documents = users + 1;
    m.summary.collections = {{"absences", {1, 10, "x"}}, {"users", {users, 20, "y"}}};
    item.manifest = m;
    return item;
}

ShelfItem old_file(const std::string& name) {
    ShelfItem item = file(name, 0);
    item.manifest->legacy = true;
    item.manifest->deployment.reset();
    return item;
}

Rule users_rule() { return {"hr", {{"users"}, 1}, std::string("d1"), ""}; }

std::vector<std::string> names(const Candidates& candidates) {
    std::vector<std::string> out;
    for (const auto& item : candidates.files) out.push_back(item.blob.name);
    return out;
}

const std::string kNew = "backup_20250103_000000.json", kMid = "backup_20250102_000000.json",
                  kOld = "backup_20250101_000000.json";

}  // namespace

TEST_CASE("good backups are candidates in the order of the shelf") {
    const auto found = choose({file(kNew, 3), file(kMid, 2), file(kOld, 1)}, users_rule());
    CHECK(names(found) == std::vector<std::string>{kNew, kMid, kOld});
    CHECK(found.skipped.empty());
}

TEST_CASE("what may not be restored by itself is skipped with its reason") {
    const auto skipped_as = [](void (*change)(Manifest&)) {
        auto bad = file(kNew, 3);
        change(*bad.manifest);
        const auto found = choose({bad, file(kOld, 1)}, users_rule());
        REQUIRE(found.skipped.size() == 1);
        CHECK(found.skipped[0].file == kNew);
        CHECK(names(found) == std::vector<std::string>{kOld});
        return found.skipped[0].reason;
    };
    CHECK(skipped_as([](Manifest& m) { m.state = "suspect"; }) == "suspect");
    CHECK(skipped_as([](Manifest& m) { m.scope = "partial"; }) == "partial");
    CHECK(skipped_as([](Manifest& m) { m.edited_from = "abc"; }) == "edited");
    CHECK(skipped_as([](Manifest& m) { m.verified = false; }) == "unverified");
    CHECK(skipped_as([](Manifest& m) { m.database = "staging"; }) == "other_database");
    CHECK(skipped_as([](Manifest& m) { m.deployment = "d2"; }) == "other_deployment");
    CHECK(skipped_as([](Manifest& m) { m.summary.collections[1].second.documents = 0; }) == "empty_by_rule");
}

TEST_CASE("a backup that did not help is not taken again") {
    auto rule = users_rule();
    rule.failed_sha256 = "hash of " + kNew;
    const auto found = choose({file(kNew, 3), file(kOld, 1)}, rule);
    CHECK(names(found) == std::vector<std::string>{kOld});
    CHECK(found.skipped[0].reason == "failed_before");
}

TEST_CASE("a safety backup is no candidate and no reason to refuse") {
    const auto found = choose({file("before_restore_20250103_000000.json", 3)}, users_rule());
    CHECK(found.files.empty());
    CHECK(found.skipped.empty());
    CHECK(!found.data_elsewhere);
}

TEST_CASE("a file of the old system counts only where no backup of format 1 is") {
    CHECK(names(choose({old_file(kOld)}, users_rule())) == std::vector<std::string>{kOld});
    const auto beside = choose({file(kNew, 1), old_file(kOld)}, users_rule());
    CHECK(names(beside) == std::vector<std::string>{kNew});
    CHECK(beside.skipped[0].reason == "legacy_beside_backup");
}

TEST_CASE("hazard 27: a file that cannot be read keeps a stripped one from passing for an old one") {
    ShelfItem broken = file(kNew, 3);
    broken.manifest.reset();
    broken.problem_reason = "file_truncated";
    broken.problem = "it ends too early";
    const auto found = choose({broken, old_file(kOld)}, users_rule());
    CHECK(found.files.empty());
    CHECK(found.data_elsewhere);
    CHECK(found.skipped[0].reason == "file_truncated");
    CHECK(found.skipped[1].reason == "legacy_beside_backup");
}

TEST_CASE("a sentinel that no backup knows is told from lost data") {
    const auto found = choose({file(kNew, 3)}, Rule{"hr", {{"usres"}, 1}, std::string("d1"), ""});
    CHECK(found.files.empty());
    CHECK(found.sentinel_nowhere);
    CHECK(found.data_elsewhere);
}

TEST_CASE("without any id two deployments side by side are left to a person") {
    auto other = file(kOld, 1);
    other.manifest->deployment = "d2";
    const auto found = choose({file(kNew, 3), other}, Rule{"hr", {{"users"}, 1}, std::nullopt, ""});
    CHECK(found.files.empty());
    CHECK(found.skipped[0].reason == "deployment_unclear");
    CHECK(names(choose({file(kNew, 3), file(kOld, 1)}, Rule{"hr", {{"users"}, 1}, std::nullopt, ""})).size() == 2);
}

TEST_CASE("the rule in force is the configured one, users where they were, or the whole database") {
    const auto in_force = [](const std::vector<ShelfItem>& shelf, const WantedRule& wanted = {}) {
        const auto found = rule_in_force(shelf, wanted, "hr", std::nullopt);
        return found ? what_counts(*found) + ": " + too_few(*found) : std::string("unknown");
    };
    const std::string users = "collection users: no documents", whole = "the database: no documents";
    CHECK(in_force({file(kNew, 1)}, {false, {{"people"}, 1}}) == "collection people: no documents");
    CHECK(in_force({file(kNew, 1)}, {false, {{"users", "absences"}, 3}}) ==
          "collections users, absences: fewer than 3 documents");
    CHECK(in_force({file(kNew, 1)}, {false, {}}) == whole);
    CHECK(in_force({file(kNew, 1)}) == users);
    CHECK(in_force({file(kNew, 2, 0), file(kOld, 1)}) == whole);
    CHECK(in_force({file(kNew, 2, 1)}, {true, {{}, 2}}) == "the database: fewer than 2 documents");
    CHECK(in_force({}) == whole);
    ShelfItem unknown = file(kNew, 1);
    unknown.manifest.reset();
    CHECK(in_force({unknown}) == "unknown");
    unknown.problem_reason = "file_truncated";
    CHECK(in_force({unknown}) == "unknown");
    CHECK(in_force({unknown, file(kOld, 1)}) == users);
    CHECK(in_force({unknown, file(kOld, 1, 0)}) == whole);
}

TEST_CASE("hazard 10: a backup with too few documents for the rule is no candidate") {
    auto rule = users_rule();
    rule.empty.minimum = 3;
    CHECK(names(choose({file(kNew, 3, 2), file(kMid, 2, 3)}, rule)) == std::vector<std::string>{kMid});
    rule.empty = {{"users", "absences"}, 3};
    CHECK(names(choose({file(kNew, 3, 2), file(kMid, 2, 1)}, rule)) == std::vector<std::string>{kNew});
    rule.empty = {{}, 4};
    CHECK(names(choose({file(kNew, 3, 2), file(kMid, 2, 3)}, rule)) == std::vector<std::string>{kMid});
}
