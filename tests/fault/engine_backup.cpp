// A backup killed at every step.
#include "engine_attacks.h"

using namespace attacks;

namespace {

std::vector<std::string> temporary_files(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.path().filename().string().rfind(".reprise_tmp_", 0) == 0) found.push_back(entry.path().string());
    return found;
}

struct Company : Fixture {
    Company() {
        fill("users", 40);
        fill("absences", 10);
        create("empty");
    }
    Child child(const char* action = "backup") const { return {action, place.database, folder, ""}; }

    // S1, S2 and S13 after a kill, and again after the next backup, which leaves one file.
    void check_after_kill(Row& row) {
        ++row.points;
        row.look_at(*store, context);
        const BackupResult next = back_up();
        CHECK(next.became_latest);
        row.lost += std::max<std::int64_t>(0, 50 - next.manifest.summary.documents);
        CHECK(next.manifest.summary.documents == 50);
        CHECK(latest_name(*store) == next.manifest.name);
        CHECK(temporary_files(folder).empty());
        row.look_at(*store, context);
        for (const std::string& name : files())  // keeps the folder small
            if (name != next.manifest.name) store->remove(name);
    }
};

// Those of `points` that no attack has touched yet.
std::vector<std::string> untouched(const std::vector<std::string>& points) {
    std::vector<std::string> out;
    for (const auto& point : points)
        if (attacked().count(name_of(point)) == 0) out.push_back(point);
    return out;
}

}  // namespace

TEST_CASE(
    "S1, S2: a backup killed at any step leaves the old files, or one whole one more, and nothing besides after the next") {
    Company on;
    REQUIRE(on.back_up().became_latest);
    const auto points = telling(on.child().all_points());
    REQUIRE(points.size() > 30);
    Row row("kill -9 at every step of a backup");
    for (const std::string& point : points) {
        INFO("killed at " << point);
        const std::size_t before = on.files().size();
        CHECK(on.child().is_killed_at(point));
        const std::size_t after = on.files().size();
        CHECK((after == before || after == before + 1));
        REQUIRE(on.store->pointer("backup_latest.json"));
        on.check_after_kill(row);
    }
}

TEST_CASE("S1, S13: the first backup, in a folder that is not there, killed at any of the steps that only it takes") {
    Company on;
    const std::string deep = on.folder + "/deep/backups";
    Child child = on.child();
    child.folder = deep;
    const auto points = untouched(telling(child.all_points()));
    REQUIRE(points.size() >= 2);
    Row row("kill -9 at every step of making the folder");
    for (const std::string& point : points) {
        INFO("killed at " << point);
        std::filesystem::remove_all(on.folder + "/deep");
        on.drop(kOwnCollection);
        CHECK(child.is_killed_at(point));
        const auto store = open_local_store(deep);
        ++row.points;
        row.look_at(*store, on.context);
        const std::size_t before = store->list().size();
        CHECK(before <= 1);
        REQUIRE(child.run() == 0);
        row.look_at(*store, on.context);
        CHECK(store->list().size() == before + 1);
        for (const char* made : {"/deep", "/deep/backups", "/deep/backups/.reprise"})
            CHECK((std::filesystem::status(on.folder + made).permissions() & std::filesystem::perms::all) ==
                  std::filesystem::perms::owner_all);
        CHECK(temporary_files(deep).empty());
    }
}

TEST_CASE("S1: a backup killed while it sweeps what a killed one left, or moves the replaced system's latest aside") {
    Company on;
    const auto prepare = [&] {
        REQUIRE(on.child().is_killed_at("engine.backup.finish.before"));
        std::filesystem::remove(on.folder + "/backup_latest.json");
        on.write_text("backup_latest.json", R"({"backup_date": "2025-10-12T16:27:21", "database": ")" + on.place.database +
                                                R"(", "collections": {"users": [{"_id": 1, "name": "x"}]}})");
    };
    prepare();
    const auto points = untouched(telling(on.child().all_points()));
    REQUIRE(points.size() >= 4);
    Row row("kill -9 at every step of sweeping up and of moving an old latest");
    for (const std::string& point : points) {
        INFO("killed at " << point);
        prepare();
        CHECK(on.child().is_killed_at(point));
        on.check_after_kill(row);
    }
}

TEST_CASE("S3: a backup before risky work keeps its time from the moment it is seen, wherever it is killed") {
    Company on;
    REQUIRE(on.back_up().became_latest);
    const Child child = on.child("before");
    Row row("kill -9 at every step of a backup before risky work, once it is seen");
    int seen = 0;
    auto points = child.all_points();
    points.erase(points.begin(), std::find(points.begin(), points.end(), "engine.backup.publish.before:1"));
    for (const std::string& point : telling(points, true)) {
        INFO("killed at " << point);
        for (const std::string& name : on.files()) on.store->remove(name);
        REQUIRE(on.back_up().became_latest);
        CHECK(child.is_killed_at(point));
        ++row.points;
        row.look_at(*on.store, on.context);
        on.back_up();  // also judges what it finds
        const std::int64_t in_a_week_us = on.context.clock->unix_us() + std::int64_t{7 * 86400} * 1000000;
        for (const ShelfItem& item : read_shelf(*on.store, false, on.context)) {
            REQUIRE(item.manifest);
            if (item.manifest->label != "excel import") continue;
            ++seen;
            CHECK(item.manifest->kind == "before");
            CHECK(item.manifest->keep_until_us.value_or(0) > in_a_week_us);
        }
    }
    CHECK(seen > 5);
}
