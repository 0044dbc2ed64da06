// Nobody's acknowledged write is lost while a restore runs (S5, S6), and nothing expires in the middle.
#include <atomic>
#include <set>
#include <thread>

#include "base/thread.h"
#include "engine_restore_support.h"
#include "format/reader.h"
#include "mongo/cursor.h"

using namespace restore_test;

namespace {

void collect_ids(Fixture& db, const std::string& file, std::set<std::int64_t>& ids) {
    const auto blob = db.store->open(file);
    BackupReader reader(*blob, file);
    std::string name;
    while (reader.next_collection(name)) {
        std::string_view document;
        while (reader.next_document(document))
            if (name == "users") ids.insert(BsonView(document).find("_id")->integer());
    }
}

void collect_live(Fixture& db, std::set<std::int64_t>& ids) {
    Cursor cursor(db.client, db.place.database, "users", FindOptions{});
    std::string_view document;
    while (cursor.next(document)) ids.insert(BsonView(document).find("_id")->integer());
}

// Inserts one document after the other into users until told to stop; remembers what the server acknowledged.
class Writer {
public:
    Writer(const Place& place, std::int64_t pause_ms) {
        thread_ = std::make_unique<Thread>("test-writer", [this, &place, pause_ms] {
            Cancel cancel;
            Client client(place.url, cancel);
            for (std::int64_t id = 100000; !stop_; ++id) {
                const std::string document = BsonBuilder().add("_id", id).add("from", "writer").str();
                try {
                    client.command(
                        place.database,
                        BsonBuilder().add("insert", "users").array("documents", BsonArray().doc(document).str()).str());
                    acknowledged.insert(id);
                } catch (const Failure&) {
                    // Not acknowledged: nothing was promised.
                }
                cancel.wait_ms(pause_ms);
            }
        });
    }
    ~Writer() { stop(); }
    void stop() {
        stop_ = true;
        thread_->join();
    }
    std::set<std::int64_t> acknowledged;  // after stop()

private:
    std::atomic<bool> stop_{false};
    std::unique_ptr<Thread> thread_;
};

// A write stays in the database, or it is in a safety backup or a copy.
void check_nothing_lost(Fixture& db, const Writer& writer) {
    std::set<std::int64_t> found;
    collect_live(db, found);
    for (const auto& name : db.files()) collect_ids(db, name, found);
    int lost = 0;
    for (const auto id : writer.acknowledged) lost += found.count(id) == 0 ? 1 : 0;
    CHECK(lost == 0);
    CHECK(writer.acknowledged.size() > 0);
}

}  // namespace

TEST_CASE("S5, S6: while a writer never stops, every acknowledged write is in the database, the safety backup or a copy") {
    Fixture db;
    db.fill("users", 2000);
    const std::string file = db.back_up().manifest.name;
    int restored = 0, refused = 0;
    for (int round = 0; round < 6; ++round) {
        Writer writer(db.place, round % 2 == 0 ? 0 : 25);
        RestoreOptions options;
        options.file = file;
        try {
            restore(db.place, options, db.context);
            ++restored;
        } catch (const Failure& failure) {
            CHECK(failure.reason == "database_changing");  // the old data is in place
            ++refused;
        }
        writer.stop();
        check_nothing_lost(db, writer);
        CHECK(leftovers(db) == "");
    }
    CHECK(restored + refused == 6);
}

TEST_CASE("what is written between the last look and the swap is saved as a partial copy, named in the result") {
    Fixture db;
    db.fill("users", 50);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    db.fill("users", 10, 5000);
    bool written = false;
    Cancel cancel;
    Context context = db.context;
    Client other(server_url(), cancel);
    context.progress_hook = [&](const Progress& now) {
        if (now.phase != "swapping" || written) return;
        written = true;
        BatchWriter writer(other, db.place.database, "users");
        writer.add(BsonBuilder().add("_id", 777777).str());
        writer.flush();
    };
    RestoreOptions options;
    options.file = file;
    const RestoreResult result = restore(db.place, options, context);
    REQUIRE(written);
    REQUIRE(result.copies.size() == 1);
    std::set<std::int64_t> ids;
    collect_ids(db, result.copies[0], ids);
    CHECK(ids.count(777777) == 1);
    CHECK(ids.size() == 61);
    CHECK(difference(good, state_of(db)) == "");
    CHECK(leftovers(db) == "");

    // The copy is a backup like any other: it can be restored.
    restore_file(db, result.copies[0]);
    std::set<std::int64_t> live;
    collect_live(db, live);
    CHECK(live == ids);
}

TEST_CASE("hazard 18: documents that have long expired are still there after the restore, until the server's own sweep") {
    Fixture db;
    db.create("sessions");
    create_indexes(db.client, db.place.database, "sessions",
                   {index_spec("seen", key("seen"), BsonBuilder().add("expireAfterSeconds", 2147483647))});
    std::string long_ago;
    append_le(long_ago, std::int64_t{1000});
    for (int i = 0; i < 40; ++i)
        insert(db, "sessions", BsonBuilder().add("_id", i).raw(BsonType::date, "seen", long_ago).str());
    const std::string index = BsonBuilder().add("name", "seen").add("expireAfterSeconds", 1).str();
    db.run(BsonBuilder().add("collMod", "sessions").doc("index", index).str());
    const std::string file = db.back_up().manifest.name;
    db.drop("sessions");
    bool largest = false;
    Context context = db.context;
    context.progress_hook = [&](const Progress& now) {
        if (now.phase != "checking") return;
        for (const auto& info : list_collections(db.client, db.place.database, true))
            for (const auto& one : info.indexes)
                if (const auto expiry = BsonView(one).find("expireAfterSeconds")) largest = expiry->integer() == 2147483647;
    };
    RestoreOptions options;
    options.file = file;
    const RestoreResult result = restore(db.place, options, context);
    CHECK(largest);
    CHECK(result.documents == 40);
    const auto now = find_collection(db.client, db.place.database, "sessions", true);
    REQUIRE(now->indexes.size() == 2);
    CHECK(BsonView(now->indexes[1]).find("expireAfterSeconds")->integer() == 1);
}
