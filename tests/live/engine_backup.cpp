#include "engine_backup_support.h"

using namespace backup_test;

TEST_CASE("a backup holds every document, count, byte and digest of the live collections, and becomes latest") {
    Fixture on;
    on.fill("users", 250);
    on.fill("absences", 40);
    on.create("empty");
    const BackupResult result = on.back_up();
    CHECK(result.became_latest);
    CHECK_FALSE(result.without_lease);
    CHECK(result.manifest.state == "good");
    CHECK(result.manifest.summary.documents == 290);
    REQUIRE(result.manifest.summary.collections.size() == 3);
    for (const auto& [name, collection] : result.manifest.summary.collections)
        CHECK(collection == measure_collection(on.client, on.place.database, name, false, on.context));
    CHECK(latest_name(*on.store) == result.manifest.name);
    CHECK(result.manifest.size_bytes == static_cast<std::int64_t>(on.text_of(result.manifest.name).size()));
}

TEST_CASE("S2: latest always points to a file that verifies, and its manifest says what verify finds") {
    Fixture on;
    on.fill("users", 20);
    on.back_up();
    const BackupResult second = on.back_up();
    const auto latest = latest_name(*on.store);
    REQUIRE(latest);
    CHECK(*latest == second.manifest.name);
    const VerifyResult verified = verify_file(*on.store, *latest, false, on.context);
    CHECK(verified.manifest.sha256 == second.manifest.sha256);
    CHECK(verified.manifest.summary.collections == second.manifest.summary.collections);
    const auto shelf = read_shelf(*on.store, false, on.context);
    REQUIRE(shelf.size() == 2);
    REQUIRE(shelf[0].manifest);
    CHECK(shelf[0].manifest->verified);
    CHECK(shelf[0].blob.name == *latest);
}

TEST_CASE("hazard 15: two backups in one second get names and sequences of their own, in order") {
    Fixture on;
    on.fill("users", 3);
    const BackupResult first = on.back_up(), second = on.back_up(), third = on.back_up();
    CHECK(first.manifest.name != second.manifest.name);
    CHECK(second.manifest.name != third.manifest.name);
    CHECK(second.manifest.sequence == first.manifest.sequence + 1);
    CHECK(third.manifest.sequence == second.manifest.sequence + 1);
    CHECK(read_shelf(*on.store, false, on.context)[0].blob.name == third.manifest.name);
}

TEST_CASE(
    "sequence is above what the database knows when the folder is new, and above what the folder knows when files are gone") {
    Fixture on;
    on.fill("users", 3);
    on.back_up();
    const std::int64_t sequence = on.back_up().manifest.sequence;
    for (const std::string& name : on.files()) on.store->remove(name);
    CHECK(on.back_up().manifest.sequence == sequence + 1);
    Fixture other;
    other.place.database = on.place.database;
    CHECK(other.back_up().manifest.sequence == sequence + 2);
}

TEST_CASE("views keep their definition and are never read; our own collections are left out") {
    Fixture on;
    on.fill("users", 5);
    const std::string stage = BsonBuilder().doc("$match", BsonBuilder().add("_id", 1).str()).str();
    on.create("one", BsonBuilder().add("viewOn", "users").array("pipeline", BsonArray().doc(stage).str()).str());
    on.create("broken", BsonBuilder().add("viewOn", "nowhere").array("pipeline", BsonArray().doc(stage).str()).str());
    const BackupResult result = on.back_up();
    REQUIRE(result.manifest.summary.collections.size() == 1);
    CHECK(result.manifest.summary.collections[0].first == "users");
    const std::string text = on.text_of(result.manifest.name);
    CHECK(text.find("\"one\":{\"type\":\"view\"") != std::string::npos);
    CHECK(text.find("\"reprise\":{\"type\"") == std::string::npos);
}

TEST_CASE("S7, hazard 1: the backup of an emptied database is kept aside and displaces nothing") {
    Fixture on;
    on.fill("users", 30);
    const BackupResult good = on.back_up();
    on.remove_all("users");
    for (int night = 0; night < 8; ++night) {
        const BackupResult bad = on.back_up();
        CHECK(bad.manifest.state == "suspect");
        CHECK(bad.manifest.name.rfind("suspect_", 0) == 0);
        CHECK_FALSE(bad.became_latest);
    }
    CHECK(latest_name(*on.store) == good.manifest.name);
    CHECK(verify_file(*on.store, good.manifest.name, false, on.context).manifest.summary.documents == 30);
    BackupOptions options;
    options.guard.accept_smaller = true;
    on.fill("users", 1);
    const BackupResult accepted = on.back_up(options);
    CHECK(accepted.became_latest);
    CHECK(on.back_up().became_latest);  // the accepted one is the new measure
}

TEST_CASE("S7: a shrunken database is suspect, and the warning says by how much") {
    Fixture on;
    on.fill("users", 5);
    on.fill("logs", 100);
    on.back_up();
    on.drop("logs");
    on.fill("logs", 20);
    const BackupResult bad = on.back_up();
    CHECK(bad.manifest.suspect_reason == "fewer_documents");
    REQUIRE_FALSE(bad.warnings.empty());
    CHECK(bad.warnings.back().find("25 documents where the largest good backup holds 105") != std::string::npos);
}

TEST_CASE("hazard 22: a partial backup never becomes latest and never counts for the guard") {
    Fixture on;
    on.fill("users", 10);
    on.fill("logs", 500);
    const BackupResult whole = on.back_up();
    BackupOptions options;
    options.scope.is = "partial";
    options.scope.include = {"users"};
    const BackupResult partial = on.back_up(options);
    CHECK_FALSE(partial.became_latest);
    CHECK(partial.manifest.state == "good");
    CHECK(partial.manifest.scope == "partial");
    CHECK(latest_name(*on.store) == whole.manifest.name);
    CHECK(on.text_of(partial.manifest.name).find("\"logs\":\"not_included\"") != std::string::npos);
    std::filesystem::remove(on.folder + "/backup_latest.json");
    CHECK(latest_name(*on.store) == whole.manifest.name);
}

TEST_CASE("a safety backup never becomes latest and is never suspect") {
    Fixture on;
    on.fill("users", 10);
    const BackupResult good = on.back_up();
    on.remove_all("users");
    BackupOptions options;
    options.kind = FileKind::before_restore;
    const BackupResult safety = on.back_up(options);
    CHECK(safety.manifest.name.rfind("before_restore_", 0) == 0);
    CHECK(safety.manifest.kind == "before_restore");
    CHECK(safety.manifest.state == "good");
    CHECK(latest_name(*on.store) == good.manifest.name);
}

TEST_CASE("a database without collections is an error, and nothing is written to the server or the folder") {
    Fixture on;
    const Failure failure = failure_of([&] { on.back_up(); });
    CHECK(failure.code == Code::not_found);
    CHECK(failure.reason == "database_missing");
    CHECK_FALSE(database_exists(on.client, on.place.database));
    CHECK(on.entries().empty());
    CHECK_FALSE(read_owner(*on.store));
    on.fill("users", 2);
    on.back_up();
    on.drop("users");
    const auto before = on.entries();
    CHECK(reason_of([&] { on.back_up(); }) == "database_missing");
    CHECK(on.entries() == before);
}

TEST_CASE("an included collection that is not there fails the backup by name") {
    Fixture on;
    on.fill("users", 1);
    BackupOptions options;
    options.scope.is = "configured";
    options.scope.include = {"users", "usres"};
    const Failure failure = failure_of([&] { on.back_up(options); });
    CHECK(failure.reason == "collection_missing");
    CHECK(failure.message.find("usres") != std::string::npos);
    CHECK(on.entries().empty());
    options.scope.include = {"reprise"};
    CHECK(reason_of([&] { on.back_up(options); }) == "collection_missing");
}

TEST_CASE("an excluded collection is not read, and the file says that it was skipped") {
    Fixture on;
    on.fill("users", 4);
    on.fill("logs", 4);
    BackupOptions options;
    options.scope.is = "configured";
    options.scope.exclude = {"logs", "never_there"};
    const BackupResult result = on.back_up(options);
    CHECK(result.became_latest);
    CHECK(result.manifest.summary.documents == 4);
    CHECK(on.text_of(result.manifest.name).find("\"logs\":\"excluded\"") != std::string::npos);
}

TEST_CASE("the state of queryable encryption fails the backup by name, unless it is excluded") {
    Fixture on;
    on.fill("users", 1);
    on.create("enxcol_.users.esc");
    const Failure failure = failure_of([&] { on.back_up(); });
    CHECK(failure.reason == "collection_encrypted");
    CHECK(failure.message.find("enxcol_.users.esc") != std::string::npos);
    BackupOptions options;
    options.scope.is = "configured";
    options.scope.exclude = {"enxcol_.users.esc"};
    CHECK(on.back_up(options).became_latest);
}

TEST_CASE("S1: a cancelled backup leaves the folder as it was") {
    Fixture on;
    on.fill("users", 3000);
    on.back_up();
    const auto before = on.entries();
    on.context.progress_hook = [&](const Progress& progress) {
        if (progress.phase == "reading" && progress.documents > 0) on.cancel.request();
    };
    CHECK(reason_of([&] { on.back_up(); }) == "cancelled");
    CHECK(on.entries() == before);
}

TEST_CASE("S1: a backup cancelled while it is read back leaves the folder as it was") {
    Fixture on;
    on.fill("users", 3000);
    on.context.progress_hook = [&](const Progress& progress) {
        if (progress.phase == "verifying") on.cancel.request();
    };
    CHECK(reason_of([&] { on.back_up(); }) == "cancelled");
    CHECK(on.entries().empty());
}

TEST_CASE("a collection name with slashes, quotes, percent signs and newlines comes back as it was") {
    Fixture on;
    for (const char* name : {"a/b", "a\"b", "a%2Fb", "a\nb", "ünï", "a b"}) on.fill(name, 2);
    const BackupResult result = on.back_up();
    CHECK(result.manifest.summary.collections.size() == 6);
    CHECK(result.manifest.summary.find("a\nb") != nullptr);
    CHECK(result.manifest.summary.documents == 12);
}

TEST_CASE("a document of 16 MiB and one 90 levels deep are kept") {
    Fixture on;
    BatchWriter writer(on.client, on.place.database, "large");
    const std::string payload(16 * 1024 * 1024 - 100, 'x');
    writer.add(BsonBuilder().add("_id", 1).add("text", payload).str());
    std::string deep = BsonBuilder().add("leaf", 1).str();
    for (int level = 0; level < 90; ++level) deep = BsonBuilder().doc("d", deep).str();
    writer.add(BsonBuilder().add("_id", 2).doc("deep", deep).str());
    writer.flush();
    REQUIRE(writer.error_count() == 0);
    const BackupResult result = on.back_up();
    CHECK(result.manifest.summary.documents == 2);
    CHECK(*result.manifest.summary.find("large") ==
          measure_collection(on.client, on.place.database, "large", false, on.context));
}
