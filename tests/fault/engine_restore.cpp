// A restore killed at every step, and roll forwards.
#include "engine_attacks.h"

using namespace attacks;

TEST_CASE("a restore killed at any step leaves the old data or the new, whole, and nothing besides, after the next operation") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    const State old = state_of(db);
    const Child child{"restore", db.place.database, db.folder, file};
    const auto points = telling(child.all_points());
    REQUIRE(difference(good, state_of(db)) == "");
    REQUIRE(points.size() > 30);
    int olds = 0, news = 0;
    Row row("kill -9 at every step of a restore");
    for (const auto& point : points) {
        INFO("killed at " << point);
        forget_safety(db);
        make_old(db);
        CHECK(child.is_killed_at(point));
        row.look_at(*db.store, db.context);
        { const Operation next(db.place, Access::write, db.context); }
        const int which = row.judge({old, good}, state_of(db));
        CHECK(leftovers(db) == "");
        olds += which == 0 ? 1 : 0;
        news += which == 1 ? 1 : 0;
    }
    CHECK(olds > 0);
    CHECK(news > 0);
}

TEST_CASE("a roll forward that is killed itself, at any of its steps, is finished by the next") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    const Child cut{"restore", db.place.database, db.folder, file};
    const Child settle{"operation", db.place.database, db.folder, file};
    make_old(db);
    REQUIRE(cut.is_killed_at("restore.rename.after:1"));
    const auto points = telling(settle.all_points());
    REQUIRE(difference(good, state_of(db)) == "");
    REQUIRE(points.size() > 20);
    Row row("kill -9 at every step of a roll forward");
    for (const auto& point : points) {
        INFO("killed at " << point);
        forget_safety(db);
        make_old(db);
        REQUIRE(cut.is_killed_at("restore.rename.after:1"));
        CHECK(settle.is_killed_at(point));
        row.look_at(*db.store, db.context);
        { const Operation next(db.place, Access::write, db.context); }
        row.judge({good}, state_of(db));
        CHECK(leftovers(db) == "");
    }
}

TEST_CASE("a restore that died before the swap is rolled back, whatever was written in the week after") {
    Fixture db;
    make_good(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    REQUIRE(Child{"restore", db.place.database, db.folder, file}.is_killed_at("restore.swapping.before"));
    db.fill("users", 20, 5000);
    db.drop("stranger");
    const State week = state_of(db);
    const Operation next(db.place, Access::write, db.context);
    CHECK(difference(week, state_of(db)) == "");
    CHECK(leftovers(db) == "");
    CHECK(next.notes().size() == 1);
}

TEST_CASE("writes acknowledged between a crash in the swap and the next operation are saved as a copy") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    // Dead after the live collection was retired: a writer makes the name anew.
    REQUIRE(Child{"restore", db.place.database, db.folder, file}.is_killed_at("restore.rename.before:2"));
    for (const char* name : {"users", "teams", "sessions"})
        if (!find_collection(db.client, db.place.database, name, false)) db.fill(name, 4, 70000);
    { const Operation next(db.place, Access::write, db.context); }
    State now = state_of(db);
    CHECK(leftovers(db) == "");
    int copies = 0;
    for (const auto& name : db.files()) {
        const auto manifest = verify_file(*db.store, name, false, db.context).manifest;
        if (manifest.kind == "before_restore" && manifest.label.find(kCopyLabel) != std::string::npos) {
            ++copies;
            CHECK(manifest.summary.documents == 4);
            CHECK(manifest.scope == "partial");
        }
    }
    CHECK(copies >= 1);
    CHECK(difference(good, now) == "");
}
