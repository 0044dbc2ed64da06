#include <doctest/doctest.h>

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "format_support.h"

using namespace reprise;
using namespace format_test;

TEST_CASE("a backup is laid out byte for byte as FORMAT.md says") {
    Backup backup = sample();
    const std::string text = write(backup);
    const std::string before_last =
        "{\"backup_date\":\"2025-10-12T16:27:21.123456Z\",\"database\":\"test_database\",\n"
        "\"reprise\":{\"format\":1,\"kind\":\"full\",\"requires\":[],\"id\":\"0123456789abcdef0123456789abcdef\","
        "\"deployment\":\"fedcba9876543210fedcba9876543210\",\"sequence\":42,\"scope\":{\"is\":\"all\"},\"label\":\"nightly\","
        "\"version\":\"0.1.0\",\"server\":\"7.0.0\",\"profile\":\"readable\",\"wanted\":\"prefer_snapshot\"},\n"
        "\"catalog\":{\n"
        "\"users\":{\"type\":\"collection\",\"options\":{},\"indexes\":[{\"v\":2,\"key\":{\"_id\":1},\"name\":\"_id_\"}]},\n"
        "\"absences\":{\"type\":\"collection\",\"options\":{},\"indexes\":[{\"v\":2,\"key\":{\"_id\":1},\"name\":\"_id_\"}]},\n"
        "\"active_users\":{\"type\":\"view\",\"options\":{\"viewOn\":\"users\",\"pipeline\":[]}}\n"
        "},\n"
        "\"collections\":{\n"
        "\"users\":[\n"
        "{\"_id\":0,\"name\":\"Sophie 0\"},\n"
        "{\"_id\":1,\"name\":\"Sophie 1\"}\n"
        "],\n"
        "\"absences\":[\n"
        "]\n"
        "},\n"
        "\"summary\":{\"documents\":2,\"consistency\":\"per_collection\",\"read\":{\"from\":\"2025-10-12T16:27:21.123456Z\","
        "\"to\":\"2025-10-12T16:27:22.000000Z\"},\"escapes\":0,\"collections\":{\"users\":{\"documents\":2,\"bson_bytes\":66,"
        "\"digest\":\"" +
        backup.summary.find("users")->digest +
        "\"},\"absences\":{\"documents\":0,\"bson_bytes\":0,\"digest\":\"xxh3-128:00000000000000000000000000000000\"}}},\n";
    CHECK(text == before_last + "\"sha256\":\"" + sha256_hex(before_last) + "\"}\n");
    CHECK(backup.sha256 == sha256_hex(before_last));
}

TEST_CASE("what was written is read back, however the bytes arrive") {
    Backup backup = sample(100);
    backup.header.scope = {"partial", {"users", "absences"}, {"é\n"}, {{"old", "not \"readable\""}}};
    backup.header.edited_from = "00000000000000000000000000000001";
    backup.header.deployment.reset();
    backup.summary.consistency = "snapshot";
    backup.summary.cluster_time = {4294967295u, 7};
    const std::string text = write(backup);
    for (const std::size_t piece : {1, 3, 1000, 1 << 20}) {
        for (const bool tolerate : {false, true}) {
            const Backup got = read(text, tolerate, piece);
            CHECK(got.header.backup_date_us == backup.header.backup_date_us);
            CHECK(got.header.database == "test_database");
            CHECK(got.header.id == backup.header.id);
            CHECK_FALSE(got.header.deployment);
            CHECK(got.header.sequence == 42);
            CHECK(got.header.scope.is == "partial");
            CHECK(got.header.scope.include == backup.header.scope.include);
            CHECK(got.header.scope.exclude == backup.header.scope.exclude);
            CHECK(got.header.scope.skipped == backup.header.scope.skipped);
            CHECK(got.header.edited_from == backup.header.edited_from);
            CHECK(got.header.label == "nightly");
            CHECK(got.sha256 == backup.sha256);
            CHECK(got.summary.cluster_time == backup.summary.cluster_time);
            CHECK(got.summary.read_to_us == backup.summary.read_to_us);
            CHECK(got.summary.collections == backup.summary.collections);
            REQUIRE(got.collections.size() == 3);
            for (std::size_t i = 0; i < 3; ++i) {
                CHECK(got.collections[i].entry.type == backup.collections[i].entry.type);
                CHECK(got.collections[i].entry.options == backup.collections[i].entry.options);
                CHECK(got.collections[i].entry.indexes == backup.collections[i].entry.indexes);
                CHECK((got.collections[i].documents == backup.collections[i].documents));
            }
            CHECK_FALSE(got.mismatch);
            CHECK_FALSE(got.legacy);
            CHECK(got.warnings.empty());
        }
    }
}

TEST_CASE("a database without collections, and collections without documents, go through") {
    Backup backup = sample(0);
    CHECK(reason_of(write(backup)) == "fine");
    backup.collections.clear();
    const std::string text = write(backup);
    CHECK(text.find("\"catalog\":{\n},\n\"collections\":{\n},\n\"summary\"") != std::string::npos);
    CHECK(read(text).collections.empty());
}

TEST_CASE("escapes in documents and catalog are counted and come back as the same bytes") {
    Backup backup = sample(1);
    const std::string odd = BsonBuilder().doc("a", BsonBuilder().add("$oid", "x").str()).str();
    backup.collections[0].documents.push_back(odd);
    backup.collections[0].entry.options =
        BsonBuilder().doc("validator", BsonBuilder().doc("n", BsonBuilder().add("$type", "int").str()).str()).str();
    const std::string text = write(backup);
    CHECK(backup.summary.escapes == 2);
    const Backup got = read(text);
    CHECK(got.collections[0].documents[1] == odd);
    CHECK(got.collections[0].entry.options == backup.collections[0].entry.options);
}

TEST_CASE("a time series is hashed with its fields sorted") {
    Backup backup = sample(0);
    Collection weather{
        {"weather", "timeseries", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str(), {}}, {}};
    weather.documents.push_back(BsonBuilder().add("t", 1).add("a", 2).str());
    backup.collections = {weather};
    const std::string one = write(backup);
    const std::string digest = backup.summary.find("weather")->digest;
    CHECK(digest.substr(0, 16) == "xxh3-128-sorted:");
    CHECK(reason_of(one) == "fine");
    backup.collections[0].documents[0] = BsonBuilder().add("a", 2).add("t", 1).str();
    write(backup);
    CHECK(backup.summary.find("weather")->digest == digest);
}

TEST_CASE("a document whose line would be over 32 MiB is escaped as a whole") {
    Backup backup = sample(0);
    const std::string big = BsonBuilder().add("x", std::string(8 * 1024 * 1024, '\1')).str();
    backup.collections[0].documents = {big, BsonBuilder().add("_id", 1).str()};
    const std::string text = write(backup);
    CHECK(backup.summary.escapes == 1);
    CHECK(text.size() < 12 * 1024 * 1024);
    const Backup got = read(text);
    CHECK((got.collections[0].documents == backup.collections[0].documents));
}

TEST_CASE("documents that are skipped are checked all the same") {
    Backup backup = sample(1000);
    const std::string text = write(backup);
    MemorySource source(text);
    BackupReader reader(source, "x");
    std::string name;
    std::string_view bson;
    CHECK(reader.next_collection(name));
    CHECK(reader.next_document(bson));
    CHECK(reader.next_collection(name));
    CHECK_FALSE(reader.next_collection(name));
    CHECK_FALSE(reader.next_collection(name));
    CHECK_FALSE(reader.next_document(bson));
    CHECK(reader.summary().documents == 1000);
    CHECK(reader.sha256() == backup.sha256);
}

TEST_CASE("a writer that is used in another order than the catalog's says so") {
    const Backup backup = sample();
    const auto writer_of = [&](MemorySink& sink) {
        std::vector<CatalogEntry> catalog;
        for (const Collection& collection : backup.collections) catalog.push_back(collection.entry);
        return std::make_unique<BackupWriter>(sink, backup.header, catalog);
    };
    MemorySink sink;
    Summary summary;
    CHECK_THROWS_AS(writer_of(sink)->begin_collection("absences"), Failure);
    CHECK_THROWS_AS(writer_of(sink)->document("x"), Failure);
    CHECK_THROWS_AS(writer_of(sink)->end_collection(), Failure);
    CHECK_THROWS_AS(writer_of(sink)->finish(summary), Failure);
    CHECK_FALSE(sink.finished);
}
