#include <thread>

#include "engine_restore_support.h"

using namespace restore_test;

namespace {

std::string date_field(const char* name, std::int64_t ms) {
    std::string value;
    append_le(value, ms);
    return BsonBuilder().raw(BsonType::date, name, value).str();
}

std::string merged(const std::string& a, const std::string& b) {
    BsonBuilder out;
    for (const auto& field : BsonView(a)) out.field(field);
    for (const auto& field : BsonView(b)) out.field(field);
    return out.str();
}

// The year 2100: a server's TTL monitor may come by at any moment, and must find nothing to delete.
constexpr std::int64_t kFarAway = 4102444800000;

// One value of every BSON type, deprecated ones included.
std::string every_type(std::int32_t id) {
    BsonBuilder d;
    std::string eight;
    append_le(eight, std::int64_t{1700000000123});
    d.add("_id", id).add("double", 1.5).add("string", "\xC3\xA9\n\"").doc("document", BsonBuilder().add("a", 1).str());
    d.array("array", BsonArray().add("x").add(std::int64_t{5}).str())
        .binary("binary", 0, "bytes")
        .binary("uuid", 4, std::string(16, '\7'));
    d.raw(BsonType::oid, "oid", std::string(12, '\3')).add("yes", true).raw(BsonType::date, "date", eight).null("null");
    d.raw(BsonType::regex, "regex", std::string("a.*\0im\0", 7)).add("int32", 7).timestamp("timestamp", 5, 6);
    d.add("int64", std::int64_t{1} << 60).raw(BsonType::decimal128, "decimal", std::string(15, '\0') + '\x30');
    d.raw(BsonType::min_key, "min", "").raw(BsonType::max_key, "max", "");
    d.raw(BsonType::code, "code", std::string("\5\0\0\0f();\0", 9).substr(0, 9));
    d.timestamp("empty_timestamp", 0, 0);
    const std::string text("\3\0\0\0ab\0", 7), scope = BsonBuilder().add("x", 1).str();
    d.raw(BsonType::symbol, "symbol", text).raw(BsonType::undefined, "undefined", "");
    d.raw(BsonType::db_pointer, "pointer", text + std::string(12, '\5'));
    std::string scoped;
    append_le(scoped, static_cast<std::int32_t>(4 + text.size() + scope.size()));
    return d.raw(BsonType::code_w_scope, "scoped", scoped + text + scope).str();
}

void create_index(Fixture& db, const char* collection, const std::string& index) {
    create_indexes(db.client, db.place.database, collection, {index});
}

void fill_everything(Fixture& db) {
    db.fill("users", 300);
    create_index(db, "users", index_spec("name_1", key("name")));
    create_index(db, "users", index_spec("salary_u", key("salary", -1), BsonBuilder().add("unique", true)));
    create_index(db, "users",
                 index_spec("two", BsonBuilder().add("name", 1).add("salary", -1).str(), BsonBuilder().add("sparse", true)));
    create_index(
        db, "users",
        index_spec("part", key("age"), BsonBuilder().doc("partialFilterExpression", BsonBuilder().add("age", 1).str())));
    create_index(db, "users", index_spec("place", BsonBuilder().add("place", "2dsphere").str()));
    create_index(db, "users", index_spec("wild", BsonBuilder().add("$**", 1).str()));
    create_index(db, "users",
                 index_spec("sorted", key("name"), BsonBuilder().doc("collation", BsonBuilder().add("locale", "fr").str())));
    db.create("types");
    for (int i = 0; i < 10; ++i) insert(db, "types", every_type(i));
    db.create("sessions");
    create_index(db, "sessions", index_spec("seen", key("seen"), BsonBuilder().add("expireAfterSeconds", 3600)));
    for (int i = 0; i < 5; ++i) insert(db, "sessions", merged(BsonBuilder().add("_id", i).str(), date_field("seen", kFarAway)));
    db.create("log", BsonBuilder().add("capped", true).add("size", 1048576).add("max", std::int64_t{1000}).str());
    db.fill("log", 20);
    const std::string clustered = BsonBuilder().doc("key", key("_id")).add("unique", true).add("name", "by_id").str();
    db.create("clustered", BsonBuilder().doc("clusteredIndex", clustered).str());
    db.fill("clustered", 20);
    const std::string series = BsonBuilder().add("timeField", "t").add("metaField", "m").add("granularity", "minutes").str();
    db.create("weather", BsonBuilder().doc("timeseries", series).str());
    for (int i = 0; i < 30; ++i)
        insert(db, "weather",
               merged(merged(date_field("t", 1700000000000 + i * 1000), BsonBuilder().add("m", i % 3).str()),
                      BsonBuilder().add("_id", i).add("v", 0.5 * i).str()));
    const std::string all = BsonArray().doc(BsonBuilder().doc("$match", BsonBuilder().str()).str()).str();
    db.create("b_view", BsonBuilder().add("viewOn", "users").array("pipeline", all).str());
    db.create("a_view_on_view", BsonBuilder().add("viewOn", "b_view").array("pipeline", all).str());
    const std::string schema = BsonBuilder().add("salary", BsonBuilder().str()).str();
    db.create("strict",
              BsonBuilder().doc("validator", BsonBuilder().doc("good", BsonBuilder().add("$exists", true).str()).str()).str());
    insert(db, "strict", BsonBuilder().add("_id", 1).add("good", 1).str());
    db.create("empty");
}

}  // namespace

TEST_CASE("hazard 6, hazard 7: everything that a database holds survives: backup, drop everything, restore") {
    Fixture db;
    const bool kept = keeps_options(db);
    fill_everything(db);
    const State before = state_of(db);
    const std::string file = db.back_up().manifest.name;
    drop_everything(db);
    const RestoreResult result = restore_file(db, file);
    if (kept)
        CHECK(difference(before, state_of(db)) == "");
    else
        CHECK(difference(without_options(before), without_options(state_of(db))) == "");
    CHECK(leftovers(db) == "");
    CHECK(result.safety_file.empty());
    CHECK(result.warnings.empty() == kept);
    CHECK(says_options_lost(result) != kept);
    CHECK(result.collections.size() == before.size());
}

TEST_CASE("S6, hazard 8: over data a restore mixes nothing, saves what was there, and the safety backup brings it back") {
    Fixture db;
    const bool kept = keeps_options(db);
    const auto seen = [&](const State& state) { return kept ? state : without_options(state); };
    fill_everything(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.remove_all("users");
    db.fill("users", 7, 5000);
    insert(db, "types", BsonBuilder().add("_id", 77).str());
    insert(db, "weather", merged(date_field("t", 1700000900000), BsonBuilder().add("_id", 900).add("m", 1).str()));
    db.drop("a_view_on_view");
    db.fill("stranger", 3);
    const State spoilt = state_of(db);
    const RestoreResult result = restore_file(db, file);
    State wanted = good;
    wanted["stranger"] = spoilt.at("stranger");
    CHECK(difference(seen(wanted), seen(state_of(db))) == "");
    CHECK(result.left_alone == std::vector<std::string>{"stranger"});
    REQUIRE(!result.safety_file.empty());
    CHECK(result.copies.empty());
    CHECK(leftovers(db) == "");

    restore_file(db, result.safety_file);
    State back = spoilt;
    back["a_view_on_view"] = good.at("a_view_on_view");  // not in the safety backup, so left alone
    CHECK(difference(seen(back), seen(state_of(db))) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE("a second restore over the same data reuses the safety backup") {
    Fixture db;
    db.fill("users", 20);
    const std::string file = db.back_up().manifest.name;
    const std::string first = restore_file(db, file).safety_file;
    REQUIRE(!first.empty());
    CHECK(restore_file(db, file).safety_file == first);
    insert(db, "users", BsonBuilder().add("_id", 999).str());
    CHECK(restore_file(db, file).safety_file != first);
}

TEST_CASE("exact takes away what the backup does not know, after saving it") {
    Fixture db;
    db.fill("users", 20);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("stranger", 9);
    db.create("odd_view", BsonBuilder().add("viewOn", "stranger").array("pipeline", BsonArray().str()).str());
    RestoreOptions options;
    options.exact = true;
    const RestoreResult result = restore_file(db, file, options);
    CHECK(difference(good, state_of(db)) == "");
    CHECK(leftovers(db) == "");
    CHECK(verify_file(*db.store, result.safety_file, false, db.context).manifest.summary.find("stranger")->documents == 9);
}

TEST_CASE("exact is refused with a part of a database, and with lists") {
    Fixture db;
    db.fill("users", 5);
    db.fill("teams", 5);
    BackupOptions some;
    some.scope.is = "partial";
    some.scope.include = {"users"};
    const std::string partial = db.back_up(some).manifest.name;
    RestoreOptions exact;
    exact.exact = true;
    CHECK(reason_of([&] { restore_file(db, partial, exact); }) == "scope_partial");
    const std::string whole = db.back_up().manifest.name;
    exact.include = {"users"};
    CHECK(reason_of([&] { restore_file(db, whole, exact); }) == "exact_with_lists");
}

TEST_CASE("include and exclude restore what they say and nothing else") {
    Fixture db;
    db.fill("users", 5);
    db.fill("teams", 5);
    db.fill("logs", 5);
    const std::string file = db.back_up().manifest.name;
    db.drop("users");
    db.drop("teams");
    db.drop("logs");
    RestoreOptions options;
    options.include = {"users", "logs"};
    options.exclude = {"logs"};
    restore_file(db, file, options);
    const State now = state_of(db);
    CHECK(now.size() == 1);
    CHECK(now.count("users") == 1);
    options.include = {"nobody"};
    CHECK(reason_of([&] { restore_file(db, file, options); }) == "collection_missing");
}

TEST_CASE("S4, S15: a cut, changed or foreign file leaves the database untouched") {
    Fixture db;
    db.fill("users", 50);
    const std::string file = db.back_up().manifest.name;
    const std::string text = db.text_of(file);
    db.fill("users", 5, 1000);
    const State before = state_of(db);
    db.write_text("backup_20200101_000000.json", text.substr(0, text.size() / 2));
    std::string flipped = text;
    flipped[flipped.find("person 7")] = 'P';
    db.write_text("backup_20200102_000000.json", flipped);
    db.write_text("backup_20200103_000000.json", "this is not a backup\n");
    for (const char* name : {"backup_20200101_000000.json", "backup_20200102_000000.json", "backup_20200103_000000.json"}) {
        CHECK(failure_of([&] { restore_file(db, name); }).code == Code::corrupt);
        CHECK(difference(before, state_of(db)) == "");
        CHECK(leftovers(db) == "");
    }
    CHECK(reason_of([&] { restore_file(db, "backup_20300101_000000.json"); }) == "file_missing");
}

TEST_CASE("another database's file is refused, and restored when that is asked for") {
    Fixture db, other;
    db.fill("users", 12);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    other.write_text(file, db.text_of(file));
    CHECK(reason_of([&] { restore_file(other, file); }) == "other_database");
    CHECK(state_of(other).empty());
    RestoreOptions options;
    options.other_database = true;
    restore_file(other, file, options);
    CHECK(difference(good, state_of(other)) == "");
    CHECK(leftovers(other) == "");
}

TEST_CASE("a file of the replaced system restores with a warning and keeps the live indexes and options") {
    Fixture db;
    const bool kept = keeps_options(db);
    db.create("users", BsonBuilder().doc("collation", BsonBuilder().add("locale", "fr").str()).str());
    create_index(db, "users", index_spec("mail_1", key("mail"), BsonBuilder().add("unique", true)));
    create_index(db, "users", index_spec("name_1", key("name")));
    db.write_text("backup_20240101_000000.json", R"({"backup_date": "2024-01-01T00:00:00", "database": ")" + db.place.database +
                                                     R"(", "collections": {"users": [
{"name": "Sophie", "_id": "a", "mail": "same"}, {"_id": "b", "name": "Marc", "mail": "same"},
{"name": "Ana", "mail": "other"}]}})");
    const RestoreResult result = restore_file(db, "backup_20240101_000000.json");
    CHECK(result.documents == 3);
    const auto now = find_collection(db.client, db.place.database, "users", true);
    REQUIRE(now.has_value());
    if (kept)
        CHECK(BsonView(now->options).at_path("collation.locale")->text() == "fr");
    else
        CHECK(says_options_lost(result));
    CHECK(now->indexes.size() == 2);  // _id_ and name_1: mail_1 has two owners of one value
    std::string all;
    for (const auto& warning : result.warnings) all += warning + "\n";
    CHECK(all.find("mail_1") != std::string::npos);
    CHECK(all.find("1 documents of collection users had no _id") != std::string::npos);
    CHECK(leftovers(db) == "");
}

TEST_CASE("a unique index that cannot be built fails the restore naming both documents, or is built plain when asked") {
    Fixture db;
    db.create("users");
    create_index(db, "users", index_spec("mail_1", key("mail"), BsonBuilder().add("unique", true)));
    insert(db, "users", BsonBuilder().add("_id", 1).add("mail", "a").str());
    insert(db, "users", BsonBuilder().add("_id", 2).add("mail", "b").str());
    std::string text = db.text_of(db.back_up().manifest.name);
    text.replace(text.find("\"mail\":\"b\""), 10, "\"mail\":\"a\"");
    const std::string edited = "backup_20240102_000000.json";
    db.write_text(edited, text);
    const std::string file = std::filesystem::path(rehash(db.place, edited, db.context).path).filename().string();
    const State before = state_of(db);
    const Failure failure = failure_of([&] { restore_file(db, file); });
    CHECK(failure.reason == "unique_conflict");
    CHECK(failure.message.find("mail_1") != std::string::npos);
    CHECK(failure.message.find("documents 1 and 2") != std::string::npos);
    CHECK(difference(before, state_of(db)) == "");
    CHECK(leftovers(db) == "");
    RestoreOptions options;
    options.non_unique = true;
    const RestoreResult result = restore_file(db, file, options);
    CHECK(result.documents == 2);
    CHECK(find_collection(db.client, db.place.database, "users", true)->indexes.size() == 2);
    CHECK(result.warnings.size() >= 1);
}

TEST_CASE("documents that fail the validator are restored where that is permitted") {
    Fixture db;
    const bool kept = keeps_options(db);
    db.create("strict");
    db.fill("strict", 250);
    const std::string validator = BsonBuilder().doc("good", BsonBuilder().add("$exists", true).str()).str();
    db.run(BsonBuilder().add("collMod", "strict").doc("validator", validator).str());
    for (int i = 0; i < 3; ++i) insert(db, "strict", BsonBuilder().add("_id", 1000 + i).add("good", 1).str());
    const State before = state_of(db);
    const std::string file = db.back_up().manifest.name;
    drop_everything(db);
    const RestoreResult result = restore_file(db, file);
    if (kept) CHECK(difference(before, state_of(db)) == "");
    CHECK(state_of(db).at("strict").content == before.at("strict").content);
    CHECK(result.warnings.size() == (kept ? 1 : 2));
}

TEST_CASE("a database that is not empty at startup is not restored into once it changed") {
    Fixture db;
    db.fill("users", 5);
    const std::string file = db.back_up().manifest.name;
    const State before = state_of(db);
    RestoreOptions options;
    options.startup = true;
    options.expected_empty = {"users"};
    CHECK(reason_of([&] { restore_file(db, file, options); }) == "database_changing");
    CHECK(difference(before, state_of(db)) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE("startup builds the indexes that only the live collection has, and needs no safety backup of nothing") {
    Fixture db;
    db.fill("users", 5);
    const std::string file = db.back_up().manifest.name;
    db.drop("users");
    db.create("users");
    create_index(db, "users", index_spec("app_1", key("name")));
    RestoreOptions options;
    options.startup = true;
    options.expected_empty = {"users"};
    const RestoreResult result = restore_file(db, file, options);
    CHECK(result.safety_file.empty());
    CHECK(find_collection(db.client, db.place.database, "users", true)->indexes.size() == 2);
    CHECK(leftovers(db) == "");
}

TEST_CASE("a cancelled restore leaves the database as it was") {
    Fixture db;
    db.fill("users", 500);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 5, 5000);
    const State before = state_of(db);
    for (const char* phase : {"verifying", "safety", "staging", "indexes", "checking", "comparing"}) {
        Cancel cancel;
        Context context = db.context;
        context.cancel = &cancel;
        context.progress_hook = [&](const Progress& now) {
            if (now.phase == phase) cancel.request();
        };
        RestoreOptions options;
        options.file = file;
        CHECK(reason_of([&] { restore(db.place, options, context); }) == "cancelled");
        Operation next(db.place, Access::write, db.context);
        CHECK(difference(before, state_of(db)) == "");
        CHECK(leftovers(db) == "");
    }
}

TEST_CASE("merge brings documents by _id and ends the same when it is repeated") {
    Fixture db;
    db.fill("users", 50);
    db.fill("gone", 5);
    const std::string file = db.back_up().manifest.name;
    db.drop("gone");
    const std::string changed = BsonBuilder()
                                    .doc("q", BsonBuilder().add("_id", 3).str())
                                    .doc("u", BsonBuilder().doc("$set", BsonBuilder().add("name", "x").str()).str())
                                    .str();
    db.run(BsonBuilder().add("update", "users").array("updates", BsonArray().doc(changed).str()).str());
    const std::string one = BsonBuilder().doc("q", BsonBuilder().add("_id", 4).str()).add("limit", 1).str();
    db.run(BsonBuilder().add("delete", "users").array("deletes", BsonArray().doc(one).str()).str());
    insert(db, "users", BsonBuilder().add("_id", 999).add("name", "mine").str());
    RestoreOptions options;
    options.mode = RestoreMode::merge;
    const RestoreResult result = restore_file(db, file, options);
    CHECK(!result.safety_file.empty());
    REQUIRE(result.collections.size() == 2);
    for (const auto& c : result.collections) {
        if (c.name == "gone") CHECK(c.inserted == 5);
        if (c.name != "users") continue;
        CHECK(c.inserted == 1);
        CHECK(c.replaced == 1);
        CHECK(c.unchanged == 48);
        CHECK(c.conflicts == 0);
    }
    const State first = state_of(db);
    CHECK(first.at("users").content.documents == 51);
    const RestoreResult again = restore_file(db, file, options);
    for (const auto& c : again.collections) CHECK(c.unchanged == c.documents);
    CHECK(difference(first, state_of(db)) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE("a file that changes while it is merged ends the merge at that collection and says what stands") {
    Fixture db;
    for (int i = 0; i < 5; ++i)  // more than is read ahead
        insert(db, "a", BsonBuilder().add("_id", i).add("text", std::string(1000 * 1000, 'x')).str());
    db.fill("b", 5);
    db.fill("c", 5);
    const std::string file = db.back_up().manifest.name;
    std::string changed = db.text_of(file);
    changed[changed.find("person 3") + 7] = '8';  // of b
    for (const char* name : {"a", "b", "c"}) db.remove_all(name);
    db.fill("c", 1, 100);
    Context context = db.context;
    context.progress_hook = [&](const Progress& now) {
        if (now.phase == "comparing") db.write_text(file, changed);
    };
    RestoreOptions options;
    options.file = file;
    options.mode = RestoreMode::merge;
    const Failure failure = failure_of([&] { restore(db.place, options, context); });
    CHECK(failure.reason == "file_changed");
    CHECK(failure.message.find("collection b") != std::string::npos);
    CHECK(failure.message.find("untouched") == std::string::npos);
    const State now = state_of(db);
    CHECK(now.at("a").content.documents == 5);
    CHECK(now.at("c").content.documents == 1);
}

TEST_CASE("merge reports documents whose unique value is taken, and refuses capped collections and time series") {
    Fixture db;
    db.create("users");
    insert(db, "users", BsonBuilder().add("_id", 1).add("mail", "a").str());
    insert(db, "users", BsonBuilder().add("_id", 2).add("mail", "b").str());
    const std::string file = db.back_up().manifest.name;
    db.remove_all("users");
    create_index(db, "users", index_spec("mail_1", key("mail"), BsonBuilder().add("unique", true)));
    insert(db, "users", BsonBuilder().add("_id", 9).add("mail", "a").str());
    RestoreOptions options;
    options.mode = RestoreMode::merge;
    const RestoreResult result = restore_file(db, file, options);
    CHECK(result.collections.at(0).conflicts == 1);
    CHECK(result.collections.at(0).inserted == 1);

    Fixture capped;
    capped.create("log", BsonBuilder().add("capped", true).add("size", 4096).str());
    const std::string other = capped.back_up().manifest.name;
    CHECK(reason_of([&] { restore_file(capped, other, options); }) == "merge_unsupported");
}

TEST_CASE("after a restore of a smaller backup the next backup is good, not suspect") {
    Fixture db;
    db.fill("users", 4);
    const std::string small = db.back_up().manifest.name;
    db.fill("users", 400, 1000);
    CHECK(db.back_up().manifest.state == "good");
    restore_file(db, small);
    CHECK(db.back_up().manifest.state == "good");
    db.remove_all("users");
    CHECK(db.back_up().manifest.state == "suspect");
}
