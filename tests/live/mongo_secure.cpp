// Logins, TLS and a server that breaks off: servers of their own, the last two the Python one.
#include "mongo_support.h"

using namespace live;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

Failure failure_at(const std::string& url) {
    Cancel cancel;
    Client client(Secret(url), cancel, 3000);
    return failure_of([&] { client.command("admin", BsonBuilder().add("listDatabases", 1).str()); });
}

// Makes the next `times` commands of that name end with a closed connection (the command is not run).
void break_off(Database& database, const std::string& command, int times) {
    const std::string data =
        BsonBuilder().array("failCommands", BsonArray().add(command).str()).add("closeConnection", true).str();
    database.client.command("admin", BsonBuilder()
                                         .add("configureFailPoint", "failCommand")
                                         .doc("mode", BsonBuilder().add("times", times).str())
                                         .doc("data", data)
                                         .str());
}

}  // namespace

TEST_CASE("a login with SCRAM works, and without the right password it is denied") {
    OwnServer server({"--auth"});
    REQUIRE(server.started());
    {
        Database database{Secret(server.url())};
        database.insert("things", {document(1)});
        CHECK(database.read("things").size() == 1);
    }
    const std::string wrong = replaced(server.url(), "p%40ss%2Fword%3A1", "s3cret");
    const Failure refused = failure_at(wrong);
    CHECK(refused.code == Code::denied);
    CHECK(refused.reason == "authentication_failed");
    CHECK(refused.message.find("s3cret") == std::string::npos);
    CHECK(refused.message.find("tester") == std::string::npos);
    const Failure unknown = failure_at(replaced(server.url(), "tester", "nobody"));
    CHECK(unknown.reason == "authentication_failed");
    const Failure without = failure_at(replaced(server.url(), "tester:p%40ss%2Fword%3A1@", ""));
    CHECK(without.code == Code::denied);
    CHECK(without.reason == "not_authorized");
}

TEST_CASE("a user who may only read is told so, and the lease says it too") {
    OwnServer server({"--auth"});
    REQUIRE(server.started());
    Database database{Secret(server.url())};
    database.insert("things", {document(1)});
    const std::string role = BsonBuilder().add("role", "read").add("db", database.name).str();
    database.client.command(
        "admin",
        BsonBuilder().add("createUser", "reader").add("pwd", "reader").array("roles", BsonArray().doc(role).str()).str());
    const Secret url(replaced(server.url(), "tester:p%40ss%2Fword%3A1@", "reader:reader@"));
    Cancel cancel;
    Client reader(url, cancel);
    Cursor cursor(reader, database.name, "things", {});
    std::string_view found;
    CHECK(cursor.next(found));
    CHECK(list_collections(reader, database.name, true).size() == 1);
    BatchWriter writer(reader, database.name, "things");
    writer.add(document(2));
    CHECK(failure_of([&] { writer.flush(); }).reason == "not_authorized");
    Context context;
    context.cancel = &cancel;
    const Failure failure = failure_of([&] { Lease::acquire(url, database.name, "job", 0, context); });
    CHECK(failure.code == Code::denied);
    CHECK(failure.reason == "not_authorized");
}

TEST_CASE("TLS is spoken when the connection string asks for it, and the certificate is checked") {
    OwnServer server({"--tls"});
    if (!server.started()) {
        MESSAGE("skipped: no Python test server here");
        return;
    }
    {
        Database database{Secret(server.url())};
        database.insert("things", {document(1, std::string(3 * 1024 * 1024, 'x'))});
        CHECK(database.read("things").size() == 1);
    }
    const Failure unchecked = failure_at("mongodb://127.0.0.1:" + server.port() + "/?tls=true");  // a CA nobody knows
    CHECK(unchecked.reason == "server_unreachable");
    CHECK(unchecked.message.find("tls") != std::string::npos);
    CHECK(failure_at("mongodb://127.0.0.1:" + server.port() + "/").code == Code::unavailable);  // plain against TLS
    Cancel cancel;
    Client trusting(Secret("mongodb://127.0.0.1:" + server.port() + "/?tls=true&tlsAllowInvalidCertificates=true"), cancel);
    CHECK_NOTHROW(trusting.server());
}

TEST_CASE("cancel reaches a read over TLS") {
    OwnServer server({"--tls"});
    if (!server.started()) {
        MESSAGE("skipped: no Python test server here");
        return;
    }
    Database database{Secret(server.url())};
    Cancel cancel;
    Client client(database.url, cancel);
    client.server();
    cancel.request();
    CHECK(failure_of([&] { client.command("admin", BsonBuilder().add("ping", 1).str()); }).code == Code::cancelled);
}

TEST_CASE("a connection that breaks off is mended for writes that may be retried, and reported for all others") {
    OwnServer server({"--kind", "py", "--test-commands"});
    if (!server.started()) {
        MESSAGE("skipped: no Python test server here");
        return;
    }
    Database database{Secret(server.url())};
    break_off(database, "insert", 1);
    database.insert("things", {document(1), document(2)});
    CHECK(database.read("things").size() == 2);

    break_off(database, "insert", 2);  // the retry too
    BatchWriter writer(database.client, database.name, "things");
    writer.add(document(3));
    const Failure lost = failure_of([&] { writer.flush(); });
    CHECK(lost.code == Code::unavailable);
    CHECK(lost.reason == "server_lost");
    CHECK(lost.retryable);

    break_off(database, "find", 1);
    CHECK(failure_of([&] { database.read("things"); }).reason == "server_lost");
    CHECK(database.read("things").size() == 2);

    break_off(database, "createIndexes", 1);
    CHECK_NOTHROW(create_indexes(database.client, database.name, "things",
                                 {BsonBuilder().doc("key", BsonBuilder().add("text", 1).str()).add("name", "by_text").str()}));
}

TEST_CASE("a getMore that breaks off is a failure and never an end") {
    OwnServer server({"--kind", "py", "--test-commands"});
    if (!server.started()) {
        MESSAGE("skipped: no Python test server here");
        return;
    }
    Database database{Secret(server.url())};
    std::vector<std::string> documents;
    for (std::int64_t i = 0; i < 50; ++i) documents.push_back(document(i));
    database.insert("things", documents);
    break_off(database, "getMore", 1);
    FindOptions options;
    options.batch_documents = 10;
    Cursor cursor(database.client, database.name, "things", options);
    std::string_view one;
    std::size_t count = 0;
    const Failure failure = failure_of([&] {
        while (cursor.next(one)) ++count;
    });
    CHECK(count == 10);
    CHECK(failure.reason == "server_lost");
}

TEST_CASE("the lease survives a broken connection while it is taken and while it is renewed") {
    OwnServer server({"--kind", "py", "--test-commands"});
    if (!server.started()) {
        MESSAGE("skipped: no Python test server here");
        return;
    }
    Database database{Secret(server.url())};
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    break_off(database, "insert", 1);
    const auto lease = Lease::acquire(database.url, database.name, "job", 0, context, {}, 3000);
    CHECK(lease->term() == 1);
    break_off(database, "findAndModify", 3);
    ::usleep(4000 * 1000);  // past the ttl: without a renewal it would be lost
    CHECK_NOTHROW(lease->check());
}
