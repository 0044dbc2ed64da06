// Operations killed while they settle what an earlier one left, and restores of the other kinds killed at every step.
#include "engine/forget.h"
#include "engine/needed.h"
#include "engine_attacks.h"

using namespace attacks;

namespace {

struct Attack {
    std::string name;
    Fixture& db;
    Child child;
    std::function<void()> prepare;
    std::function<std::vector<State>()> allowed;            // asked after `prepare`
    std::function<std::int64_t()> lost = [] { return 0; };  // documents that are nowhere, the database aside
    std::function<void()> then = [] {};                     // after the next operation, before the state is judged
    bool ends_only = false;  // see telling()

    // Kills the child at every step that it passes after `prepare`; after the next operation all is as it may be.
    void run() const {
        prepare();
        const auto points = telling(child.all_points(), ends_only);
        REQUIRE(points.size() > 5);
        Row row(name);
        for (const auto& point : points) {
            INFO("killed at " << point);
            prepare();
            const auto may_be = allowed();
            CHECK(child.is_killed_at(point));
            row.look_at(*db.store, db.context);
            { const Operation next(db.place, Access::write, db.context); }
            CHECK(leftovers(db) == "");
            then();
            row.judge(may_be, state_of(db));
            const std::int64_t gone = lost();
            CHECK(gone == 0);
            row.lost += gone;
        }
    }
};

std::int64_t documents_in_copies(Fixture& db) {
    std::int64_t sum = 0;
    for (const auto& name : db.files()) {
        const auto manifest = verify_file(*db.store, name, false, db.context).manifest;
        if (manifest.label.find(kCopyLabel) != std::string::npos) sum += manifest.summary.documents;
    }
    return sum;
}

}  // namespace

TEST_CASE("hazard 19: a roll back that is killed at any of its steps takes nothing of what was written since") {
    Fixture db;
    make_good(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    db.fill("users", 20, 5000);
    const State week = state_of(db);
    const Child cut{"restore", db.place.database, db.folder, file};
    Attack{"kill -9 at every step of a roll back", db, Child{"operation", db.place.database, db.folder, file},
           [&] { REQUIRE(cut.is_killed_at("restore.swapping.before")); }, [&] { return std::vector<State>{week}; }}
        .run();
}

TEST_CASE("a roll forward that saves what writers wrote meanwhile, killed at any of its steps, saves all of it") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    const Child cut{"restore", db.place.database, db.folder, file};
    std::int64_t written = 0;
    const auto prepare = [&] {
        forget_safety(db);
        make_old(db);
        REQUIRE(cut.is_killed_at("restore.rename.before:2"));
        written = 0;
        for (const char* name : {"users", "teams", "sessions"})
            if (!find_collection(db.client, db.place.database, name, false)) {
                db.fill(name, 4, 70000);
                written += 4;
            }
        REQUIRE(written > 0);
    };
    Attack attack{"kill -9 at every step of a roll forward over new writes",
                  db,
                  Child{"operation", db.place.database, db.folder, file},
                  prepare,
                  [&] { return std::vector<State>{good}; },
                  [&] { return std::max<std::int64_t>(0, written - documents_in_copies(db)); }};
    attack.ends_only = true;
    attack.run();
}

TEST_CASE("an operation that is killed while it tidies what a dead client's last command left loses nothing") {
    Fixture db;
    db.fill("users", 20);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 10, 5000);
    restore_file(db, file);
    const State good = state_of(db);
    const auto prepare = [&] {  // a retired collection that comes late; its content is in the safety backup
        const std::string late = retired_name("0badf00d", 0, 0);
        db.drop(late);
        db.fill(late, 20);
        db.fill(late, 10, 5000);
    };
    Attack{"kill -9 at every step of tidying up", db, Child{"operation", db.place.database, db.folder, file}, prepare,
           [&] { return std::vector<State>{good}; }}
        .run();
}

TEST_CASE("a merge that is killed at any step ends the same when it is run again") {
    Fixture db;
    db.fill("users", 30);
    db.fill("gone", 5);
    const std::string file = db.back_up().manifest.name;
    const auto prepare = [&] {
        forget_safety(db);
        drop_everything(db);
        db.fill("users", 10, 20);  // 20…29 are the same, 23 but for its name
        const std::string change = BsonBuilder().doc("$set", BsonBuilder().add("name", "x").str()).str();
        const std::string changed = BsonBuilder().doc("q", BsonBuilder().add("_id", 23).str()).doc("u", change).str();
        db.run(BsonBuilder().add("update", "users").array("updates", BsonArray().doc(changed).str()).str());
        db.fill("users", 3, 900);  // the live database's own
    };
    RestoreOptions merge;
    merge.mode = RestoreMode::merge;
    prepare();
    restore_file(db, file, merge);
    const State wanted = state_of(db);
    Attack attack{"kill -9 at every step of a merge", db, Child{"merge", db.place.database, db.folder, file}, prepare,
                  [&] { return std::vector<State>{wanted}; }};
    attack.then = [&] { restore_file(db, file, merge); };
    attack.ends_only = true;
    attack.run();
}

TEST_CASE("a restore that takes over a deployment id, killed at any step, locks nobody out") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    State old;
    const auto prepare = [&] {
        forget_safety(db);
        db.drop(kOwnCollection);
        db.store->remove_state("owner");
        drop_everything(db);
        db.fill("users", 6, 1000);
        old = state_of(db);
        Operation(db.place, Access::write, db.context).ensure_deployment();
    };
    Attack attack{"kill -9 at every step of a restore that adopts", db, Child{"adopt", db.place.database, db.folder, file},
                  prepare, [&] {
                      return std::vector<State>{old, good};
                  }};
    attack.ends_only = true;
    attack.run();
}

TEST_CASE("S3: forget leaves what a restore that was killed needs, until the next operation has settled it") {
    Fixture db;
    db.fill("users", 20);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 10, 5000);
    REQUIRE(db.back_up().became_latest);  // newer, so that by the rules the other one may go
    const Child child{"restore", db.place.database, db.folder, file};
    ForgetRules rules;
    rules.keep.keep_last = 1;
    const auto stays = [&](const std::string& name) {
        const auto files = db.files();
        return std::find(files.begin(), files.end(), name) != files.end();
    };
    for (const char* point : {"restore.record_insert.after", "restore.swapping.after", "restore.record_remove.before"}) {
        INFO("killed at " << point);
        REQUIRE(child.is_killed_at(point));
        const auto needed = needed_files(*db.store, db.context.clock->unix_us());
        REQUIRE(needed.size() == 2);
        CHECK(needed.front() == file);
        forget(db.place, rules, false, db.context);
        for (const auto& name : needed) CHECK(stays(name));
        { const Operation next(db.place, Access::write, db.context); }
        CHECK(needed_files(*db.store, db.context.clock->unix_us()).empty());
    }
    forget(db.place, rules, false, db.context);
    CHECK_FALSE(stays(file));
}
