// A restore killed, or stopped past its lease, at every step. The child is this program, told by its environment.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "../live/engine_restore_support.h"

using namespace restore_test;

namespace {

constexpr std::int64_t kShortTtlMs = 3000;
constexpr int kChildFailed = 3;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// What the child does: "restore" (exact) or "operation" (only settles).
struct Child {
    std::string action, database, folder, file, step_variable, step;
    std::string log;

    pid_t start() const {
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        ::setenv("REPRISE_CHILD_ACTION", action.c_str(), 1);
        ::setenv("REPRISE_CHILD_DATABASE", database.c_str(), 1);
        ::setenv("REPRISE_CHILD_FOLDER", folder.c_str(), 1);
        ::setenv("REPRISE_CHILD_FILE", file.c_str(), 1);
        if (!step_variable.empty()) ::setenv(step_variable.c_str(), step.c_str(), 1);
        if (!log.empty()) ::setenv("REPRISE_STEP_LOG", log.c_str(), 1);
        ::execl("/proc/self/exe", "fault_engine", "-ns", "-tc=child of the restore tests", "-m", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    // The exit status as waitpid gives it.
    int run() const {
        int status = 0;
        const pid_t pid = start();
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        return status;
    }
};

// Every passing of every step, as the kill variable names them: "restore.rename.after:2".
std::vector<std::string> passings(const std::string& log) {
    std::map<std::string, int> count;
    std::vector<std::string> out;
    std::ifstream file(log);
    for (std::string name; std::getline(file, name);) out.push_back(name + ":" + std::to_string(++count[name]));
    return out;
}

// The first two and the last passing of each step: in between the same is repeated for other collections.
std::vector<std::string> telling(const std::vector<std::string>& all) {
    std::map<std::string, std::vector<std::string>> by_name;
    for (const auto& one : all) by_name[one.substr(0, one.find(':'))].push_back(one);
    std::vector<std::string> out;
    for (auto& [name, ones] : by_name) {
        const std::set<std::string> few = {ones.front(), ones[std::min<std::size_t>(1, ones.size() - 1)], ones.back()};
        out.insert(out.end(), few.begin(), few.end());
    }
    return out;
}

void make_good(Fixture& db) {
    db.fill("users", 40);
    create_indexes(db.client, db.place.database, "users",
                   {index_spec("salary_u", key("salary"), BsonBuilder().add("unique", true))});
    db.fill("teams", 10);
    db.create("sessions");
    create_indexes(db.client, db.place.database, "sessions",
                   {index_spec("seen", key("seen"), BsonBuilder().add("expireAfterSeconds", 3600))});
    db.fill("sessions", 3);
    db.create("weather", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str());
    std::string when;
    append_le(when, std::int64_t{1700000000000});
    for (int i = 0; i < 4; ++i) insert(db, "weather", BsonBuilder().raw(BsonType::date, "t", when).add("_id", i).str());
    db.create("v", BsonBuilder().add("viewOn", "users").array("pipeline", BsonArray().str()).str());
    db.create("w", BsonBuilder().add("viewOn", "v").array("pipeline", BsonArray().str()).str());
}

void make_old(Fixture& db) {
    drop_everything(db);
    db.fill("users", 6, 1000);
    db.create("v", BsonBuilder().add("viewOn", "teams").array("pipeline", BsonArray().str()).str());
    db.fill("stranger", 5);
    db.create("weather", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str());
    std::string when;
    append_le(when, std::int64_t{1600000000000});
    insert(db, "weather", BsonBuilder().raw(BsonType::date, "t", when).add("_id", 77).str());
}

void forget_safety(Fixture& db) {
    for (const auto& name : db.files())
        if (parse_file_name(name) && parse_file_name(name)->kind == FileKind::before_restore) {
            db.store->remove(name);
            db.store->remove_state("manifests/" + name + ".json");
        }
}

bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

}  // namespace

TEST_CASE("child of the restore tests" * doctest::skip()) {
    const std::string action = variable("REPRISE_CHILD_ACTION");
    REQUIRE(!action.empty());
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
    place.lease_ttl_ms = kShortTtlMs;
    try {
        if (action == "operation") {
            const Operation operation(place, Access::write, context);
            return;
        }
        RestoreOptions options;
        options.file = variable("REPRISE_CHILD_FILE");
        options.exact = true;
        restore(place, options, context);
    } catch (const Failure&) {
        ::_exit(kChildFailed);
    }
}

TEST_CASE("a restore killed at any step leaves the old data or the new, whole, and nothing besides, after the next operation") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    const State old = state_of(db);
    Child child{"restore", db.place.database, db.folder, file, "", "", db.folder + "/../" + db.place.database + ".steps"};
    REQUIRE(child.run() == 0);
    REQUIRE(difference(good, state_of(db)) == "");
    const auto points = telling(passings(child.log));
    REQUIRE(points.size() > 30);
    std::filesystem::remove(child.log);
    child.log.clear();
    int olds = 0, news = 0;
    for (const auto& point : points) {
        INFO("killed at " << point);
        forget_safety(db);
        make_old(db);
        child.step_variable = "REPRISE_STEP_KILL";
        child.step = point;
        const int status = child.run();
        CHECK(was_killed(status));
        { const Operation next(db.place, Access::write, db.context); }
        const State now = state_of(db);
        const bool is_old = difference(old, now).empty(), is_new = difference(good, now).empty();
        CHECK_MESSAGE((is_old || is_new), "against old: " << difference(old, now) << " against new: " << difference(good, now));
        CHECK(leftovers(db) == "");
        olds += is_old ? 1 : 0;
        news += is_new ? 1 : 0;
    }
    CHECK(olds > 0);
    CHECK(news > 0);
}

TEST_CASE("a roll forward that is killed itself, at any of its steps, is finished by the next") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    const Child cut{"restore", db.place.database, db.folder, file, "REPRISE_STEP_KILL", "restore.rename.after:1", ""};
    Child settle{"operation", db.place.database, db.folder, file, "", "", db.folder + "/../" + db.place.database + ".steps"};
    make_old(db);
    REQUIRE(was_killed(cut.run()));
    REQUIRE(settle.run() == 0);
    REQUIRE(difference(good, state_of(db)) == "");
    const auto points = telling(passings(settle.log));
    REQUIRE(points.size() > 20);
    std::filesystem::remove(settle.log);
    settle.log.clear();
    settle.step_variable = "REPRISE_STEP_KILL";
    for (const auto& point : points) {
        INFO("killed at " << point);
        forget_safety(db);
        make_old(db);
        REQUIRE(was_killed(cut.run()));
        settle.step = point;
        CHECK(was_killed(settle.run()));
        { const Operation next(db.place, Access::write, db.context); }
        CHECK(difference(good, state_of(db)) == "");
        CHECK(leftovers(db) == "");
    }
}

TEST_CASE("a restore that died before the swap is rolled back, whatever was written in the week after") {
    Fixture db;
    make_good(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    const Child cut{"restore", db.place.database, db.folder, file, "REPRISE_STEP_KILL", "restore.swapping.before", ""};
    REQUIRE(was_killed(cut.run()));
    db.fill("users", 20, 5000);
    db.drop("stranger");
    const State week = state_of(db);
    const Operation next(db.place, Access::write, db.context);
    CHECK(difference(week, state_of(db)) == "");
    CHECK(leftovers(db) == "");
    CHECK(next.notes().size() == 1);
}

TEST_CASE("writes acknowledged between a crash in the swap and the next operation are saved as a copy") {
    Fixture db;
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    // Dead after the live collection was retired: a writer makes the name anew.
    const Child cut{"restore", db.place.database, db.folder, file, "REPRISE_STEP_KILL", "restore.rename.before:2", ""};
    REQUIRE(was_killed(cut.run()));
    for (const char* name : {"users", "teams", "sessions"})
        if (!find_collection(db.client, db.place.database, name, false)) db.fill(name, 4, 70000);
    { const Operation next(db.place, Access::write, db.context); }
    State now = state_of(db);
    CHECK(leftovers(db) == "");
    int copies = 0;
    for (const auto& name : db.files()) {
        const auto manifest = verify_file(*db.store, name, false, db.context).manifest;
        if (manifest.kind == "before_restore" && manifest.label.find("during a restore") != std::string::npos) {
            ++copies;
            CHECK(manifest.summary.documents == 4);
            CHECK(manifest.scope == "partial");
        }
    }
    CHECK(copies >= 1);
    CHECK(difference(good, now) == "");
}

TEST_CASE("a holder stopped past its lease that wakes after another finished can destroy nothing") {
    const char* steps[] = {"restore.fill.before",           "restore.create.before",        "restore.swapping.before",
                           "restore.record_replace.before", "restore.retire.before:1",      "restore.rename.before:2",
                           "restore.rename.after:1",        "restore.create_view.before:1", "restore.drop_view.before",
                           "restore.drop_retired.before:1", "restore.record_remove.before"};
    for (const char* step : steps) {
        INFO("stopped at " << step);
        Fixture db, elsewhere;  // the other host has a folder of its own: the stopped one holds this one's lock
        make_good(db);
        const std::string file = db.back_up().manifest.name;
        make_old(db);
        const Child child{"restore", db.place.database, db.folder, file, "REPRISE_STEP_STOP", step, ""};
        const pid_t pid = child.start();
        int status = 0;
        REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
        CHECK(WIFSTOPPED(status));
        Place other = elsewhere.place;
        other.database = db.place.database;
        other.lease_ttl_ms = kShortTtlMs;
        other.wait_ms = 60000;
        { const Operation next(other, Access::write, db.context); }
        insert(db, "users", BsonBuilder().add("_id", 888888).add("name", "after").add("salary", -1.0).str());
        const State settled = state_of(db);
        ::kill(pid, SIGCONT);
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        CHECK(WIFEXITED(status));  // it lost the lease and said so
        CHECK(WEXITSTATUS(status) == kChildFailed);
        CHECK(difference(settled, state_of(db)) == "");
        { const Operation last(other, Access::write, db.context); }
        CHECK(difference(settled, state_of(db)) == "");
        CHECK(leftovers(db) == "");
    }
}
