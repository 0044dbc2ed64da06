// A user with the role readWrite and nothing more: restores, but may neither bypass a validator nor use collMod. Shown only
// on a server that enforces roles (servers.py run --auth); elsewhere the user may do everything and the tests say so.
#include "engine_restore_support.h"

using namespace restore_test;

namespace {

// The server's address with another login; the test's own login and options are left out.
Secret url_as(const std::string& user, const std::string& database) {
    return Secret("mongodb://" + user + ":secret@" + hosts_of(server_url()) + "/?authSource=" + database);
}

struct Limited : Fixture {
    Limited() {
        const std::string roles = BsonArray().add("readWrite").str();
        run(BsonBuilder().add("createUser", "limited").add("pwd", "secret").array("roles", roles).str());
        place.url = url_as("limited", place.database);
        try {
            Client client_(place.url, cancel);
            client_.command(place.database, BsonBuilder().add("create", "probe").str());
            client_.command(place.database, BsonBuilder().add("collMod", "probe").str());
        } catch (const Failure& failure) {
            enforced = failure.code == Code::denied;
        }
        drop("probe");
    }
    ~Limited() {
        try {
            run(BsonBuilder().add("dropUser", "limited").str());
        } catch (const Failure&) {
        }
    }
    bool enforced = false;
};

}  // namespace

TEST_CASE("readWrite alone restores everything, expiries included") {
    Limited db;
    if (!db.enforced) MESSAGE("this server does not enforce roles");
    db.fill("users", 20);
    create_indexes(db.client, db.place.database, "users",
                   {index_spec("seen", key("seen"), BsonBuilder().add("expireAfterSeconds", 3600))});
    db.create("v", BsonBuilder().add("viewOn", "users").array("pipeline", BsonArray().str()).str());
    const State before = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.remove_all("users");
    const RestoreResult result = restore_file(db, file);
    CHECK(difference(before, state_of(db)) == "");
    CHECK(result.warnings.empty());
    CHECK(leftovers(db) == "");
}

TEST_CASE("a document that fails its validator is an error naming the role where bypassing is not allowed") {
    Limited db;
    db.fill("strict", 5);
    const std::string validator = BsonBuilder().doc("good", BsonBuilder().add("$exists", true).str()).str();
    db.run(BsonBuilder().add("collMod", "strict").doc("validator", validator).str());
    const std::string file = db.back_up().manifest.name;
    const State before = state_of(db);
    if (!db.enforced) {
        MESSAGE("this server does not enforce roles");
        restore_file(db, file);
        return;
    }
    const Failure failure = failure_of([&] { restore_file(db, file); });
    CHECK(failure.reason == "bypass_denied");
    CHECK(failure.message.find("dbAdmin") != std::string::npos);
    CHECK(difference(before, state_of(db)) == "");
    CHECK(leftovers(db) == "");
}

TEST_CASE("a user that may only read is told the role before anything else") {
    Limited db;
    db.fill("users", 5);
    const std::string file = db.back_up().manifest.name;
    const State before = state_of(db);
    if (!db.enforced) return;
    const std::string roles = BsonArray().add("read").str();
    db.run(BsonBuilder().add("updateUser", "limited").array("roles", roles).str());
    const Failure failure = failure_of([&] { restore_file(db, file); });
    CHECK(failure.code == Code::denied);
    CHECK(failure.reason == "not_authorized");
    CHECK(difference(before, state_of(db)) == "");
}
