// One operation at a time, one database per folder, one sequence.
#include <atomic>
#include <thread>

#include "engine_backup_support.h"

using namespace backup_test;

namespace {

// A second place on the same database: another folder, as another host would have it.
struct OtherFolder {
    explicit OtherFolder(const Fixture& on) : place(on.place) {
        std::string pattern = (std::filesystem::temp_directory_path() / "reprise_backup_XXXXXX").string();
        place.folder = ::mkdtemp(pattern.data());
        store = open_local_store(place.folder);
        place.store = store.get();
        place.job = "2";
    }
    ~OtherFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(place.folder, ignored);
    }
    std::unique_ptr<Store> store;
    Place place;
};

std::optional<std::string> deployment_of(Fixture& on) { return read_deployment(on.client, on.place.database).value; }

}  // namespace

TEST_CASE("S8: a second backup into the same folder is busy and names the holder") {
    Fixture on;
    on.fill("users", 2000);
    Place second = on.place;
    second.job = "2";
    Failure seen(Code::ok, "not_asked", "");
    std::atomic<bool> asked{false};
    Context context = on.context;
    context.progress_hook = [&](const Progress&) {
        if (asked.exchange(true)) return;
        std::thread other([&] { seen = failure_of([&] { backup(second, {}, on.context); }); });
        other.join();
    };
    CHECK(backup(on.place, {}, context).became_latest);
    CHECK(seen.code == Code::busy);
    CHECK(seen.reason == "folder_locked");
    CHECK(seen.message.find("job 1") != std::string::npos);
    CHECK(on.files().size() == 1);
}

TEST_CASE("S8: a second backup of the same database into another folder is busy and names the holder") {
    Fixture on;
    on.fill("users", 2000);
    const OtherFolder other(on);
    Failure seen(Code::ok, "not_asked", "");
    std::atomic<bool> asked{false};
    Context context = on.context;
    context.progress_hook = [&](const Progress& progress) {
        if (progress.phase != "reading" || asked.exchange(true)) return;
        std::thread([&] { seen = failure_of([&] { backup(other.place, {}, on.context); }); }).join();
    };
    CHECK(backup(on.place, {}, context).became_latest);
    CHECK(seen.reason == "lease_held");
    CHECK(seen.code == Code::busy);
    CHECK(seen.message.find("job 1") != std::string::npos);
    CHECK(backup(other.place, {}, on.context).manifest.sequence == 2);
}

TEST_CASE("a backup that waits for the folder gets it when the other ends") {
    Fixture on;
    on.fill("users", 10);
    auto held = FolderLock::try_acquire(on.folder, "job 7");
    REQUIRE(held);
    std::thread release([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(150));
        held.reset();
    });
    on.place.wait_ms = 60000;
    CHECK(on.back_up().became_latest);
    release.join();
}

TEST_CASE("waiting for the folder ends at once when it is cancelled") {
    Fixture on;
    const auto held = FolderLock::try_acquire(on.folder, "job 7");
    on.place.wait_ms = 600000;
    on.context.progress_hook = [&](const Progress& progress) {
        if (progress.phase == "waiting") on.cancel.request();
    };
    CHECK(reason_of([&] { on.back_up(); }) == "cancelled");
}

TEST_CASE("hazard 21: a folder that belongs to another database is refused") {
    Fixture on;
    on.fill("users", 3);
    on.back_up();
    Fixture other;
    other.fill("users", 3);
    other.place.store = on.store.get();
    other.place.folder = on.folder;
    const auto before = on.entries();
    const Failure failure = failure_of([&] { other.back_up(); });
    CHECK(failure.code == Code::refused);
    CHECK(failure.reason == "folder_of_other");
    CHECK(failure.message.find(on.place.database) != std::string::npos);
    CHECK(on.entries() == before);
}

TEST_CASE("hazard 21: the same database name on another deployment is refused too") {
    Fixture on;
    on.fill("users", 3);
    on.back_up();
    replace_deployment(on.client, on.place.database, std::string(32, 'a'));
    CHECK(reason_of([&] { on.back_up(); }) == "folder_of_other");
}

TEST_CASE("the deployment's id is made once, kept in database and folder, and stands in every backup") {
    Fixture on;
    on.fill("users", 3);
    const BackupResult first = on.back_up();
    REQUIRE(first.manifest.deployment);
    CHECK(deployment_of(on) == first.manifest.deployment);
    CHECK(read_owner(*on.store)->deployment == first.manifest.deployment);
    CHECK(on.back_up().manifest.deployment == first.manifest.deployment);
    const OtherFolder other(on);
    CHECK(backup(other.place, {}, on.context).manifest.deployment == first.manifest.deployment);
}

TEST_CASE("a database that lost its id takes the folder owner's") {
    Fixture on;
    on.fill("users", 3);
    const auto id = on.back_up().manifest.deployment;
    on.drop(kOwnCollection);
    CHECK(on.back_up().manifest.deployment == id);
    CHECK(deployment_of(on) == id);
}

TEST_CASE("an adoption that was cut off on either side of the database's write locks nobody out") {
    const std::string next(32, 'b');
    for (const bool written : {false, true}) {
        CAPTURE(written);
        Fixture on;
        on.fill("users", 3);
        const auto id = on.back_up().manifest.deployment;
        write_owner(*on.store, Owner{on.place.database, id, next});
        if (written) replace_deployment(on.client, on.place.database, next);
        CHECK(on.back_up().manifest.deployment == (written ? next : *id));
        CHECK_FALSE(read_owner(*on.store)->adopting);
    }
}

TEST_CASE("adopting another id changes database and folder, and what comes next carries it") {
    Fixture on;
    on.fill("users", 3);
    on.back_up();
    const std::string next(32, 'c');
    {
        Operation operation(on.place, Access::write, on.context);
        operation.adopt_deployment(next);
        CHECK(operation.deployment() == next);
    }
    CHECK(on.back_up().manifest.deployment == next);
    CHECK(read_owner(*on.store)->deployment == next);
}

TEST_CASE("an explicit migration may work on another database from a folder that is not its own, and leaves the owner alone") {
    Fixture on;
    on.fill("users", 3);
    on.back_up();
    Fixture other;
    other.fill("users", 3);
    other.place.store = on.store.get();
    other.place.folder = on.folder;
    other.place.foreign_folder = true;
    BackupOptions options;
    options.kind = FileKind::before_restore;
    const BackupResult safety = other.back_up(options);
    CHECK(safety.manifest.database == other.place.database);
    CHECK(read_owner(*on.store)->database == on.place.database);
    CHECK(on.back_up().became_latest);
}

TEST_CASE("a leftover of a writer that died is swept and reported") {
    Fixture on;
    on.fill("users", 3);
    std::string temporary;
    {
        auto staged = on.store->create();
        staged->write("half a backup");
        for (const std::string& name : on.entries()) temporary = name;
        std::filesystem::copy(on.folder + "/" + temporary, on.folder + "/copy");
    }
    std::filesystem::rename(on.folder + "/copy", on.folder + "/" + temporary);
    const BackupResult result = on.back_up();
    CHECK_FALSE(std::filesystem::exists(on.folder + "/" + temporary));
    REQUIRE_FALSE(result.warnings.empty());
    CHECK(result.warnings[0].find(temporary) != std::string::npos);
}

TEST_CASE("an owner file that cannot be read stops everything and says how to go on") {
    Fixture on;
    on.fill("users", 3);
    on.store->write_state("owner", "{\"database\": 5}");
    const Failure failure = failure_of([&] { on.back_up(); });
    CHECK(failure.reason == "owner_invalid");
    CHECK(failure.message.find("repair") != std::string::npos);
}
