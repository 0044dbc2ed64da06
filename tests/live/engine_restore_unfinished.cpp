// What stands in the database after a restore ended in the middle of its swap, and what others do to it before the next
// operation settles it.
#include "engine_restore_support.h"

using namespace restore_test;

namespace {

// Restores `file` and ends before the steps of `collection` are taken: a record in `swapping` stays. Returns it.
RestoreRecord cut_before(Fixture& db, const std::string& file, const std::string& collection) {
    Context context = db.context;
    context.progress_hook = [&](const Progress& now) {
        if (now.phase == "swapping" && now.collection == collection) throw Failure(Code::internal, "test", "cut here");
    };
    RestoreOptions options;
    options.file = file;
    REQUIRE(reason_of([&] { restore(db.place, options, context); }) == "test");
    const auto record = load_record(db.client, db.place.database);
    REQUIRE(record.has_value());
    REQUIRE(record->state == "swapping");
    return *record;
}

std::size_t step_of(const RestoreRecord& record, const std::string& target) {
    for (std::size_t i = 0; i < record.steps.size(); ++i)
        if (record.steps[i].target == target) return i;
    REQUIRE_MESSAGE(false, "no step for " << target);
    return 0;
}

std::vector<std::string> settle(Fixture& db, const std::function<void(const Progress&)>& hook = {}) {
    Context context = db.context;
    context.progress_hook = hook;
    return Operation(db.place, Access::write, context).notes();
}

}  // namespace

TEST_CASE("a dead client's rename that the server carries out while the next operation settles leaves nothing over") {
    Fixture db;
    db.fill("teams", 5);
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 10, 5000);
    const RestoreRecord cut = cut_before(db, file, "users");
    bool late = false;
    settle(db, [&](const Progress& now) {
        if (late || now.phase != "swapping" || now.collection != "users") return;
        late = true;
        rename_collection(db.client, db.place.database, "users", retired_name(cut.op, step_of(cut, "users"), 0));
    });
    REQUIRE(late);
    CHECK(difference(good, state_of(db)) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE("a dead client's rename that takes the restored collection for the old one is undone") {
    Fixture db;
    db.fill("teams", 5);
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("teams", 2, 5000);
    const RestoreRecord cut = cut_before(db, file, "users");
    if (cut.names_decide) return;  // where a rename makes a new UUID, nothing tells the two apart
    bool late = false;
    settle(db, [&](const Progress& now) {
        if (late || now.phase != "swapping" || now.collection != "users") return;
        late = true;
        rename_collection(db.client, db.place.database, "teams", retired_name(cut.op, step_of(cut, "teams"), 0));
    });
    REQUIRE(late);
    CHECK(difference(good, state_of(db)) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE(
    "a retired collection that appears after everything was settled is dropped when a safety backup holds it, else kept") {
    Fixture db;
    db.fill("users", 20);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 10, 5000);
    const std::string safety = restore_file(db, file).safety_file;
    const std::string late = retired_name("0badf00d", 0, 0);
    db.fill(late, 20);
    db.fill(late, 10, 5000);
    CHECK(settle(db).empty());
    CHECK(leftovers(db) == "");

    db.fill(late, 20);
    db.fill(late, 10, 6000);
    for (int times = 0; times < 2; ++times) {
        const auto notes = settle(db);
        REQUIRE(notes.size() == 1);
        CHECK(notes[0].find("reprise_0badf00d_k0_0") != std::string::npos);
        CHECK(leftovers(db) == "reprise_0badf00d_k0_0 ");
    }
    // Another of the same name finds it taken and gets its own; a damaged safety backup proves nothing.
    std::string text = db.text_of(safety);
    text[text.find("person 7")] = 'P';
    db.write_text(safety, text);
    db.fill(late, 20);
    db.fill(late, 10, 5000);
    CHECK(settle(db).size() == 2);
    CHECK(leftovers(db) == "reprise_0badf00d_k0_0 reprise_0badf00d_k0_0_2 ");
}

TEST_CASE("two collections of one name but for the op, from two that died, block nobody and lose nothing") {
    Fixture db;
    db.fill("teams", 5);
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("teams", 2, 5000);
    db.fill("users", 10, 5000);
    const RestoreRecord cut = cut_before(db, file, "users");
    const std::string staging = cut.steps[step_of(cut, "users")].staging;
    db.fill("reprise_0badf00d" + staging.substr(16), 4, 8000);             // staged by somebody whom no record names
    db.fill(retired_name("0badf00d", step_of(cut, "teams"), 0), 3, 7000);  // retired twice: the first died in between
    const auto before = db.files();
    settle(db);
    CHECK(difference(good, state_of(db)) == "");
    CHECK(leftovers(db) == "");
    std::int64_t copied = 0;
    for (const auto& name : db.files())
        if (std::find(before.begin(), before.end(), name) == before.end())
            copied += verify_file(*db.store, name, false, db.context).manifest.summary.documents;
    CHECK(copied == 3);
}

TEST_CASE("what others do to a restored collection after a crash in the swap is theirs, and the rest is finished") {
    Fixture db;
    const bool kept = keeps_options(db);
    db.fill("gone", 5);
    db.fill("replaced", 5);
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    for (const char* name : {"gone", "replaced", "users"}) db.fill(name, 2, 5000);
    cut_before(db, file, "users");
    db.drop("gone");
    db.drop("replaced");
    db.fill("replaced", 3, 9000);
    const State theirs = state_of(db);
    settle(db);
    const State now = state_of(db);
    CHECK(now.count("gone") == 0);
    CHECK(now.at("replaced") == theirs.at("replaced"));
    CHECK((now.at("users") == good.at("users") || !kept));
    CHECK(leftovers(db) == "");
}

TEST_CASE("measurements written to a restored time series after a crash in the swap stay where they were written") {
    Fixture db;
    const auto measurement = [](std::int64_t at, int id) {
        std::string when;
        append_le(when, at);
        return BsonBuilder().raw(BsonType::date, "t", when).add("_id", id).str();
    };
    db.create("weather", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str());
    for (int i = 0; i < 4; ++i) insert(db, "weather", measurement(1700000000000 + i, i));
    db.create("v", BsonBuilder().add("viewOn", "weather").array("pipeline", BsonArray().str()).str());
    const std::string file = db.back_up().manifest.name;
    drop_everything(db);
    cut_before(db, file, "v");
    insert(db, "weather", measurement(1700000009000, 77));
    const auto before = db.files();
    settle(db);
    CHECK(state_of(db).at("weather").content.documents == 5);
    CHECK(db.files() == before);  // no copy: nothing was taken away
    CHECK(leftovers(db) == "");
}

TEST_CASE("a restored collection that went before its step was marked stops every operation, until a person says to go on") {
    Fixture db;
    db.fill("teams", 5);
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("teams", 2, 5000);
    db.fill("users", 2, 5000);
    const State old = state_of(db);
    const RestoreRecord cut = cut_before(db, file, "users");
    if (cut.names_decide) return;  // where a rename makes a new UUID, only a missing collection shows
    const std::string mark = "steps." + std::to_string(step_of(cut, "teams")) + ".done";
    const std::string unmark = BsonBuilder()
                                   .doc("q", BsonBuilder().add("_id", "restore").add(mark, true).str())
                                   .doc("u", BsonBuilder().doc("$unset", BsonBuilder().add(mark, "").str()).str())
                                   .str();
    const std::string reply =
        db.run(BsonBuilder().add("update", kOwnCollection).array("updates", BsonArray().doc(unmark).str()).str());
    REQUIRE(BsonView(reply).find("n")->integer() == 1);
    db.drop("teams");
    for (int times = 0; times < 2; ++times) CHECK(reason_of([&] { settle(db); }) == "staging_missing");
    db.place.abandon_unfinished = true;
    std::string all;
    for (const auto& note : settle(db)) all += note + "\n";
    CHECK(all.find("collection teams was removed") != std::string::npos);
    State now = state_of(db);
    CHECK(now.at("users") == good.at("users"));
    CHECK(now.count("teams") == 0);
    const std::string kept = leftovers(db);
    REQUIRE(is_kept_name(kept.substr(0, kept.size() - 1)));  // one name, nothing else
    CHECK(all.find(kept.substr(0, kept.size() - 1)) != std::string::npos);
    rename_collection(db.client, db.place.database, kept.substr(0, kept.size() - 1), "teams");
    now = state_of(db);
    CHECK(now.at("teams") == old.at("teams"));
    db.place.abandon_unfinished = false;
    CHECK(settle(db).empty());
}
