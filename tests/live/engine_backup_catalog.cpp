// The catalog changes while the documents are read.
#include "engine_backup_support.h"

using namespace backup_test;

namespace {

// Calls `change` once per reading of the database, in its middle.
struct InTheMiddle {
    InTheMiddle(Fixture& on, int times, std::function<void()> change) {
        on.context.progress_hook = [this, times, change = std::move(change)](const Progress& progress) {
            if (progress.phase != "reading") return;
            if (progress.documents == 0) fresh_ = true;
            if (progress.documents == 0 || !fresh_ || readings_ >= times) return;
            fresh_ = false;
            ++readings_;
            change();
        };
    }
    int readings() const { return readings_; }

private:
    bool fresh_ = true;
    int readings_ = 0;
};

}  // namespace

TEST_CASE("a collection that is made anew while it is read is read again") {
    Fixture on;
    on.fill("users", 100);
    const InTheMiddle middle(on, 1, [&] {
        on.drop("users");
        on.fill("users", 7);
    });
    const BackupResult result = on.back_up();
    CHECK(middle.readings() == 1);
    CHECK(result.manifest.summary.documents == 7);
    CHECK(result.manifest.state == "good");
    CHECK(on.files().size() == 1);
}

TEST_CASE("an index that is built while the documents are read stands in the backup") {
    Fixture on;
    on.fill("users", 100);
    const InTheMiddle middle(on, 1, [&] {
        create_indexes(on.client, on.place.database, "users", {index_spec("by_name", BsonBuilder().add("name", 1).str())});
    });
    const BackupResult result = on.back_up();
    CHECK(on.text_of(result.manifest.name).find("by_name") != std::string::npos);
}

TEST_CASE("a catalog that changes during every reading fails the backup by name, after a bounded number of them") {
    Fixture on;
    on.fill("users", 100);
    const InTheMiddle middle(on, 100, [&] {
        on.drop("users");
        on.fill("users", 100);
    });
    const Failure failure = failure_of([&] { on.back_up(); });
    CHECK(failure.code == Code::busy);
    CHECK(failure.reason == "catalog_changing");
    CHECK(failure.message.find("users") != std::string::npos);
    CHECK(middle.readings() == 3);
    CHECK(on.entries().empty());
}

TEST_CASE("a collection that appears while the others are read is left out and changes nothing") {
    Fixture on;
    on.fill("users", 100);
    const InTheMiddle middle(on, 100, [&] { on.fill("visitors", 3); });
    const BackupResult result = on.back_up();
    CHECK(middle.readings() == 1);
    CHECK(result.manifest.summary.collections.size() == 1);
}

TEST_CASE("a collection that was excluded may change as it likes") {
    Fixture on;
    on.fill("users", 100);
    on.fill("scratch", 1);
    const InTheMiddle middle(on, 100, [&] { on.drop("scratch"); });
    BackupOptions options;
    options.scope.is = "configured";
    options.scope.exclude = {"scratch"};
    CHECK(on.back_up(options).became_latest);
    CHECK(middle.readings() == 1);
}
