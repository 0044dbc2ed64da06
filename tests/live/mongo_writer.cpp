#include "mongo_support.h"

using namespace live;

namespace {

std::string with_timestamp(std::int64_t id) { return BsonBuilder().add("_id", id).timestamp("at", 0, 0).add("b", 1).str(); }

}  // namespace

TEST_CASE("documents are inserted byte for byte whatever the batch bounds") {
    Database database;
    std::vector<std::string> documents;
    for (std::int64_t i = 0; i < 1000; ++i) documents.push_back(document(i, std::string(static_cast<std::size_t>(i), 'a')));
    for (const std::int64_t bytes : {1, 5000, 48000000}) {
        InsertOptions options;
        options.max_bytes = bytes;
        options.max_documents = 300;
        const std::string collection = "by" + std::to_string(bytes);
        BatchWriter writer(database.client, database.name, collection, options);
        for (const std::string& one : documents) writer.add(one);
        writer.flush();
        writer.flush();  // nothing left: nothing sent
        CHECK(writer.inserted() == 1000);
        CHECK(writer.error_count() == 0);
        CHECK(database.read(collection) == documents);
    }
}

TEST_CASE("a document without _id is the server's to name") {
    Database database;
    database.insert("unnamed", {BsonBuilder().add("a", 1).str()});
    const auto found = database.read("unnamed");
    REQUIRE(found.size() == 1);
    CHECK(BsonView(found[0]).find("_id")->type == BsonType::oid);
}

TEST_CASE("every failing document is named and all others are inserted") {
    Database database;
    database.insert("people", {document(3), document(7)});
    BatchWriter writer(database.client, database.name, "people");
    for (std::int64_t i = 0; i < 10; ++i) writer.add(document(i, "new"));
    writer.flush();
    CHECK(writer.inserted() == 8);
    CHECK(writer.error_count() == 2);
    REQUIRE(writer.errors().size() == 2);
    CHECK(writer.errors()[0].position == 3);
    CHECK(writer.errors()[0].id == "3");
    CHECK(writer.errors()[0].code == 11000);
    CHECK(writer.errors()[0].code_name == "DuplicateKey");
    CHECK(writer.errors()[1].position == 7);
    CHECK(database.read("people").size() == 10);
}

TEST_CASE("errors are counted past the ones that are kept, across batches") {
    Database database;
    std::vector<std::string> documents;
    for (std::int64_t i = 0; i < 500; ++i) documents.push_back(document(i));
    database.insert("people", documents);
    InsertOptions options;
    options.max_documents = 200;
    BatchWriter writer(database.client, database.name, "people", options);
    for (const std::string& one : documents) writer.add(one);
    writer.add(document(1000));
    writer.flush();
    CHECK(writer.inserted() == 1);
    CHECK(writer.error_count() == 500);
    CHECK(writer.errors().size() == 100);
}

TEST_CASE("a document that fails validation is named, and goes in when validation is bypassed") {
    Database database;
    const std::string validator = BsonBuilder().doc("n", BsonBuilder().add("$type", "int").str()).str();
    create_collection(database.client, database.name, "strict", BsonBuilder().doc("validator", validator).str());
    BatchWriter writer(database.client, database.name, "strict");
    writer.add(document(1));
    writer.flush();
    REQUIRE(writer.error_count() == 1);
    CHECK(writer.errors()[0].code == 121);
    InsertOptions bypass;
    bypass.bypass_validation = true;
    BatchWriter again(database.client, database.name, "strict", bypass);
    again.add(document(1));
    again.flush();
    CHECK(again.error_count() == 0);
}

TEST_CASE("an empty timestamp at top level is kept as it is") {
    Database database;
    const std::vector<std::string> documents{with_timestamp(1), document(2), with_timestamp(3)};
    database.insert("stamped", documents);
    CHECK(database.read("stamped") == documents);
}

TEST_CASE("a batch of many large documents stays below the largest message") {
    Database database;
    BatchWriter writer(database.client, database.name, "large");
    const std::string text(5 * 1024 * 1024, 'x');
    for (std::int64_t i = 0; i < 8; ++i) writer.add(document(i, text));
    writer.flush();
    CHECK(writer.inserted() == 8);
    CHECK(database.read("large").size() == 8);
}

TEST_CASE("an _id is spoken only where it says nothing about a person") {
    const auto id = [](BsonType type, std::string_view value) { return BsonBuilder().raw(type, "_id", value).str(); };
    CHECK(speak_id(document(42)) == "42");
    CHECK(speak_id(id(BsonType::oid, std::string(12, '\x0f'))) == "ObjectId 0f0f0f0f0f0f0f0f0f0f0f0f");
    CHECK(speak_id(BsonBuilder().binary("_id", 4, std::string(16, '\x01')).str()) ==
          "UUID 01010101-0101-0101-0101-010101010101");
    const std::string name = speak_id(BsonBuilder().add("_id", "someone@example.org").str());
    CHECK(name.substr(0, 7) == "sha256:");
    CHECK(name.size() == 7 + 12);
    CHECK(speak_id(BsonBuilder().add("a", 1).str()) == "no _id");
}

TEST_CASE("collections are created with options, renamed and dropped") {
    Database database;
    create_collection(database.client, database.name, "a", BsonBuilder().add("capped", true).add("size", 65536).str());
    const auto before = find_collection(database.client, database.name, "a", false);
    REQUIRE(before.has_value());
    rename_collection(database.client, database.name, "a", "b", before->uuid);
    const auto after = find_collection(database.client, database.name, "b", false);
    REQUIRE(after.has_value());
    if (!on_python_server()) {
        CHECK(after->uuid == before->uuid);
        CHECK(after->options == before->options);
    }
    database.insert("taken", {document(1)});
    CHECK(failure_of([&] { rename_collection(database.client, database.name, "b", "taken"); }).origin_code == 48);
    CHECK(failure_of([&] { rename_collection(database.client, database.name, "nowhere", "c"); }).origin_code == 26);
    drop_collection(database.client, database.name, "b");
    drop_collection(database.client, database.name, "b");  // a missing one is fine
    CHECK_FALSE(find_collection(database.client, database.name, "b", false).has_value());
}

TEST_CASE("an index that the data do not allow is a server error with its code") {
    Database database;
    database.insert("people", {document(1), document(2)});
    const Failure failure = failure_of([&] {
        create_indexes(
            database.client, database.name, "people",
            {BsonBuilder().doc("key", BsonBuilder().add("text", 1).str()).add("name", "t").add("unique", true).str()});
    });
    CHECK(failure.origin_code == 11000);
    CHECK(failure.message.find("\"text\"") == std::string::npos);
}
