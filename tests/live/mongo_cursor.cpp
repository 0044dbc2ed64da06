#include <chrono>
#include <thread>

#include "mongo_support.h"

using namespace live;

namespace {

std::vector<std::string> numbered(std::int64_t count, const std::string& text = "text") {
    std::vector<std::string> documents;
    for (std::int64_t i = 0; i < count; ++i) documents.push_back(document(i, text));
    return documents;
}

}  // namespace

TEST_CASE("fifty thousand documents come back byte for byte, in the order of _id, over many batches") {
    Database database;
    const auto documents = numbered(50000, std::string(400, 'x'));  // more than one 16 MiB batch
    database.insert("many", documents);
    CHECK(database.read("many") == documents);
    FindOptions small;
    small.batch_documents = 777;
    CHECK(database.read("many", small) == documents);
    FindOptions natural;
    natural.order = Order::natural;
    CHECK(database.read("many", natural).size() == documents.size());
}

TEST_CASE("documents of sixteen MiB are read whole") {
    Database database;
    const std::string empty = BsonBuilder().add("_id", std::int64_t{1}).add("text", "").str();
    const std::string largest = document(1, std::string(16 * 1024 * 1024 - empty.size(), 'y'));
    REQUIRE(largest.size() == 16 * 1024 * 1024);
    database.insert(
        "large",
        {largest, document(2),
         BsonBuilder().add("_id", std::int64_t{3}).add("text", std::string(16 * 1024 * 1024 - empty.size(), 'z')).str()});
    const auto found = database.read("large");
    REQUIRE(found.size() == 3);
    CHECK(found[0] == largest);
    CHECK(found[1] == document(2));
}

TEST_CASE("an empty or missing collection has no documents") {
    Database database;
    CHECK(database.read("nowhere").empty());
    FindOptions options;
    options.order = Order::unhinted;
    CHECK(database.read("nowhere", options).empty());
}

TEST_CASE("filter, projection, sort and limit are sent") {
    Database database;
    database.insert("many", numbered(100));
    FindOptions options;
    options.filter = BsonBuilder().doc("_id", BsonBuilder().add("$gte", std::int64_t{90}).str()).str();
    options.projection = BsonBuilder().add("_id", 1).str();
    options.sort = BsonBuilder().add("_id", -1).str();
    options.limit = 3;
    const auto found = database.read("many", options);
    REQUIRE(found.size() == 3);
    CHECK(found[0] == BsonBuilder().add("_id", std::int64_t{99}).str());
}

TEST_CASE("a snapshot read is believed only as far as the replies say") {
    Database database;
    if (!database.client.server().replica_set) return;
    database.insert("one", numbered(10));
    database.insert("two", numbered(3000, std::string(100, 'x')));
    FindOptions options;
    options.snapshot = true;
    Cursor first(database.client, database.name, "one", options);
    const auto time = first.at_cluster_time();
    REQUIRE(time.has_value());
    options.at = time;
    Cursor second(database.client, database.name, "two", options);
    std::string_view document;
    std::size_t count = 0;
    while (second.next(document)) ++count;
    CHECK(count == 3000);
    // Either the server honored the time, or it is not claimed.
    if (second.at_cluster_time()) CHECK(*second.at_cluster_time() == *time);
    // A plain read never claims a time.
    CHECK_FALSE(Cursor(database.client, database.name, "one", {}).at_cluster_time().has_value());
}

TEST_CASE("a cursor that the server has lost is a failure and never an end") {
    Database database;
    database.insert("many", numbered(1000));
    FindOptions options;
    options.batch_documents = 10;
    Cursor cursor(database.client, database.name, "many", options);
    std::string_view document;
    REQUIRE(cursor.next(document));
    database.command(BsonBuilder().add("drop", "many"));
    std::size_t count = 1;
    bool ended = false;
    try {
        while (cursor.next(document)) ++count;
        ended = true;
    } catch (const Failure& failure) {
        CHECK(failure.origin == Origin::server);
    }
    // A server may let the cursor finish on what it holds; what it may not do is end it short.
    if (ended) CHECK(count == 1000);
}

TEST_CASE("an unfinished cursor is killed when it is left") {
    Database database;
    database.insert("many", numbered(1000));
    FindOptions options;
    options.batch_documents = 10;
    {
        Cursor cursor(database.client, database.name, "many", options);
        std::string_view document;
        CHECK(cursor.next(document));
    }
    CHECK(database.read("many").size() == 1000);
}

TEST_CASE("several cursors on one client do not disturb each other") {
    Database database;
    database.insert("many", numbered(1000));
    FindOptions options;
    options.batch_documents = 7;
    Cursor one(database.client, database.name, "many", options), two(database.client, database.name, "many", options);
    std::string_view a, b;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(one.next(a));
        REQUIRE(two.next(b));
        REQUIRE(a == b);
    }
    CHECK_FALSE(one.next(a));
    CHECK_FALSE(two.next(b));
}

TEST_CASE("cancel during a long read ends it") {
    Database database;
    database.insert("many", numbered(20000, std::string(200, 'x')));
    Cancel cancel;
    Client reader(database.url, cancel);
    FindOptions options;
    options.batch_documents = 2;
    Cursor cursor(reader, database.name, "many", options);
    std::thread stopper([&cancel] {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        cancel.request();
    });
    std::string_view document;
    const auto read_all = [&] {
        for (;;) {  // again and again: only the cancel ends it
            Cursor again(reader, database.name, "many", options);
            while (again.next(document)) continue;
        }
    };
    const Failure failure = failure_of(read_all);
    stopper.join();
    CHECK(failure.code == Code::cancelled);
}

TEST_CASE("the catalog lists collections, views and time series with options, uuids and indexes") {
    Database database;
    database.insert("plain", {document(1)});
    database.command(BsonBuilder().add("create", "capped").add("capped", true).add("size", 65536));
    database.command(BsonBuilder().add("create", "shown").add("viewOn", "plain").array("pipeline", BsonArray().str()));
    database.command(BsonBuilder().add("create", "measured").doc("timeseries", BsonBuilder().add("timeField", "t").str()));
    create_indexes(
        database.client, database.name, "plain",
        {BsonBuilder().doc("key", BsonBuilder().add("text", 1).str()).add("name", "by_text").add("unique", true).str()});
    const auto all = list_collections(database.client, database.name, true);
    std::vector<std::string> names;
    for (const auto& one : all) names.push_back(one.name);
    CHECK(names == std::vector<std::string>{"capped", "measured", "plain", "shown"});
    CHECK(BsonView(all[0].options).find("capped")->truthy());
    if (!on_python_server()) CHECK(all[1].type == "timeseries");
    CHECK(all[2].indexes.size() == 2);
    CHECK(all[2].uuid.size() == 16);
    CHECK(all[3].type == "view");
    CHECK(all[3].indexes.empty());
    CHECK(BsonView(all[3].options).find("viewOn")->text() == "plain");
    CHECK(find_collection(database.client, database.name, "plain", true) == all[2]);
    CHECK_FALSE(find_collection(database.client, database.name, "nowhere", false).has_value());
}

TEST_CASE("a catalog of hundreds of collections is complete") {
    Database database;
    for (int i = 0; i < 250; ++i) create_collection(database.client, database.name, "c" + std::to_string(1000 + i), {});
    const auto all = list_collections(database.client, database.name, false);
    REQUIRE(all.size() == 250);
    CHECK(all.front().name == "c1000");
    CHECK(all.back().name == "c1249");
}

TEST_CASE("empty is asked of the documents") {
    Database database;
    CHECK_FALSE(database_exists(database.client, database.name));
    CHECK(collection_empty(database.client, database.name, "users"));
    database.insert("users", {document(1), document(2)});
    CHECK(database_exists(database.client, database.name));
    CHECK_FALSE(collection_empty(database.client, database.name, "users"));
    CHECK(count_up_to(database.client, database.name, "users", 1) == 1);
    CHECK(count_up_to(database.client, database.name, "users", 3) == 2);
    CHECK(count_up_to(database.client, database.name, "nobody", 3) == 0);
    CHECK(database_size(database.client, database.name).data_bytes >= 0);
}
