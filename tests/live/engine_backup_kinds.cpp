// Every kind of collection and index that the server takes.
#include "engine_backup_support.h"
#include "format/reader.h"

using namespace backup_test;

namespace {

std::vector<CatalogEntry> catalog_in(Fixture& on, const std::string& name) {
    const auto blob = on.store->open(name);
    BackupReader reader(*blob, name);
    return reader.catalog();
}

const CatalogEntry& entry(const std::vector<CatalogEntry>& catalog, const std::string& name) {
    for (const CatalogEntry& one : catalog)
        if (one.name == name) return one;
    throw Failure(Code::not_found, "collection_missing", name + " is not in the catalog");
}

std::string key(const char* field, int direction = 1) { return BsonBuilder().add(field, direction).str(); }

void make_indexes(Fixture& on, const std::string& name) {
    create_indexes(on.client, on.place.database, name,
                   {index_spec("plain", key("a")), index_spec("descending", key("b", -1)),
                    index_spec("unique", key("c"), BsonBuilder().add("unique", true)),
                    index_spec("sparse", key("d"), BsonBuilder().add("sparse", true)),
                    index_spec("ttl", key("e"), BsonBuilder().add("expireAfterSeconds", 86400)),
                    index_spec("compound", BsonBuilder().add("f", 1).add("g", -1).str()),
                    index_spec("partial", key("h"),
                               BsonBuilder().doc("partialFilterExpression",
                                                 BsonBuilder().doc("h", BsonBuilder().add("$gt", 5).str()).str())),
                    index_spec("collated", key("i"),
                               BsonBuilder().doc("collation", BsonBuilder().add("locale", "fr").add("strength", 2).str())),
                    index_spec("wild", key("w.$**")), index_spec("sphere", BsonBuilder().add("place", "2dsphere").str()),
                    index_spec("flat", BsonBuilder().add("spot", "2d").str()),
                    index_spec("hidden", key("j"), BsonBuilder().add("hidden", true))});
}

}  // namespace

TEST_CASE("hazard 7: every kind of index stands in the catalog as the server described it") {
    Fixture on;
    on.fill("users", 1);
    make_indexes(on, "users");
    const auto live = find_collection(on.client, on.place.database, "users", true);
    REQUIRE(live);
    REQUIRE(live->indexes.size() == 13);
    const CatalogEntry saved = entry(catalog_in(on, on.back_up().manifest.name), "users");
    CHECK(saved.indexes == live->indexes);
    CHECK(saved.options == live->options);
}

TEST_CASE("a capped collection is read in its natural order") {
    Fixture on;
    on.create("log", BsonBuilder().add("capped", true).add("size", 1000000).add("max", 1000).str());
    on.fill("log", 10, 50);
    on.fill("log", 10, 0);
    const BackupResult result = on.back_up();
    const auto blob = on.store->open(result.manifest.name);
    BackupReader reader(*blob, result.manifest.name);
    std::string name;
    std::string_view document;
    std::vector<std::int64_t> order;
    while (reader.next_collection(name))
        while (reader.next_document(document)) order.push_back(BsonView(document).find("_id")->integer());
    REQUIRE(order.size() == 20);
    CHECK(order.front() == 50);
    CHECK(order.back() == 9);
    CHECK(BsonView(entry(reader.catalog(), "log").options).find("capped"));
}

TEST_CASE("clustered, collated and validated collections are saved with their options") {
    Fixture on;
    const std::string clustered = BsonBuilder().doc("key", key("_id")).add("unique", true).str();
    on.create("clustered", BsonBuilder().doc("clusteredIndex", clustered).str());
    on.create("collated", BsonBuilder().doc("collation", BsonBuilder().add("locale", "fr").str()).str());
    const std::string rule = BsonBuilder().doc("name", BsonBuilder().add("$exists", true).str()).str();
    on.create("validated", BsonBuilder().doc("validator", rule).add("validationLevel", "moderate").str());
    for (const char* name : {"clustered", "collated", "validated"}) on.fill(name, 3);
    const BackupResult result = on.back_up();
    const auto catalog = catalog_in(on, result.manifest.name);
    for (const char* name : {"clustered", "collated", "validated"}) {
        CAPTURE(name);
        CHECK(entry(catalog, name).options == find_collection(on.client, on.place.database, name, false)->options);
        CHECK(result.manifest.summary.find(name)->documents == 3);
    }
}

TEST_CASE("a time series is read through its name, with a digest that knows no field order") {
    Fixture on;
    const std::string series = BsonBuilder().add("timeField", "at").add("metaField", "sensor").str();
    on.create("weather", BsonBuilder().doc("timeseries", series).str());
    BatchWriter writer(on.client, on.place.database, "weather");
    for (int i = 0; i < 50; ++i) {
        std::string at;
        append_le(at, std::int64_t{1700000000000} + i * 1000);
        writer.add(BsonBuilder().raw(BsonType::date, "at", at).add("_id", i).add("sensor", i % 3).add("value", 0.5 * i).str());
    }
    writer.flush();
    REQUIRE(writer.error_count() == 0);
    const BackupResult result = on.back_up();
    const CollectionSummary* sum = result.manifest.summary.find("weather");
    REQUIRE(sum != nullptr);
    CHECK(sum->documents == 50);
    CHECK(sum->digest.rfind("xxh3-128-sorted:", 0) == 0);
    CHECK(*sum == measure_collection(on.client, on.place.database, "weather", true, on.context));
    CHECK(entry(catalog_in(on, result.manifest.name), "weather").type == "timeseries");
    CHECK(result.manifest.summary.collections.size() == 1);  // no buckets
}

TEST_CASE("what the digest covers is what the server sent: every type that it keeps") {
    Fixture on;
    BatchWriter writer(on.client, on.place.database, "types");
    BsonBuilder all;
    all.add("_id", 1).add("double", -0.0).add("string", "h\xC3\xA9").doc("document", BsonBuilder().add("x", 1).str());
    all.array("array", BsonArray().add("a").add(std::int64_t{5}).str()).binary("uuid", 4, std::string(16, '\7'));
    all.binary("binary", 0, "abc").raw(BsonType::oid, "oid", std::string(12, '\1')).add("boolean", true).null("null");
    all.raw(BsonType::date, "date", std::string("\0\0\0\0\1\0\0\0", 8))
        .raw(BsonType::regex, "regex", std::string("a.b\0i\0", 6));
    all.add("int64", std::int64_t{5}).add("int32", 5).timestamp("timestamp", 7, 9);
    all.raw(BsonType::decimal128, "decimal", std::string(14, '\0') + "\x40\x30").raw(BsonType::min_key, "min", {});
    all.raw(BsonType::max_key, "max", {}).doc("looks_like", BsonBuilder().add("$oid", "not an id").str());
    writer.add(all.str());
    writer.flush();
    REQUIRE(writer.error_count() == 0);
    const BackupResult result = on.back_up();
    CHECK(result.manifest.summary.escapes == 1);
    CHECK(*result.manifest.summary.find("types") ==
          measure_collection(on.client, on.place.database, "types", false, on.context));
}
