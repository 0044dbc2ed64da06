// Backups of the scripted peer (tests/peer): what a replica set does with one T, and a user that may only read.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "engine/checks.h"
#include "engine/plan.h"
#include "engine_backup_support.h"
#include "format/reader.h"

using namespace backup_test;

namespace {

// The peer as a child process that ends with its standard input; what it prints after its port is not read.
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
        char line[64] = {};
        REQUIRE(std::fgets(line, sizeof line, output_) != nullptr);
        port_ = std::to_string(std::atoi(line));
    }
    ~Peer() {
        ::close(input_);
        int status = 0;
        ::waitpid(child_, &status, 0);
        std::fclose(output_);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    Secret url() const { return Secret("mongodb://127.0.0.1:" + port_ + "/?replicaSet=peer"); }
    Secret url_of_mongos() const { return Secret("mongodb://127.0.0.1:" + port_ + "/"); }

private:
    pid_t child_ = -1;
    int input_ = -1;
    std::FILE* output_ = nullptr;
    std::string port_;
};

BackupResult back_up_peer(Fixture& on, const std::string& time, const BackupOptions& options = {}) {
    const Peer peer("--writes denied --time " + time);
    Place place = on.place;
    place.url = peer.url();
    place.database = "app";
    return backup(place, options, on.context);
}

std::int64_t documents_in(const BackupResult& result, const char* collection) {
    return result.manifest.summary.find(collection)->documents;
}

}  // namespace

TEST_CASE("with one T for all reads a backup is one cut and says so") {
    Fixture on;
    const BackupResult result = back_up_peer(on, "honor");
    CHECK(result.manifest.summary.consistency == "snapshot");
    REQUIRE(result.manifest.summary.cluster_time);
    CHECK(result.manifest.summary.cluster_time->first == 1700000001);
    CHECK(documents_in(result, "first") == documents_in(result, "second"));
    CHECK(on.text_of(result.manifest.name).find("\"consistency\":\"snapshot\"") != std::string::npos);
    BackupOptions options;
    options.require_snapshot = true;
    CHECK(back_up_peer(on, "honor", options).manifest.summary.consistency == "snapshot");
}

TEST_CASE("a server whose replies do not show one T gives a backup per collection, which says so and why") {
    for (const char* time : {"lie", "late-lie", "239", "246"}) {
        CAPTURE(time);
        Fixture on;
        const BackupResult result = back_up_peer(on, time);
        CHECK(result.manifest.summary.consistency == "per_collection");
        CHECK_FALSE(result.manifest.summary.cluster_time);
        CHECK(result.manifest.summary.documents > 600);
        REQUIRE_FALSE(result.warnings.empty());
        CHECK(result.warnings.back().find("consistent per collection") != std::string::npos);
        for (const std::string& warning : result.warnings) CHECK(warning.find("s3cret") == std::string::npos);
        CHECK(verify_file(*on.store, result.manifest.name, false, on.context).manifest.consistency == "per_collection");
    }
}

TEST_CASE("require_snapshot fails where one T is not shown, and leaves nothing behind") {
    BackupOptions options;
    options.require_snapshot = true;
    for (const char* time : {"lie", "late-lie", "239", "246"}) {
        CAPTURE(time);
        Fixture on;
        const Failure failure = failure_of([&] { back_up_peer(on, time, options); });
        CHECK(failure.code == Code::unavailable);
        CHECK(failure.reason == "snapshot_unavailable");
        CHECK(on.entries().empty());
    }
}

TEST_CASE("a user that may only read backs up without a lease, without an id, and the result says so") {
    Fixture on;
    const BackupResult first = back_up_peer(on, "honor"), second = back_up_peer(on, "honor");
    CHECK(first.without_lease);
    CHECK_FALSE(first.manifest.deployment);
    CHECK(first.became_latest);
    CHECK(second.manifest.sequence == first.manifest.sequence + 1);
    CHECK(latest_name(*on.store) == second.manifest.name);
    CHECK(read_owner(*on.store)->database == "app");
    CHECK_FALSE(read_owner(*on.store)->deployment);
}

TEST_CASE("what needs the right to write is denied to a user that may only read") {
    Fixture on;
    const Peer peer("--writes denied");
    Place place = on.place;
    place.url = peer.url();
    place.database = "app";
    CHECK(failure_of([&] { Operation(place, Access::write, on.context); }).code == Code::denied);
}

// Not yet shown on a real cluster: the peer says what mongos would.
TEST_CASE("the catalog keeps the shard key, and what is or was sharded is not replaced unasked") {
    Fixture on;
    const Peer peer("--mongos --writes denied");
    Place place = on.place;
    place.url = peer.url_of_mongos();
    place.database = "app";
    const BackupResult made = backup(place, {}, on.context);
    CHECK(on.text_of(made.manifest.name).find("\"shardKey\":{\"tenant\":1,\"at.day\":\"hashed\"}") != std::string::npos);
    CHECK(verify_file(*on.store, made.manifest.name, false, on.context).manifest.sha256 == made.manifest.sha256);
    const auto blob = on.store->open(made.manifest.name);
    const BackupReader reader(*blob, made.manifest.name);
    Client client(peer.url_of_mongos(), on.cancel);
    RestoreOptions options;
    const auto refusal = [&](const std::string& name) {
        CatalogEntry entry = reader.catalog().at(0);
        REQUIRE_FALSE(entry.shard_key.empty());
        entry.name = name;
        if (name == "second") entry.shard_key.clear();
        return failure_of([&] { check_sharding(client, "app", make_plan({entry}, {}, options, false), options); });
    };
    CHECK(refusal("first").message.find("is sharded; restore into it with mode merge") != std::string::npos);
    CHECK(refusal("second").code == Code::ok);
    CHECK(refusal("gone").message.find("would come back unsharded") != std::string::npos);
    options.allow_unsharded = true;
    CHECK(refusal("gone").code == Code::ok);
    CHECK(refusal("first").reason == "collection_sharded");
    options.mode = RestoreMode::merge;
    CHECK(refusal("first").code == Code::ok);
}
