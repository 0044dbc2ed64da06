#include <sys/stat.h>

#include <set>

#include "base/clock.h"
#include "base/text.h"
#include "engine/forget.h"
#include "engine/mark.h"
#include "engine/needed.h"
#include "engine_backup_files.h"

using namespace backup_files;

namespace {

std::string night(int number) {
    return "backup_20251012_1627" + std::string(number < 10 ? "0" : "") + std::to_string(number) + ".json";
}

struct Rotated : Shelf {
    Rotated() { write_owner(*store, Owner{"hr", std::string(kDeployment), std::nullopt}); }

    void nights(int count, int users = 3) {
        for (int i = 1; i <= count; ++i) make({night(i), i, {{"users", users}}});
        examined();
        set_latest(*store, night(count));
    }
    Forgotten go(bool dry_run = false) { return forget(place, rules, dry_run, context); }
    bool there(const std::string& name) const { return std::filesystem::exists(folder + "/" + name); }
    std::size_t manifests() { return store->list_state("manifests").size(); }

    ForgetRules rules;
};

}  // namespace

TEST_CASE("forget removes what no rule keeps, the file and its manifest, and says why each other one stays") {
    Rotated on;
    on.nights(9);
    const Forgotten pretended = on.go(true);
    CHECK(pretended.removed == std::vector<std::string>{night(1), night(2)});
    CHECK(on.names().size() == 9);
    const Forgotten gone = on.go();
    CHECK(gone.removed == pretended.removed);
    CHECK(gone.freed_bytes > 0);
    CHECK(on.names().size() == 7);
    CHECK(on.manifests() == 7);
    CHECK(on.go().removed.empty());
    for (const Decision& one : on.go().decisions.all) CHECK_FALSE(one.reasons.empty());
}

TEST_CASE("S3, hazard 2: latest, odd names and files that reprise did not write outlive every rule") {
    Rotated on;
    on.nights(9);
    set_latest(*on.store, night(1));
    const std::vector<std::string> foreign = {"backup_.json",
                                              "backup_20251012_162701 (copy).json",
                                              "backup_\n20251012_162701.json",
                                              "backup_$(rm -rf ~).json",
                                              "backup_20251012_162701.json.bak",
                                              "-rf",
                                              "backup_20251399_162701.json",
                                              "notes.txt",
                                              "backup_\xFF.json"};
    for (const std::string& name : foreign) on.write_text(name, "not ours");
    on.write_text("backup_20251012_162650.json", "{\"users\": [");  // our pattern, but nothing of ours
    std::filesystem::create_directory(on.folder + "/backup_20251012_162651.json");
    std::filesystem::create_symlink(night(2), on.folder + "/backup_20251012_162652.json");
    on.rules.keep.keep_last = 1;
    const Forgotten gone = on.go();
    CHECK(gone.removed.size() == 7);  // the newest and what latest points to stay
    CHECK(on.there(night(9)));
    CHECK(on.there(night(1)));
    CHECK(on.store->pointer("backup_latest.json") == night(1));
    for (const std::string& name : foreign) CHECK(on.text_of(name) == "not ours");
    CHECK(on.there("backup_20251012_162650.json"));
    CHECK(on.there("backup_20251012_162651.json"));
    CHECK(std::filesystem::is_symlink(on.folder + "/backup_20251012_162652.json"));
}

TEST_CASE("S3: when the newest backup is not whole any more nothing is removed") {
    Rotated on;
    on.nights(9);
    const std::string path = on.folder + "/" + night(9);
    const auto time = std::filesystem::last_write_time(path);
    on.replace_in(night(9), "person", "PERSON");
    std::filesystem::last_write_time(path, time);  // so that its manifest still describes it
    CHECK(failure_of([&] { on.go(); }).code == Code::corrupt);
    CHECK(on.names().size() == 9);
    const Forgotten gone = on.go();  // by now it is known as damaged: it stays, and the one before is the newest
    CHECK(gone.removed == std::vector<std::string>{night(1)});
    CHECK(on.there(night(9)));
}

TEST_CASE("S3: a file that nobody verified yet is verified and judged before anything is decided") {
    Rotated on;
    on.nights(8);
    on.make({night(9), 9, {{"users", 0}}});  // became visible, and the process died before the guard's word was written
    const Forgotten gone = on.go();
    CHECK(gone.decisions.frozen);
    CHECK(gone.removed.empty());
    CHECK(on.names().size() == 9);
}

TEST_CASE("hazard 21: the folder of another database is not touched, and files of other deployments stay") {
    Rotated on;
    on.nights(9);
    on.make({"backup_20240101_000000.json", 1, {{"users", 3}}, "hr", "all", std::string(32, 'f')});
    on.make({"backup_20240101_000001.json", 1, {{"users", 3}}, "shop"});
    CHECK(on.go().removed.size() == 2);
    CHECK(on.there("backup_20240101_000000.json"));
    CHECK(on.there("backup_20240101_000001.json"));
    on.place.database = "shop";
    CHECK(reason_of([&] { on.go(); }) == "folder_of_other");
    CHECK(on.names().size() == 9);
}

TEST_CASE("hazard 13: without its owner file a folder is not guessed about") {
    Rotated on;
    on.nights(9);
    on.store->remove_state("owner");
    CHECK(on.go().removed.empty());
}

TEST_CASE("somebody else's operation in the folder holds forget and mark off, a dry run not") {
    Rotated on;
    on.nights(9);
    const auto lock = FolderLock::try_acquire(on.folder, "job 7");
    CHECK(reason_of([&] { on.go(); }) == "folder_locked");
    CHECK(reason_of([&] { mark(on.place, night(1), {true, std::nullopt, false}, on.context); }) == "folder_locked");
    CHECK(on.go(true).removed.size() == 2);
    CHECK(on.names().size() == 9);
}

TEST_CASE("a manifest whose file is gone is swept, and its sequence is not given out again") {
    Rotated on;
    on.nights(3);
    std::filesystem::remove(on.folder + "/" + night(3));
    on.store->remove_state("sequence");
    CHECK(on.manifests() == 3);
    on.go();
    CHECK(on.manifests() == 2);
    CHECK(highest_sequence(*on.store, kDeployment) == 3);
}

TEST_CASE("a pinned backup stays through verify and forget, and goes when it is unpinned") {
    Rotated on;
    on.nights(9);
    CHECK(mark(on.place, night(1), {true, std::string("before the migration"), false}, on.context).pinned);
    verify_file(*on.store, night(1), true, on.context);
    CHECK(on.go().removed == std::vector<std::string>{night(2)});
    for (const ShelfItem& item : read_shelf(*on.store, false, on.context))
        if (item.blob.name == night(1)) CHECK(item.manifest->label == "before the migration");
    mark(on.place, night(1), {false, std::nullopt, false}, on.context);
    CHECK(on.go().removed == std::vector<std::string>{night(1)});
}

TEST_CASE("S3: a pin and a label outlive another time of the file, as a copy of the folder gives it") {
    Rotated on;
    on.nights(9);
    mark(on.place, night(1), {true, std::string("gold"), false}, on.context);
    on.touch(night(1));
    const Forgotten gone = on.go();
    CHECK(gone.removed == std::vector<std::string>{night(2)});
    const ShelfItem kept = read_shelf(*on.store, false, on.context).back();
    REQUIRE(kept.manifest);
    CHECK(kept.blob.name == night(1));
    CHECK(kept.manifest->pinned);
    CHECK(kept.manifest->label == "gold");
}

TEST_CASE("S3: a pin outlives a look at the file that failed, and holds when the file is whole again") {
    for (const bool other_time : {false, true}) {
        Rotated on;
        on.nights(9);
        mark(on.place, night(1), {true, std::nullopt, false}, on.context);
        const std::string whole = on.text_of(night(1)), path = on.folder + "/" + night(1);
        const auto time = std::filesystem::last_write_time(path);
        on.write_text(night(1), whole.substr(0, whole.size() - 5));
        CHECK(failure_of([&] { verify_file(*on.store, night(1), true, on.context); }).code == Code::corrupt);
        on.write_text(night(1), whole);
        if (!other_time) std::filesystem::last_write_time(path, time);
        CHECK_FALSE(read_shelf(*on.store, false, on.context).front().manifest->name == night(1));
        CHECK(on.go().removed == std::vector<std::string>{night(2)});
        CHECK(verify_file(*on.store, night(1), true, on.context).manifest.pinned);
        CHECK(on.store->list_state("problems").empty());
    }
}

TEST_CASE("a file that failed is not believed again because it has its old time back") {
    Rotated on;
    on.nights(2);
    const std::string path = on.folder + "/" + night(1);
    const auto time = std::filesystem::last_write_time(path);
    on.replace_in(night(1), "person", "PERSON");
    CHECK_FALSE(on.examined().back().problem.empty());
    std::filesystem::last_write_time(path, time);
    CHECK_FALSE(read_shelf(*on.store, false, on.context).back().manifest);
    CHECK_FALSE(on.examined().back().manifest);
}

TEST_CASE("S7: what was accepted is not judged again because its file got another time, what nobody judged is") {
    Rotated on;
    on.nights(2, 100);
    on.make({night(3), 3, {{"users", 10}}});
    on.make({night(4), 4, {{"users", 90}}});
    CHECK(on.examined()[1].manifest->state == "suspect");
    mark(on.place, night(3), {std::nullopt, std::nullopt, true}, on.context);
    mark(on.place, night(4), {std::nullopt, std::nullopt, true}, on.context);  // the measure by now
    for (const std::string& name : {night(1), night(2), night(3)}) on.touch(name);
    on.make({night(5), 5, {{"users", 10}}});
    const auto shelf = on.examined();
    CHECK(shelf[0].manifest->state == "suspect");
    for (std::size_t i = 1; i < shelf.size(); ++i) CHECK(shelf[i].manifest->state == "good");
}

TEST_CASE("S3: after a backup that is not the newest good one itself, that one is read to its end before anything goes") {
    Rotated on;
    on.nights(9);
    on.make({night(10), 10, {{"users", 3}}, "hr", "partial"});
    const Manifest part = *on.examined()[0].manifest, whole = *on.examined()[1].manifest;
    const std::string path = on.folder + "/" + night(9), before = on.text_of(night(9));
    const auto time = std::filesystem::last_write_time(path);
    on.replace_in(night(9), "person", "PERSON");
    std::filesystem::last_write_time(path, time);  // so that its manifest still describes it
    on.rules.keep.keep_last = 1;
    CHECK(failure_of([&] { forget_within(on.place, part, on.rules, on.context); }).code == Code::corrupt);
    CHECK(on.names().size() == 10);
    on.write_text(night(9), before);
    verify_file(*on.store, night(9), true, on.context);
    CHECK(forget_within(on.place, whole, on.rules, on.context).removed.size() == 8);
}

TEST_CASE("S3: backups made before their deployment's id could be written stand in the order of the others") {
    Rotated on;
    on.nights(3);
    for (int i = 4; i <= 11; ++i) on.make({night(i), i, {{"users", 3}}, "hr", "all", std::nullopt});
    on.examined();
    set_latest(*on.store, night(11));
    CHECK(on.go().removed == std::vector<std::string>{night(1), night(2), night(3), night(4)});
}

TEST_CASE("S2: a suspect is read to its end before it is accepted, and a damaged one is not") {
    Rotated on;
    on.nights(2, 100);
    const std::string name = "suspect_20251012_162703.json", path = on.folder + "/" + name;
    on.make({name, 3, {{"users", 10}}});
    on.examined();
    const std::string whole = on.text_of(name);
    const auto time = std::filesystem::last_write_time(path);
    on.replace_in(name, "person", "PERSON");
    std::filesystem::last_write_time(path, time);
    const MarkWish wish{std::nullopt, std::nullopt, true};
    CHECK(failure_of([&] { mark(on.place, name, wish, on.context); }).code == Code::corrupt);
    CHECK(latest_name(*on.store) == night(2));
    CHECK(on.there(name));
    on.write_text(name, whole);
    CHECK(verify_file(*on.store, name, true, on.context).manifest.state == "suspect");
    const Manifest accepted = mark(on.place, name, wish, on.context);
    CHECK(latest_name(*on.store) == accepted.name);
}

TEST_CASE("S7: an accepted suspect is good, the latest and the measure, under a backup's name") {
    Rotated on;
    on.nights(2, 100);
    on.make({"suspect_20251012_162703.json", 3, {{"users", 10}}});
    CHECK(on.examined()[0].manifest->state == "suspect");
    const Manifest accepted = mark(on.place, "suspect_20251012_162703.json", {std::nullopt, std::nullopt, true}, on.context);
    CHECK(accepted.name == "backup_20251012_162724.json");  // of the second in which it was read
    CHECK(latest_name(*on.store) == accepted.name);
    CHECK_FALSE(on.there("suspect_20251012_162703.json"));
    CHECK(on.manifests() == 3);
    on.make({night(30), 4, {{"users", 9}}});
    CHECK(on.examined()[0].manifest->state == "good");  // judged by the accepted one
    CHECK(mark(on.place, accepted.name, {std::nullopt, std::nullopt, true}, on.context).name == accepted.name);
    CHECK(latest_name(*on.store) == accepted.name);  // a newer one is there, which nobody made the latest yet
}

TEST_CASE("S7: what cannot stand for the whole database cannot be accepted") {
    Rotated on;
    on.nights(1);
    on.make({night(40), 40, {{"users", 3}}, "hr", "partial"});
    on.make({night(41), 41, {{"users", 3}}, "shop"});
    on.make({"before_restore_20251012_162742.json", 42});
    on.write_text(night(43), "{}");
    on.examined();
    const MarkWish wish{std::nullopt, std::nullopt, true};
    CHECK(reason_of([&] { mark(on.place, night(40), wish, on.context); }) == "not_acceptable");
    CHECK(reason_of([&] { mark(on.place, night(41), wish, on.context); }) == "not_acceptable");
    CHECK(reason_of([&] { mark(on.place, "before_restore_20251012_162742.json", wish, on.context); }) == "not_acceptable");
    CHECK(reason_of([&] { mark(on.place, night(43), wish, on.context); }) == "not_verified");
    CHECK(reason_of([&] { mark(on.place, night(44), wish, on.context); }) == "file_missing");
}

TEST_CASE("S7: the newest backup that holds a lost collection is pinned until the loss is accepted") {
    Rotated on;
    for (int i = 1; i <= 3; ++i) on.make({night(i), i, {{"users", 10}, {"logs", i}}});
    for (int i = 4; i <= 20; ++i) on.make({night(i), i, {{"users", 10}}});
    on.examined();
    set_latest(*on.store, night(20));
    on.rules.keep.keep_last = 2;
    on.go();
    CHECK(on.there(night(3)));
    CHECK(on.names().size() == 3);
    reset_measure(*on.store, *read_shelf(*on.store, false, on.context)[0].manifest, 20);  // a restore accepts nothing
    CHECK(on.go().removed.empty());
    mark(on.place, night(20), {std::nullopt, std::nullopt, true}, on.context);
    CHECK(on.go().removed == std::vector<std::string>{night(3)});
}

TEST_CASE("a backup before risky work is kept until its time is over") {
    Rotated on;
    on.nights(9);
    for (const ShelfItem& item : read_shelf(*on.store, false, on.context)) {
        if (item.blob.name != night(1)) continue;
        Manifest manifest = *item.manifest;
        manifest.keep_until_us = system_clock().unix_us() + 1000000000;
        on.store->write_state(manifest_key(night(1)), manifest_to_json(manifest).text());
    }
    verify_file(*on.store, night(1), true, on.context);
    CHECK(on.go().removed == std::vector<std::string>{night(2)});
    CHECK(on.there(night(1)));
}

TEST_CASE("10 000 files in the folder are rotated, the foreign ones untouched") {
    Rotated on;
    on.nights(1);
    Manifest manifest = *read_shelf(*on.store, false, on.context)[0].manifest;
    const std::string body = on.text_of(night(1));
    for (int i = 0; i < 10000; ++i) {
        if (i % 2 == 0) {
            on.write_text("backup_" + std::to_string(i) + ".json", "x");
            continue;
        }
        manifest.name = "backup_2024" + compact_time(std::int64_t{i} * 60000000).substr(4) + ".json";
        manifest.id = std::to_string(i);
        manifest.sequence = -i;  // all before the real one
        on.write_text(manifest.name, "x");
        struct stat info {};
        REQUIRE(::stat((on.folder + "/" + manifest.name).c_str(), &info) == 0);
        manifest.size_bytes = 1;
        manifest.modified_us = std::int64_t{info.st_mtim.tv_sec} * 1000000 + info.st_mtim.tv_nsec / 1000;
        std::filesystem::create_directories(on.folder + "/.reprise/manifests");
        on.write_text(".reprise/" + manifest_key(manifest.name), manifest_to_json(manifest).text());
    }
    on.rules.keep.keep_last = 4951;
    const Forgotten gone = on.go();
    CHECK(gone.removed.size() == 50);
    CHECK(gone.removed.front() == manifest.name);  // the oldest by its sequence
    CHECK(on.text_of(night(1)) == body);
    CHECK(on.store->list().size() == 5000 + 4951);
    CHECK(on.manifests() == 4951);
}

TEST_CASE("S3: what an unfinished restore needs stays, of this database and for 30 days of another, whatever the rules say") {
    for (const bool foreign : {false, true}) {
        Rotated on;
        on.nights(9);
        Place place = on.place;
        place.foreign_folder = foreign;
        need_files(place, {night(1), ""}, on.context);
        const Forgotten gone = on.go();
        CHECK(gone.removed == std::vector<std::string>{night(2)});
        CHECK(gone.decisions.all.back().reasons.front().first == "restoring");
        const std::int64_t now_us = on.context.clock->unix_us(), days_us = std::int64_t{31} * 86400 * 1000000;
        CHECK(needed_files(*on.store, now_us) == std::vector<std::string>{night(1)});
        CHECK(needed_files(*on.store, now_us + days_us).empty() == foreign);
        release_files(place, on.context);
        CHECK(on.go().removed == std::vector<std::string>{night(1)});
    }
}
