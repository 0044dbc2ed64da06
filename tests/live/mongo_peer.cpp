// Against the scripted peer of tests/peer: what a replica set does and no test server shows.
#include <algorithm>

#include "mongo/lease.h"
#include "mongo_support.h"

using namespace live;

namespace {

// The peer as a child process; its lines are what it was sent.
class Peer {
public:
    explicit Peer(const std::string& flags) {
        int to[2], from[2];
        REQUIRE(::pipe(to) == 0);
        REQUIRE(::pipe(from) == 0);
        child_ = ::fork();
        if (child_ == 0) {
            ::dup2(to[0], 0);
            ::dup2(from[1], 1);
            for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
            ::unsetenv("LD_PRELOAD");
            const std::string command = "exec python3 '" REPRISE_SOURCE_FOLDER "/tests/peer/peer.py' " + flags;
            ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        input_ = to[1];
        output_ = ::fdopen(from[0], "r");
        port_ = line();
        REQUIRE_FALSE(port_.empty());
    }
    ~Peer() {
        if (input_ >= 0) ::close(input_);
        std::fclose(output_);
        int status = 0;
        ::waitpid(child_, &status, 0);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    Secret url(const std::string& options = "") const {
        return Secret("mongodb://127.0.0.1:" + port_ + "/?replicaSet=peer" + options);
    }
    // Every command of that name that it was sent, as JSON. Ends the peer.
    std::vector<std::string> sent(const std::string& name) {
        ::close(std::exchange(input_, -1));
        std::vector<std::string> found;
        for (std::string one = line(); !one.empty(); one = line())
            if (one.rfind("{\"" + name + "\":", 0) == 0) found.push_back(one);
        return found;
    }

private:
    std::string line() {
        char text[8192];
        if (std::fgets(text, sizeof text, output_) == nullptr) return {};
        std::string whole(text);
        while (!whole.empty() && whole.back() == '\n') whole.pop_back();
        return whole;
    }
    pid_t child_ = -1;
    int input_ = -1;
    std::FILE* output_ = nullptr;
    std::string port_;
};

struct Read {
    std::size_t documents = 0;
    std::optional<ClusterTime> at;
};

Read read_at(Client& client, const std::string& collection, std::optional<ClusterTime> at) {
    FindOptions options;
    options.snapshot = true;
    options.at = at;
    Cursor cursor(client, "app", collection, options);
    Read read;
    std::string_view document;
    while (cursor.next(document)) ++read.documents;
    read.at = cursor.at_cluster_time();
    return read;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("with one cluster time for all reads, every reply agrees and one state is seen") {
    Peer peer("--time honor");
    Cancel cancel;
    Client client(peer.url(), cancel);
    const Read first = read_at(client, "first", std::nullopt);
    REQUIRE(first.at.has_value());
    const Read second = read_at(client, "second", first.at);
    CHECK(second.at == first.at);
    CHECK(second.documents == first.documents);
    const auto finds = peer.sent("find");
    REQUIRE(finds.size() == 2);
    CHECK_FALSE(holds(finds[0], "atClusterTime"));
    CHECK(holds(finds[1], "\"atClusterTime\": [1700000001, 1]"));
    CHECK(holds(finds[0], "\"level\": \"snapshot\""));
    CHECK(holds(finds[0], "\"lsid\""));
}

TEST_CASE("a server that takes the time and answers with another is not believed") {
    for (const char* how : {"--time lie", "--time late-lie"}) {
        Peer peer(how);
        Cancel cancel;
        Client client(peer.url(), cancel);
        const Read first = read_at(client, "first", std::nullopt);
        REQUIRE(first.at.has_value());
        const Read second = read_at(client, "second", first.at);
        CHECK_FALSE(second.at.has_value());
        CHECK(second.documents != first.documents);  // and rightly so
    }
}

TEST_CASE("a snapshot that is too old or not to be had is told apart from other errors") {
    for (const int code : {239, 246}) {
        Peer peer("--time " + std::to_string(code));
        Cancel cancel;
        Client client(peer.url(), cancel);
        const Failure failure = failure_of([&] { read_at(client, "first", ClusterTime{1700000000, 1}); });
        CHECK(failure.origin_code == code);
        CHECK(is_snapshot_refusal(failure.origin_code));
        CHECK_FALSE(holds(failure.message, "s3cret"));
        Cursor plain(client, "app", "first", {});  // without a snapshot it goes
        std::string_view document;
        CHECK(plain.next(document));
    }
}

TEST_CASE("a rename carries the UUID from 6.0 on, and a collection that is another one is not renamed") {
    const std::string first(16, '1'), other(16, '9');
    {
        Peer peer("--version 6.0.0");
        Cancel cancel;
        Client client(peer.url(), cancel);
        rename_collection(client, "app", "first", "third", first);
        CHECK(failure_of([&] { rename_collection(client, "app", "first", "third", other); }).origin_code == 361);
        const auto renames = peer.sent("renameCollection");
        REQUIRE(renames.size() == 2);
        CHECK(holds(renames[0], "\"collectionUUID\": \"31313131313131313131313131313131\""));
        CHECK(holds(renames[0], "\"maxTimeMS\""));
        CHECK(holds(renames[0], "\"w\": \"majority\""));
        CHECK_FALSE(holds(renames[0], "dropTarget"));
    }
    Peer old("--version 5.0.30");
    Cancel cancel;
    Client client(old.url(), cancel);
    rename_collection(client, "app", "first", "third", first);
    CHECK_FALSE(holds(old.sent("renameCollection").at(0), "collectionUUID"));
}

TEST_CASE("a read preference is sent with a backup's reads and with nothing else") {
    Peer peer("");
    Cancel cancel;
    Client client(peer.url("&readPreference=secondaryPreferred&w=0&readConcernLevel=majority&retryWrites=false"), cancel);
    std::string_view document;
    FindOptions options;
    options.use_read_preference = true;
    CHECK(Cursor(client, "app", "first", options).next(document));
    CHECK(Cursor(client, "app", "first", {}).next(document));
    const std::string empty = BsonBuilder().str();
    CommandOptions majority;
    majority.concern = Concern::majority;
    client.command("app", BsonBuilder().add("create", "x").str(), majority);
    client.command("app", BsonBuilder().add("createIndexes", "x").array("indexes", BsonArray().str()).str());
    const auto finds = peer.sent("find");
    REQUIRE(finds.size() == 2);
    CHECK(holds(finds[0], "\"$readPreference\": {\"mode\": \"secondaryPreferred\"}"));
    CHECK_FALSE(holds(finds[1], "$readPreference"));
    CHECK(holds(finds[1], "\"readConcern\": {\"level\": \"local\"}"));
}

TEST_CASE("hazard 24: whether a collection is empty is asked of the primary, whatever the connection string prefers") {
    Peer peer("");
    Cancel cancel;
    Client client(peer.url("&readPreference=secondaryPreferred"), cancel);
    count_up_to(client, "app", "users", 3);
    list_collections(client, "app", false);
    const auto finds = peer.sent("find");
    REQUIRE(finds.size() == 1);
    CHECK_FALSE(holds(finds[0], "$readPreference"));
    CHECK(holds(finds[0], "\"limit\": 3"));
    CHECK(holds(finds[0], "\"readConcern\": {\"level\": \"local\"}"));
}

TEST_CASE("writes say their concern whatever the connection string says") {
    Peer peer("");
    Cancel cancel;
    Client client(peer.url("&w=0&readConcernLevel=majority"), cancel);
    CommandOptions majority;
    majority.concern = Concern::majority;
    majority.retryable_write = true;
    client.command("app", BsonBuilder().add("create", "x").str(), majority);
    client.command("app", BsonBuilder().add("create", "y").str());
    const auto creates = peer.sent("create");
    REQUIRE(creates.size() == 2);
    CHECK(holds(creates[0], "\"writeConcern\": {\"w\": \"majority\", \"j\": true, \"wtimeout\":"));
    CHECK(holds(creates[0], "\"txnNumber\": 1"));
    CHECK(holds(creates[0], "\"lsid\""));
    CHECK(holds(creates[1], "\"writeConcern\": {\"w\": 1}"));
    CHECK_FALSE(holds(creates[1], "txnNumber"));
}

TEST_CASE("without a majority, what would wait for one waits for the primary's journal alone, the lease too") {
    for (const char* name : {"create", "renameCollection", "drop", "insert"}) {
        CAPTURE(name);
        Peer peer("");
        Cancel cancel;
        Client client(peer.url(), cancel);
        client.without_majority();
        create_collection(client, "app", "x", BsonBuilder().str());
        rename_collection(client, "app", "first", "third");
        drop_collection(client, "app", "x");
        Context context;
        context.cancel = &cancel;
        try {
            Lease::acquire(peer.url(), "app", "1", 0, context, {}, kLeaseTtlMs, true);
        } catch (const Failure&) {
            // The peer keeps no lease: what was sent is the question.
        }
        const auto all = peer.sent(name);
        REQUIRE_FALSE(all.empty());
        for (const auto& sent : all) CHECK(holds(sent, "\"writeConcern\": {\"w\": 1, \"j\": true}"));
    }
}

TEST_CASE("s10: a code name that is not letters and digits is not passed on from a refused document") {
    Peer peer("");
    Cancel cancel;
    Client client(peer.url(), cancel);
    BatchWriter writer(client, "app", "first");
    writer.add(BsonBuilder().add("_id", 1).str());
    writer.flush();
    REQUIRE(writer.errors().size() == 1);
    CHECK(writer.errors()[0].code == 9999);
    CHECK(writer.errors()[0].code_name.empty());
}
