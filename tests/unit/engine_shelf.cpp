#include "engine_backup_files.h"

using namespace backup_files;

TEST_CASE("backups are ordered by sequence, whatever their names and times say") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 3});
    on.make({"backup_20300101_000000.json", 1});
    on.make({"backup_20200101_000000.json", 2});
    on.examined();
    CHECK(on.names() == std::vector<std::string>{"backup_20251012_162721.json", "backup_20200101_000000.json",
                                                 "backup_20300101_000000.json"});
}

TEST_CASE("a file without a manifest is verified before it counts, and its manifest is kept") {
    Shelf on;
    on.make({});
    REQUIRE(read_shelf(*on.store, false, on.context).size() == 1);
    CHECK_FALSE(read_shelf(*on.store, false, on.context)[0].manifest);
    const auto shelf = on.examined();
    REQUIRE(shelf[0].manifest);
    CHECK(shelf[0].manifest->verified);
    CHECK(shelf[0].manifest->summary.documents == 3);
    CHECK(read_shelf(*on.store, false, on.context)[0].manifest->sha256 == shelf[0].manifest->sha256);
}

TEST_CASE("a file that changed since its manifest was written is not believed any more") {
    Shelf on;
    on.make({});
    on.examined();
    on.replace_in("backup_20251012_162721.json", "person", "PERSON");
    std::filesystem::last_write_time(on.folder + "/backup_20251012_162721.json",
                                     std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    const auto shelf = on.examined();
    CHECK_FALSE(shelf[0].manifest);
    CHECK_FALSE(shelf[0].problem.empty());
    CHECK_FALSE(shelf[0].problem_reason.empty());
    CHECK_FALSE(read_shelf(*on.store, false, on.context)[0].problem.empty());  // remembered
}

TEST_CASE("a file that fails verify loses its manifest, also when size and time are the same") {
    Shelf on;
    on.make({});
    on.examined();
    const std::string path = on.folder + "/backup_20251012_162721.json";
    const auto time = std::filesystem::last_write_time(path);
    on.replace_in("backup_20251012_162721.json", "person", "PERSON");
    std::filesystem::last_write_time(path, time);
    REQUIRE(read_shelf(*on.store, false, on.context)[0].manifest);
    CHECK(failure_of([&] { verify_file(*on.store, "backup_20251012_162721.json", true, on.context); }).code == Code::corrupt);
    const auto item = read_shelf(*on.store, false, on.context)[0];
    CHECK_FALSE(item.manifest);
    CHECK_FALSE(item.problem_reason.empty());
}

TEST_CASE("S7: a backup that became visible without a manifest is judged by the guard again") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 0}}});
    on.make({"backup_20251012_162723.json", 3, {{"users", 90}}});
    const auto shelf = on.examined();
    REQUIRE(shelf[1].manifest);
    CHECK(shelf[0].manifest->state == "good");
    CHECK(shelf[1].manifest->state == "suspect");
    CHECK(shelf[1].manifest->suspect_reason == "sentinel_empty");
    CHECK(shelf[2].manifest->state == "good");
}

TEST_CASE("S7: the only backup of an empty database is suspect") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 0}}});
    CHECK(on.examined()[0].manifest->state == "suspect");
    CHECK_FALSE(latest_name(*on.store));
}

TEST_CASE("hazard 22: without a pointer latest is the newest good whole backup, not a partial, suspect or safety one") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 10}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 10}}, "hr", "partial"});
    on.make({"before_restore_20251012_162723.json", 3, {{"users", 10}}});
    on.make({"suspect_20251012_162724.json", 4, {{"users", 0}}});
    on.make({"backup_20251012_162725.json", 5, {{"users", 10}}, "other"});
    write_owner(*on.store, Owner{"hr", std::string(kDeployment), std::nullopt});
    on.examined();
    CHECK(latest_name(*on.store) == "backup_20251012_162721.json");
}

TEST_CASE("latest follows the pointer, and a pointer to a file that is gone counts for nothing") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1});
    on.make({"backup_20251012_162722.json", 2});
    on.examined();
    set_latest(*on.store, "backup_20251012_162721.json");
    CHECK(latest_name(*on.store) == "backup_20251012_162721.json");
    on.store->remove("backup_20251012_162721.json");
    CHECK(latest_name(*on.store) == "backup_20251012_162722.json");
}

TEST_CASE("the old system's latest, when it is a plain file, is renamed by its date and never replaced") {
    Shelf on;
    const std::string old =
        "{\n  \"backup_date\": \"2024-03-05T10:11:12.5\",\n  \"database\": \"hr\",\n  \"collections\": {\n    "
        "\"users\": [\n      {\n        \"id\": \"1\"\n      }\n    ]\n  }\n}";
    on.write_text("backup_latest.json", old);
    on.make({"backup_20251012_162721.json", 1});
    on.examined();
    set_latest(*on.store, "backup_20251012_162721.json");
    CHECK(latest_name(*on.store) == "backup_20251012_162721.json");
    bool kept = false;
    for (const std::string& name : on.names()) kept = kept || on.text_of(name) == old;
    CHECK(kept);
}

TEST_CASE("S11: a name from outside stays inside the folder or is refused") {
    Shelf on;
    on.make({});
    on.write_text("notes.txt", "a file of somebody else");
    const std::string name = "backup_20251012_162721.json";
    CHECK(resolve_name(*on.store, on.folder, name) == name);
    CHECK(resolve_name(*on.store, on.folder, on.folder + "/" + name) == name);
    CHECK(resolve_name(*on.store, on.folder, on.folder + "/./" + name) == name);
    for (const std::string& bad :
         {std::string("../") + name, std::string("/etc/passwd"), on.folder + "/../x.json", std::string(".reprise/owner"),
          std::string("a/b"), std::string(""), std::string("a\0b", 3), std::string(".."), std::string("\xC0\xAF"),
          on.folder + "/", on.folder + "/.reprise/owner"}) {
        CAPTURE(bad);
        const Failure failure = failure_of([&] { resolve_name(*on.store, on.folder, bad); });
        CHECK(failure.reason == "name_invalid");
        CHECK(failure.code == Code::invalid_argument);
    }
    CHECK(reason_of([&] { resolve_name(*on.store, on.folder, "backup_20251012_999999.json"); }) == "file_missing");
    std::filesystem::create_symlink("/etc/passwd", on.folder + "/backup_20251012_162799.json");
    CHECK(failure_of([&] { resolve_name(*on.store, on.folder, "backup_20251012_162799.json"); }).code != Code::ok);
}

TEST_CASE("latest of an empty folder is an error that says what to do") {
    Shelf on;
    CHECK(reason_of([&] { resolve_name(*on.store, on.folder, "latest"); }) == "no_backup");
}

TEST_CASE("latest of a folder with suspects alone names the newest of them and what a person can do") {
    Shelf on;
    on.make({"suspect_20251012_162721.json", 1, {{"users", 0}}});
    on.make({"suspect_20251012_162722.json", 2, {{"users", 0}}});
    on.make({"before_restore_20251012_162723.json", 3, {{"users", 5}}});
    on.examined();
    const Failure failure = failure_of([&] { resolve_name(*on.store, on.folder, "latest"); });
    CHECK(failure.reason == "no_backup");
    CHECK(failure.message.find("suspect_20251012_162722.json (named_suspect): if it is right accept it") != std::string::npos);
}

TEST_CASE("S7: accept_smaller is for the backup being made, not for a file that lies there without a manifest") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 10}}});
    GuardRules rules;
    rules.accept_smaller = true;
    const auto shelf = read_shelf(*on.store, true, on.context, rules);
    CHECK(shelf[0].manifest->state == "suspect");
    CHECK(shelf[1].manifest->state == "good");
}

TEST_CASE("99 names of one second are given out, and then it says so") {
    Shelf on;
    const std::int64_t second = 1760286441000000;
    std::string name;
    for (int i = 0; i < 99; ++i) {
        name = free_name(*on.store, FileKind::backup, second, ".json");
        on.write_text(name, "x");
    }
    CHECK(name == "backup_20251012_162721_99.json");
    CHECK(reason_of([&] { free_name(*on.store, FileKind::backup, second, ".json"); }) == "name_taken");
    CHECK(free_name(*on.store, FileKind::suspect, second, ".json") == "suspect_20251012_162721.json");
}

TEST_CASE("the highest sequence outlives the files") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 7});
    on.examined();
    CHECK(highest_sequence(*on.store, kDeployment) == 7);
    CHECK(highest_sequence(*on.store, std::string(32, 'f')) == 0);
    remember_sequence(*on.store, kDeployment, 9);
    remember_sequence(*on.store, kDeployment, 8);
    CHECK(highest_sequence(*on.store, kDeployment) == 9);
}

TEST_CASE("an accepted backup starts the measure anew, a restored older one too") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 80}}});
    on.make({"backup_20251012_162723.json", 3, {{"users", 90}}});
    auto shelf = on.examined();
    Manifest next = *shelf[0].manifest;
    next.id = "next";
    next.sequence = 4;
    CHECK(largest(counted_backups(*on.store, shelf, next))->sequence == 1);
    reset_measure(*on.store, *shelf[1].manifest, 2);
    CHECK(largest(counted_backups(*on.store, shelf, next))->sequence == 3);
    reset_measure(*on.store, *shelf[1].manifest, 3);
    CHECK(largest(counted_backups(*on.store, shelf, next))->sequence == 2);
}

TEST_CASE("S7: what was brought back on purpose is the measure, also a file of another database or a safety backup") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"before_restore_20251012_162722.json", 2, {{"users", 8}}});
    on.make({"backup_20251012_162723.json", 70, {{"users", 9}}, "other"});
    const auto shelf = on.examined();
    const auto item = [&](const std::string& name) {
        return *std::find_if(shelf.begin(), shelf.end(), [&](const ShelfItem& one) { return one.blob.name == name; });
    };
    Manifest next = *item("backup_20251012_162721.json").manifest;
    next.id = "next";
    next.sequence = 3;
    for (const char* name : {"before_restore_20251012_162722.json", "backup_20251012_162723.json"}) {
        reset_measure(*on.store, *item(name).manifest, 2);
        CHECK(largest(counted_backups(*on.store, shelf, next))->name == name);
    }
}

TEST_CASE("S7: files that are judged again after a restore are judged by those before them, not by what was restored later") {
    Shelf on;
    for (int month = 1; month <= 6; ++month)
        on.make({"backup_20251012_16272" + std::to_string(month) + ".json", month, {{"users", 10 * month}}});
    const auto shelf = on.examined();
    reset_measure(*on.store, *shelf[0].manifest, 7);
    for (const ShelfItem& item : shelf) on.store->remove_state(manifest_key(item.blob.name));
    for (const ShelfItem& item : on.examined()) CHECK(item.manifest->state == "good");
    Manifest next = *shelf[0].manifest;
    next.id = "next";
    next.sequence = 8;
    CHECK(largest(counted_backups(*on.store, shelf, next))->summary.documents == 60);
}

TEST_CASE("S7: what was accepted stays good when it is judged again") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 10}}});
    auto shelf = on.examined();
    CHECK(shelf[0].manifest->state == "suspect");
    accept_measure(*on.store, *shelf[0].manifest);
    on.store->remove_state(manifest_key(shelf[0].blob.name));
    CHECK(on.examined()[0].manifest->state == "good");
}

TEST_CASE("S7: a copied or touched file keeps its pin, its label and what the guard or a person said of it") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 1, {{"users", 100}}});
    on.make({"backup_20251012_162722.json", 2, {{"users", 10}}});
    on.make({"backup_20251012_162723.json", 3, {{"users", 100}}});
    auto shelf = on.examined();
    shelf[1].manifest->state = "good";
    shelf[0].manifest->state = "suspect", shelf[0].manifest->suspect_reason = "fewer_bytes";
    shelf[2].manifest->pinned = true, shelf[2].manifest->label = "month";
    for (const ShelfItem& item : shelf) {
        on.store->write_state(manifest_key(item.blob.name), manifest_to_json(*item.manifest).text(2));
        std::filesystem::last_write_time(on.folder + "/" + item.blob.name,
                                         std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    }
    CHECK_FALSE(read_shelf(*on.store, false, on.context)[0].manifest);
    on.examined();
    shelf = read_shelf(*on.store, false, on.context);
    CHECK(shelf[0].manifest->suspect_reason == "fewer_bytes");
    CHECK(shelf[1].manifest->state == "good");
    CHECK(shelf[2].manifest->pinned);
    CHECK(shelf[2].manifest->label == "month");
}

TEST_CASE("a damaged manifest is as none: the file is verified again") {
    Shelf on;
    on.make({});
    on.examined();
    on.store->write_state(manifest_key("backup_20251012_162721.json"), "{\"name\": 5");
    CHECK_FALSE(read_shelf(*on.store, false, on.context)[0].manifest);
    CHECK(on.examined()[0].manifest);
}

TEST_CASE("S11: files with hostile names lie in the folder unharmed and unlisted") {
    Shelf on;
    on.make({});
    for (const char* name :
         {"backup_; rm -rf x.json", "backup_20251012.json", "x backup_20251012_162721.json", "backup_latest2.json"})
        on.write_text(name, "x");
    CHECK(on.examined().size() == 1);
    CHECK(on.store->list().size() == 5);
}

TEST_CASE("hazard 15: a name that was freed in a second is not given to another backup of that second") {
    Shelf on;
    const std::int64_t second = 1760286441000000;
    on.write_text("backup_20251012_162721.json", "x");
    on.write_text("backup_20251012_162721_02.json.gz", "x");
    std::filesystem::remove(on.folder + "/backup_20251012_162721.json");
    CHECK(free_name(*on.store, FileKind::backup, second, ".json") == "backup_20251012_162721_03.json");
    CHECK(free_name(*on.store, FileKind::suspect, second, ".json") == "suspect_20251012_162721.json");
    on.write_text("backup_20251012_162721_99.json", "x");
    CHECK(free_name(*on.store, FileKind::backup, second, ".json") == "backup_20251012_162721.json");
}

TEST_CASE("a number that was given out is not used again, and counts as a backup only when one was made") {
    Shelf on;
    CHECK(published_sequence(*on.store, kDeployment) == 0);
    remember_sequence(*on.store, kDeployment, 1);
    CHECK(published_sequence(*on.store, kDeployment) == 0);
    CHECK(remembered_sequence(*on.store, kDeployment) == 1);
    remember_sequence(*on.store, kDeployment, 2);
    remember_published(*on.store, kDeployment, 2);
    remember_sequence(*on.store, kDeployment, 3);
    CHECK(published_sequence(*on.store, kDeployment) == 2);
    CHECK(published_sequence(*on.store, "") == 0);
    remember_sequence(*on.store, std::string(32, 'f'), 8);  // known elsewhere: in a database whose folder is another one
    CHECK(published_sequence(*on.store, std::string(32, 'f')) == 7);
    on.store->write_state("sequence", std::string("{\"") + kDeployment + "\": 5}");  // as it was before there was a difference
    CHECK(published_sequence(*on.store, kDeployment) == 5);
}

TEST_CASE("S1: an empty or damaged sequence or measure stops no backup, and where it decides about lost data it is named") {
    Shelf on;
    on.make({"backup_20251012_162721.json", 4, {{"users", 100}}});
    on.examined();
    for (const char* text : {"", "{", "[]", "{\"published\": 3}"}) {
        CAPTURE(text);
        on.store->write_state("sequence", text);
        on.store->write_state("measure", text);
        CHECK(highest_sequence(*on.store, kDeployment) == 4);
        Manifest small;
        small.database = "hr";
        small.deployment = kDeployment;
        small.sequence = 5;
        const auto shelf = on.examined();
        const auto counted = counted_backups(*on.store, shelf, small);
        REQUIRE(counted.size() == 1);
        CHECK(counted.front()->sequence == 4);
        remember_sequence(*on.store, kDeployment, 5);
        CHECK(published_sequence(*on.store, kDeployment) == 4);
    }
    on.store->write_state("sequence", "");
    const Failure failure = failure_of([&] { published_sequence(*on.store, kDeployment); });
    CHECK(failure.reason == "sequence_invalid");
    CHECK(failure.message.find(".reprise/sequence") != std::string::npos);
}
