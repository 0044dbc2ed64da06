#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "mongo_support.h"

using namespace live;

namespace {

// A port on which somebody listens and never answers.
struct SilentPort {
    SilentPort() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        REQUIRE(::listen(fd, 16) == 0);
        socklen_t size = sizeof address;
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
        port = ntohs(address.sin_port);
    }
    ~SilentPort() { ::close(fd); }
    std::string url() const { return "mongodb://127.0.0.1:" + std::to_string(port) + "/"; }
    int fd;
    int port = 0;
};

std::int64_t elapsed_ms(const std::chrono::steady_clock::time_point& since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - since).count();
}

}  // namespace

TEST_CASE("the server says what it is") {
    Database database;
    const ServerInfo& server = database.client.server();
    CHECK(server.major >= 4);
    CHECK(server.max_wire_version >= 6);
    CHECK(server.at_least(server.major, server.minor, server.patch));
    CHECK_FALSE(server.at_least(server.major, server.minor, server.patch + 1));
}

TEST_CASE("a command's error carries the code and none of the server's text") {
    Database database;
    const Failure failure = failure_of([&] { database.command(BsonBuilder().add("secretCommandOfMine", 1)); });
    CHECK(failure.code == Code::server);
    CHECK(failure.reason == "server_error");
    CHECK(failure.origin == Origin::server);
    CHECK(failure.origin_code == 59);
    CHECK(failure.message.find("no such") == std::string::npos);
    CHECK(failure.message.find("CommandNotFound") != std::string::npos);
}

TEST_CASE("a refused write names index and namespace but no value") {
    Database database;
    database.insert("people", {document(1)});
    const std::string doubled =
        BsonBuilder().add("insert", "people").array("documents", BsonArray().doc(document(1, "s3cret")).str()).str();
    const Failure failure = failure_of([&] { database.client.command(database.name, doubled); });
    CHECK(failure.origin_code == 11000);
    CHECK(failure.message.find("index 0") != std::string::npos);
    CHECK(failure.message.find(database.name + ".people") != std::string::npos);
    CHECK(failure.message.find("s3cret") == std::string::npos);
    const std::string reply = database.client.write_command(database.name, doubled);
    CHECK(BsonView(reply).find("writeErrors").has_value());
}

TEST_CASE("every concern is accepted for reads and writes, retryable or not") {
    Database database;
    std::int64_t id = 0;
    for (const Concern concern : {Concern::read, Concern::majority, Concern::none}) {
        for (const bool retryable : {false, true}) {
            CommandOptions options;
            options.concern = concern;
            options.retryable_write = retryable;
            options.max_time_ms = 5000;
            const auto documents = BsonArray().doc(document(++id)).str();
            database.command(BsonBuilder().add("insert", "things").array("documents", documents), options);
            options.retryable_write = false;
            const std::string reply = database.command(BsonBuilder().add("find", "things"), options);
            CHECK(BsonView(reply).at_path("cursor.firstBatch").has_value());
        }
    }
    CHECK(database.read("things").size() == 6);
}

TEST_CASE("a retryable write sent twice with one number is done once") {
    Database database;
    if (!database.client.server().replica_set) return;
    database.insert("counters", {BsonBuilder().add("_id", std::int64_t{1}).add("n", 0).str()});
    CommandOptions options;
    options.retryable_write = true;
    const auto add_one = BsonBuilder()
                             .add("findAndModify", "counters")
                             .doc("query", BsonBuilder().add("_id", std::int64_t{1}).str())
                             .doc("update", BsonBuilder().doc("$inc", BsonBuilder().add("n", 1).str()).str());
    database.command(add_one, options);
    database.command(add_one, options);  // another number: counts
    const auto found = database.read("counters");
    CHECK(BsonView(found.at(0)).find("n")->integer() == 2);
}

TEST_CASE("what the connection string says about concerns and preference does not reach our commands") {
    Secret plain = server_url();
    std::string text(plain.reveal());
    text += (text.find('?') == std::string::npos ? "?" : "&") +
            std::string("w=0&readPreference=secondaryPreferred&readConcernLevel=majority");
    Database database{Secret(text)};
    database.insert("things", {document(1)});
    CHECK(database.read("things").size() == 1);
}

TEST_CASE("a malformed connection string is refused without being repeated") {
    for (const char* url :
         {"", "localhost", "mongodb://", "mongodb://user:p@ss:word@host", "mongodb://h:99999", "http://s3cret"}) {
        const Failure failure = failure_of([&] { check_mongo_url(Secret(url)); });
        CHECK(failure.code == Code::invalid_config);
        CHECK(failure.reason == "mongo_url_invalid");
        CHECK(failure.message.find("s3cret") == std::string::npos);
    }
    CHECK(hosts_of(Secret("mongodb://user:s3cret@one:1,two:2/db?replicaSet=x")) == "one:1,two:2");
}

TEST_CASE("a refusing server is given up after the bound") {
    std::string url;
    {
        SilentPort port;
        url = port.url();
    }
    Cancel cancel;
    Client client(Secret(url), cancel, 700);
    const auto start = std::chrono::steady_clock::now();
    const Failure failure = failure_of([&] { client.server(); });
    CHECK(failure.code == Code::unavailable);
    CHECK(failure.reason == "server_unreachable");
    CHECK(failure.retryable);
    CHECK(failure.message.find("refused") != std::string::npos);
    CHECK(elapsed_ms(start) < 30000);
}

TEST_CASE("a server that accepts and says nothing is given up after the bound") {
    SilentPort port;
    Cancel cancel;
    Client client(Secret(port.url()), cancel, 700);
    const Failure failure = failure_of([&] { client.server(); });
    CHECK(failure.reason == "server_unreachable");
}

TEST_CASE("a name that does not exist is an unreachable server") {
    Cancel cancel;
    Client client(Secret("mongodb://reprise.invalid:27017/"), cancel, 500);
    const Failure failure = failure_of([&] { client.server(); });
    CHECK(failure.reason == "server_unreachable");
    CHECK(failure.message.find("reprise.invalid") != std::string::npos);
}

TEST_CASE("cancel reaches a connection attempt that nobody answers") {
    SilentPort port;
    Cancel cancel;
    Client client(Secret(port.url()), cancel, 600000);
    std::thread stopper([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        cancel.request();
    });
    const auto start = std::chrono::steady_clock::now();
    const Failure failure = failure_of([&] { client.server(); });
    stopper.join();
    CHECK(failure.code == Code::cancelled);
    CHECK(elapsed_ms(start) < 60000);  // not the ten minutes it was given
}

TEST_CASE("a cancelled client refuses everything at once") {
    Database database;
    Cancel cancel;
    Client client(database.url, cancel);
    client.server();
    cancel.request();
    CHECK(failure_of([&] { client.command("admin", BsonBuilder().add("ping", 1).str()); }).code == Code::cancelled);
}

TEST_CASE("a child after fork can neither use nor harm the connection of its parent") {
    Database database;
    database.client.server();
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 1;
        {
            auto copy = std::make_unique<Client>(database.url, database.cancel);
            try {
                database.client.command("admin", BsonBuilder().add("ping", 1).str());
            } catch (const Failure& failure) {
                code = failure.reason == "used_after_fork" ? 0 : 2;
            }
            try {
                copy->command("admin", BsonBuilder().add("ping", 1).str());  // its own is fine
            } catch (const Failure&) {
                code = 3;
            }
        }
        database.client.~Client();
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK_NOTHROW(database.client.command("admin", BsonBuilder().add("ping", 1).str()));
}

TEST_CASE("a standalone server works without sessions") {
    OwnServer server({"--standalone"});
    REQUIRE(server.started());
    Database database{Secret(server.url())};
    CHECK_FALSE(database.client.server().replica_set);
    CommandOptions options;
    options.concern = Concern::majority;
    options.retryable_write = true;
    database.command(BsonBuilder().add("insert", "things").array("documents", BsonArray().doc(document(1)).str()), options);
    CHECK(database.read("things").size() == 1);
    FindOptions snapshot;
    snapshot.snapshot = true;
    const Failure failure = failure_of([&] { database.read("things", snapshot); });
    CHECK(is_snapshot_refusal(failure.origin_code));
}

TEST_CASE("hazard 20: behind a fence that is down a client sends nothing, and says what the fence said") {
    Database database;
    Client client(server_url(), database.cancel);
    int asked = 0, up_to = 1000;
    client.fence_with([&] {
        if (++asked > up_to) throw Failure(Code::busy, "lease_lost", "test");
    });
    const auto insert = [&](int id) {
        BsonBuilder command;
        command.add("insert", "c").array("documents", BsonArray().doc(BsonBuilder().add("_id", id).str()).str());
        try {
            client.command(database.name, command.str(), {Concern::majority, 0, true});
        } catch (const Failure& failure) {
            return failure.reason;
        }
        return std::string("none");
    };
    CHECK(insert(1) == "none");
    for (int more : {0, 1}) {  // down before the command begins; between its beginning and the socket
        asked = 0, up_to = more;
        const auto began = std::chrono::steady_clock::now();
        CHECK(insert(2 + more) == "lease_lost");
        CHECK(elapsed_ms(began) < 5000);  // it is no lost server to be waited for
    }
    CHECK(database.read("c").size() == 1);
    client.fence_with(nullptr);
    CHECK(insert(4) == "none");
    CHECK(database.read("c").size() == 2);
}
