// startup on a real server, with a store between that fails or acts at a chosen moment.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <tuple>

#include "engine_restore_support.h"
#include "service/attempts.h"
#include "service/startup.h"

using namespace restore_test;

namespace {

// The folder's own store, but for what a test puts into it.
class WatchedStore : public Store {
public:
    explicit WatchedStore(Store& inner) : inner_(inner) {}
    std::function<void(const std::string&)> on_open, on_write_state;

    std::vector<Blob> list() override { return inner_.list(); }
    std::unique_ptr<OpenBlob> open(const std::string& name) override {
        if (on_open) on_open(name);
        return inner_.open(name);
    }
    std::unique_ptr<StagedBlob> create() override { return inner_.create(); }
    void rename(const std::string& from, const std::string& to) override { inner_.rename(from, to); }
    void remove(const std::string& name) override { inner_.remove(name); }
    void set_pointer(const std::string& name, const std::string& target, const std::vector<std::string>& replaces) override {
        inner_.set_pointer(name, target, replaces);
    }
    std::optional<std::string> pointer(const std::string& name) override { return inner_.pointer(name); }
    bool is_regular(const std::string& name) override { return inner_.is_regular(name); }
    std::optional<std::string> read_state(const std::string& key) override { return inner_.read_state(key); }
    void write_state(const std::string& key, std::string_view bytes) override {
        if (on_write_state) on_write_state(key);
        inner_.write_state(key, bytes);
    }
    void append_state(const std::string& key, std::string_view bytes) override { inner_.append_state(key, bytes); }
    void remove_state(const std::string& key) override { inner_.remove_state(key); }
    std::vector<std::string> list_state(const std::string& folder) override { return inner_.list_state(folder); }
    std::vector<std::string> sweep() override { return inner_.sweep(); }
    std::string path_of(const std::string& name) const override { return inner_.path_of(name); }

private:
    Store& inner_;
};

WantedRule rule(std::vector<std::string> collections, std::int64_t minimum = 1) {
    return {false, {std::move(collections), minimum}};
}

StartupResult start(Fixture& db, const StartupOptions& options = {}) {
    return start_up(
        db.place, [&] { return db.place; }, options, db.context);
}

std::string result_of(Fixture& db, const StartupOptions& options = {}) {
    const auto out = start(db, options);
    return out.result + " " + out.reason;
}

// Two backups with 5 and 7 users, then nothing but what reprise keeps for itself.
std::vector<std::string> two_backups(Fixture& db) {
    std::vector<std::string> names;
    db.fill("users", 5);
    names.push_back(db.back_up().manifest.name);
    db.fill("users", 2, 5);
    names.push_back(db.back_up().manifest.name);
    drop_everything(db);
    return names;
}

void forget_manifest(Fixture& db, const std::string& name) { db.store->remove_state("manifests/" + name + ".json"); }

void empty_folder(Fixture& db) {
    for (const auto& entry : std::filesystem::directory_iterator(db.folder)) std::filesystem::remove_all(entry.path());
}

std::int64_t users(Fixture& db) {
    return measure_collection(db.client, db.place.database, "users", false, db.context).documents;
}

const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// A process of its own that starts up and dies while it fills the staging collections.
int die_in_startup(const Fixture& db) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setenv("REPRISE_CHILD_DATABASE", db.place.database.c_str(), 1);
        ::setenv("REPRISE_CHILD_FOLDER", db.folder.c_str(), 1);
        ::execl("/proc/self/exe", "live_service", "-ns", "-tc=child of the startup tests", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("child of the startup tests" * doctest::skip()) {
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    const auto store = open_local_store(variable("REPRISE_CHILD_FOLDER"));
    Place place;
    place.url = server_url();
    place.database = variable("REPRISE_CHILD_DATABASE");
    place.store = store.get();
    place.folder = variable("REPRISE_CHILD_FOLDER");
    place.job = "2";
    context.progress_hook = [](const Progress& now) {
        if (now.phase == "staging") ::raise(SIGKILL);
    };
    start_up(
        place, [&] { return place; }, {}, context);
}

TEST_CASE("a database that never had a backup is a new deployment; one that had some and finds no folder is refused") {
    Fixture db;
    CHECK(result_of(db) == "no_backup no_backup");
    two_backups(db);
    empty_folder(db);
    CHECK(result_of(db) == "refused backups_missing");
    std::filesystem::remove_all(db.folder);
    const auto reader = open_local_store(db.folder, true);
    db.place.store = reader.get();
    CHECK(result_of(db) == "refused backups_missing");
    CHECK_FALSE(std::filesystem::exists(db.folder));
}

TEST_CASE("the sequence that only startup remembers makes a deployment a known one too") {
    Fixture db;
    Attempts attempts;
    attempts.highest_sequence = 4;
    write_attempts(db.client, db.place.database, *db.store, attempts);
    empty_folder(db);
    CHECK(result_of(db) == "refused backups_missing");
}

TEST_CASE("a new deployment whose empty database was backed up starts normally") {
    Fixture db;
    db.create("users");
    CHECK(db.back_up().manifest.state == "suspect");
    CHECK(result_of(db) == "no_backup no_backup");
}

TEST_CASE("a file that cannot be read now fails startup and names it; an older one is not taken instead") {
    Fixture db;
    const auto names = two_backups(db);
    WatchedStore watched(*db.store);
    db.place.store = &watched;
    for (const int error : {EIO, EACCES, ESTALE}) {
        watched.on_open = [&](const std::string& name) {
            if (name == names[1]) throw system_failure("cannot open " + name, error);
        };
        for (const bool known : {true, false}) {
            CAPTURE(error);
            CAPTURE(known);
            if (!known) forget_manifest(db, names[1]);
            const Failure failure = failure_of([&] { start(db); });
            CHECK((failure.code == Code::io || failure.code == Code::denied));
            CHECK(failure.message.find(names[1]) != std::string::npos);
            CHECK(leftovers(db) == "");
        }
    }
    watched.on_open = nullptr;
    CHECK(result_of(db) == "restored restored");
    CHECK(users(db) == 7);
}

TEST_CASE("a corrupt newest backup is skipped by name and the older one restored") {
    Fixture db;
    const auto names = two_backups(db);
    db.write_text(names[1], db.text_of(names[1]).substr(0, 200));
    const auto out = start(db);
    CHECK(out.result == "restored");
    CHECK(out.file == names[0]);
    REQUIRE(out.skipped.size() == 1);
    CHECK(out.skipped[0].file == names[1]);
    CHECK(users(db) == 5);
}

TEST_CASE("users empty, other data there, and no backup that can be read: refused every time, and nothing is touched") {
    Fixture db;
    for (const auto& name : two_backups(db)) db.write_text(name, db.text_of(name).substr(0, 200));
    db.fill("absences", 3);
    const State before = state_of(db);
    CHECK(result_of(db) == "refused no_candidate");
    CHECK(result_of(db) == "refused no_candidate");
    CHECK(difference(before, state_of(db)) == "");
    StartupOptions other;
    other.empty = rule({"absences"});
    CHECK(result_of(db, other) == "not_needed holds_data");
}

TEST_CASE("hazard 25: after three processes that died in the restore startup refuses, and retry tries again") {
    Fixture db;
    two_backups(db);
    for (int death = 0; death < kMaxDeaths; ++death) REQUIRE(die_in_startup(db) == SIGKILL);
    CHECK(result_of(db) == "refused startup_died_often");
    CHECK(result_of(db) == "refused startup_died_often");
    StartupOptions again;
    again.retry = true;
    CHECK(result_of(db, again) == "restored restored");
    CHECK(users(db) == 7);
    CHECK(read_attempts(db.client, db.place.database, *db.store).clean());
}

TEST_CASE("still empty after the restore: an error, and that backup is not tried again by itself until retry") {
    Fixture db;
    const auto names = two_backups(db);
    WatchedStore watched(*db.store);
    db.place.store = &watched;
    Cancel own;
    Client other(server_url(), own);
    watched.on_write_state = [&](const std::string& key) {
        if (key != "measure") return;  // the first thing written after the swap
        const std::string every = BsonBuilder().doc("q", BsonBuilder().str()).add("limit", 0).str();
        other.command(db.place.database,
                      BsonBuilder().add("delete", "users").array("deletes", BsonArray().doc(every).str()).str());
    };
    CHECK(reason_of([&] { start(db); }) == "still_empty");
    CHECK_FALSE(read_attempts(db.client, db.place.database, *db.store).failed_sha256.empty());
    watched.on_write_state = nullptr;
    const auto older = start(db);
    CHECK(older.result == "restored");
    CHECK(older.file == names[0]);
    REQUIRE(older.skipped.size() == 1);
    CHECK(older.skipped[0].reason == "failed_before");
}

TEST_CASE("still empty with a single backup: refused until retry forgets it") {
    Fixture db;
    db.fill("users", 5);
    const auto made = db.back_up().manifest;
    drop_everything(db);
    Attempts attempts;
    attempts.failed_sha256 = made.sha256;
    write_attempts(db.client, db.place.database, *db.store, attempts);
    CHECK(result_of(db) == "refused no_candidate");
    StartupOptions again;
    again.retry = true;
    CHECK(result_of(db, again) == "restored restored");
    CHECK(read_attempts(db.client, db.place.database, *db.store).clean());
}

TEST_CASE(
    "hazard 10: with a minimum a database that holds only the seeded admin is lost, and the admin is in the safety backup") {
    Fixture db;
    db.fill("users", 5);
    db.fill("absences", 2);
    db.back_up();
    const State good = state_of(db);
    drop_everything(db);
    db.fill("users", 1, 900);
    CHECK(result_of(db) == "not_needed holds_data");
    for (const auto& wanted : {rule({"users"}, 2), rule({}, 2), rule({"users", "absences"}, 2)}) {
        StartupOptions options;
        options.empty = wanted;
        const auto out = start(db, options);
        CHECK(out.result == "restored");
        CHECK(out.may_go_on);
        REQUIRE(out.restore);
        CHECK_FALSE(out.restore->safety_file.empty());
        CHECK(difference(good, state_of(db)) == "");
        CHECK(result_of(db, options) == "not_needed holds_data");
        drop_everything(db);
        db.fill("users", 1, 900);
    }
}

TEST_CASE("hazard 10: a new deployment that holds its seeded admin alone starts normally; one with other data is refused") {
    Fixture db;
    db.fill("users", 1);
    StartupOptions options;
    options.empty = rule({"users"}, 2);
    CHECK(result_of(db, options) == "no_backup no_backup");
    db.fill("absences", 1);
    CHECK(result_of(db, options) == "refused no_candidate");
}

TEST_CASE("a list of collections is lost when all of them are empty together, whatever else is there") {
    Fixture db;
    db.fill("users", 3);
    db.fill("absences", 2);
    db.fill("settings", 1);
    db.back_up();
    StartupOptions options;
    options.empty = rule({"users", "absences"});
    db.remove_all("users");
    CHECK(result_of(db, options) == "not_needed holds_data");
    db.remove_all("absences");
    CHECK(result_of(db, options) == "restored restored");
    CHECK(users(db) == 3);
    options.empty = rule({});
    db.remove_all("users");
    db.remove_all("absences");
    CHECK(result_of(db, options) == "not_needed holds_data");
    db.remove_all("settings");
    CHECK(result_of(db, options) == "restored restored");
}

TEST_CASE("hazard 11: users empty and other collections not: they are saved first, then all is put back") {
    Fixture db;
    db.fill("users", 4);
    db.fill("absences", 2);
    db.back_up();
    const State good = state_of(db);
    db.remove_all("users");
    db.fill("absences", 3, 100);
    const auto out = start(db);
    CHECK(out.result == "restored");
    REQUIRE(out.restore);
    CHECK(difference(good, state_of(db)) == "");
    const auto saved = verify_file(*db.store, out.restore->safety_file, false, db.context).manifest;
    CHECK(saved.summary.find("absences")->documents == 5);
}

TEST_CASE("hazard 22: the backup of one collection is never restored by itself") {
    Fixture db;
    db.fill("users", 4);
    db.fill("absences", 2);
    const std::string whole = db.back_up().manifest.name;
    BackupOptions part;
    part.scope.is = "partial";
    part.scope.include = {"users"};
    const std::string partial = db.back_up(part).manifest.name;
    drop_everything(db);
    const auto out = start(db);
    CHECK(out.file == whole);
    REQUIRE(out.skipped.size() == 1);
    CHECK(out.skipped[0].file == partial);
    CHECK(out.skipped[0].reason == "partial");
}

TEST_CASE("hazard 23: a mistyped sentinel restores nothing over what is there, at no start") {
    Fixture db;
    db.fill("users", 4);
    db.back_up();
    const State before = state_of(db);
    StartupOptions options;
    options.empty = rule({"usres"});
    for (int starts = 0; starts < 3; ++starts) CHECK(result_of(db, options) == "refused sentinel_not_in_backups");
    options.empty = rule({"usres", "abscences"});
    CHECK(result_of(db, options) == "refused sentinel_not_in_backups");
    CHECK(difference(before, state_of(db)) == "");
}

TEST_CASE("hazard 26: a file that this host cannot open is no candidate, and startup does not call the database new") {
    Fixture db;
    two_backups(db);
    for (const auto& name : db.files()) {
        db.store->remove(name);
        forget_manifest(db, name);
        db.write_text(name + ".age", "age-encryption.org/v1\n-> X25519 stranger\n--- and bytes that only the key opens\n");
    }
    CHECK(result_of(db) == "refused layer_unsupported");
    CHECK(state_of(db).empty());
}

TEST_CASE("hazard 27: an old file beside a refused one that was stripped of its header is not restored by itself") {
    Fixture db;
    const auto names = two_backups(db);
    std::string text = db.text_of(names[1]);
    text.replace(text.find("\"reprise\""), 9, "\"stripped\"");
    db.write_text(names[1], text);
    db.write_text(names[0], db.text_of(names[0]).substr(0, 200));
    CHECK(result_of(db) == "refused no_candidate");
}

TEST_CASE("a host that starts anyway gets every failure as an answer, but never a new database in place of an unknown one") {
    Fixture db;
    const auto names = two_backups(db);
    WatchedStore watched(*db.store);
    db.place.store = &watched;
    watched.on_open = [](const std::string& name) { throw system_failure("cannot open " + name, EIO); };
    StartupOptions anyway;
    anyway.start_anyway = true;
    const auto out = start(db, anyway);
    CHECK(out.result == "refused");
    CHECK(out.reason == "io_error");
    CHECK(out.may_go_on);
    watched.on_open = nullptr;
    const auto lock = FolderLock::try_acquire(db.folder, "job 9");
    CHECK(start(db).result == "in_progress");
    CHECK_FALSE(start(db).may_go_on);
    CHECK(start(db, anyway).result == "in_progress");
    CHECK(start(db, anyway).may_go_on);
}

TEST_CASE("a waiter's bound passes: in progress; within it: what the other brought back is confirmed") {
    Fixture db;
    two_backups(db);
    auto lock = FolderLock::try_acquire(db.folder, "job 9");
    db.place.wait_ms = 300;
    CHECK(result_of(db) == "in_progress folder_locked");
    bool waited = false;
    db.place.wait_ms = 60000;
    db.context.progress_hook = [&](const Progress& now) {
        if (now.phase != "waiting" || waited) return;
        waited = true;
        db.fill("users", 7);
        lock.reset();
    };
    CHECK(result_of(db) == "restored_by_other restored_meanwhile");
    CHECK(waited);
}

TEST_CASE("S7: a first backup that failed is no backup: a new deployment starts") {
    Fixture db;
    db.fill("users", 3000);
    Cancel stopped;
    db.context.cancel = &stopped;
    db.context.progress_hook = [&](const Progress& now) {
        if (now.phase == "reading" && now.documents > 0) stopped.request();
    };
    CHECK(reason_of([&] { db.back_up(); }) == "cancelled");
    db.context.cancel = &db.cancel;
    db.context.progress_hook = nullptr;
    drop_everything(db);
    CHECK(result_of(db) == "no_backup no_backup");
}

TEST_CASE("S7: a folder whose backups are gone remembers them for a database that was dropped") {
    Fixture db;
    two_backups(db);
    db.drop("reprise");
    for (const auto& entry : std::filesystem::directory_iterator(db.folder))
        if (entry.path().filename() != ".reprise") std::filesystem::remove(entry.path());
    CHECK(result_of(db) == "refused backups_missing");
}

TEST_CASE("S7: safety backups that hold documents are no new deployment's") {
    Fixture db;
    db.fill("users", 5);
    BackupOptions safety;
    safety.kind = FileKind::before_restore;
    const std::string name = db.back_up(safety).manifest.name;
    drop_everything(db);
    db.drop("reprise");
    std::filesystem::remove_all(db.folder + "/.reprise");
    const auto out = start(db);
    CHECK(out.result + " " + out.reason == "refused no_candidate");
    CHECK(out.message.find(name) != std::string::npos);
}

TEST_CASE("S7: users that were in the backups and a folder that is not mounted fail the start, without users they never do") {
    for (const bool held : {false, true}) {
        CAPTURE(held);
        Fixture db;
        db.fill("work", 3);
        if (held) db.fill("users", 3);
        db.back_up();
        db.drop("users");
        empty_folder(db);
        CHECK(result_of(db) == (held ? "refused backups_missing" : "not_needed holds_data"));
        // What is made in the wrong folder says so, and does not take back what is known of the right one.
        const BackupResult made = db.back_up();
        REQUIRE(made.warnings.size() > 0);
        CHECK(made.warnings[0].find("holds no backup, while the database has had some") != std::string::npos);
        empty_folder(db);
        CHECK(result_of(db) == (held ? "refused backups_missing" : "not_needed holds_data"));
    }
}

TEST_CASE("a database that lacks nothing is not said to have been brought back by another process") {
    Fixture db;
    db.fill("work", 3);
    db.back_up();
    std::filesystem::remove_all(db.folder + "/.reprise");
    CHECK(result_of(db) == "not_needed holds_data");
    CHECK(result_of(db) == "not_needed holds_data");
}

TEST_CASE("S15: startup takes no older backup for one that a newer version wrote") {
    for (const auto& [from, to, reason] : {std::tuple{"\"format\":1", "\"format\":9", "format_unknown"},
                                           std::tuple{"\"requires\":[]", "\"requires\":[\"x\"]", "requirement_unknown"}}) {
        Fixture db;
        const auto names = two_backups(db);
        std::string text = db.text_of(names[1]);
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        db.write_text(names[1], text.replace(at, std::string(from).size(), to));
        CHECK(result_of(db) == std::string("refused ") + reason);
        db.store->remove(names[1]);
        CHECK(result_of(db) == "restored restored");
    }
}
