// Hazard 20: a restore stopped past its lease, at every step. Another operation finishes in its place, new writes arrive and
// are acknowledged, then it wakes.
#include <future>

#include "engine_attacks.h"
#include "mongo/cursor.h"

using namespace attacks;

namespace {

constexpr std::size_t kAtOnce = 6;  // points; each waits for a lease to run out most of its time
constexpr std::int64_t kTakeOverWaitMs = 120000;
const char* const kMarks[] = {"ack_users", "ack_news", "ack_weather"};

// A sort of steps: "restore.rename", "engine.backup", "store".
std::string sort_of(const std::string& point) {
    const std::string name = name_of(point);
    return name.substr(0, name.find('.', name.rfind("store.", 0) == 0 ? 0 : name.find('.') + 1));
}

// The first and the last passing of each sort, in their order; all of them with REPRISE_LONG.
std::vector<std::string> ends_of_sorts(const std::vector<std::string>& all) {
    if (long_run()) return all;
    std::map<std::string, std::pair<std::string, std::string>> ends;
    for (const auto& point : all) {
        const auto [found, fresh] = ends.try_emplace(sort_of(point), point, point);
        if (!fresh) found->second.second = point;
    }
    std::vector<std::string> out;
    for (const auto& point : all) {
        const auto& [first, last] = ends.at(sort_of(point));
        if (point == first || point == last) out.push_back(point);
    }
    return out;
}

// The child, which does not outlive a failed test.
class Running {
public:
    explicit Running(pid_t pid) : pid_(pid) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    bool is_stopped() {
        int status = 0;
        const bool stopped = ::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status);
        if (!stopped) pid_ = 0;
        return stopped;
    }
    int wake() {
        ::kill(pid_, SIGCONT);
        return Child::end_of(std::exchange(pid_, 0));
    }

private:
    pid_t pid_;
};

struct Outcome {
    std::string point;
    int status = 0;
    bool in_charge = false;  // it was stopped while it held the lease and its record stood, or was about to
    bool before_lease = false;
    std::string failure;      // of the test itself
    std::string changed;      // by the one that woke
    std::string against_new;  // what differs from the backup
    std::string left_over;
    std::int64_t lost = 0, duplicates = 0;
};

void write_meanwhile(Fixture& db) {
    insert(db, "users", BsonBuilder().add("_id", 888888).add("name", kMarks[0]).add("salary", -1.0).str());
    insert(db, "news", BsonBuilder().add("_id", 1).add("name", kMarks[1]).str());
    std::string when;
    append_le(when, std::int64_t{1800000000000});
    insert(db, "weather", BsonBuilder().raw(BsonType::date, "t", when).add("_id", 888).add("name", kMarks[2]).str());
}

std::int64_t live_count(Fixture& db, const std::string& mark) {
    FindOptions find;
    find.order = Order::natural;  // a time series has no index of _id
    Cursor cursor(db.client, db.place.database, mark.substr(mark.find('_') + 1), find);
    std::int64_t count = 0;
    for (std::string_view document; cursor.next(document);) {
        const auto name = BsonView(document).find("name");
        count += name && name->text() == mark ? 1 : 0;
    }
    return count;
}

bool is_in_a_file(const Fixture& on, const std::string& mark) {
    const auto files = on.files();
    return std::any_of(files.begin(), files.end(),
                       [&](const std::string& name) { return on.text_of(name).find(mark) != std::string::npos; });
}

void stop_at(Outcome& outcome) {
    Fixture db, elsewhere;  // the other host has a folder of its own: the stopped one holds this one's lock
    make_good(db);
    const State good = state_of(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    Running child(Child{"restore", db.place.database, db.folder, file}.start("REPRISE_STEP_STOP", outcome.point));
    REQUIRE(child.is_stopped());
    Place other = elsewhere.place;
    other.database = db.place.database;
    other.lease_ttl_ms = kShortTtlMs;
    other.wait_ms = kTakeOverWaitMs;
    { const Operation next(other, Access::write, db.context); }
    write_meanwhile(db);
    const State settled = state_of(db);
    outcome.status = child.wake();
    { const Operation last(other, Access::write, db.context); }
    const State now = state_of(db);
    outcome.changed = difference(settled, now);
    outcome.against_new = difference(good, now);
    outcome.left_over = leftovers(db);
    for (const std::string mark : kMarks) {
        const std::int64_t count = live_count(db, mark);
        if (count == 0 && !is_in_a_file(db, mark) && !is_in_a_file(elsewhere, mark)) ++outcome.lost;
        outcome.duplicates += std::max<std::int64_t>(0, count - 1);
    }
}

// On a thread, where doctest must not see an exception.
Outcome stopped(Outcome outcome) {
    try {
        stop_at(outcome);
    } catch (const Failure& failure) {
        outcome.failure = failure.message;
    } catch (const std::exception& exception) {
        outcome.failure = exception.what();
    }
    return outcome;
}

// What an undisturbed restore passes, and when it holds the lease with work before it.
std::vector<Outcome> points_to_stop_at() {
    Fixture db;
    make_good(db);
    const std::string file = db.back_up().manifest.name;
    make_old(db);
    const auto all = Child{"restore", db.place.database, db.folder, file}.all_points();
    const auto leased = std::find(all.begin(), all.end(), "engine.operation.leased:1");
    const auto over = std::find(all.begin(), all.end(), "restore.record_remove.before:1");
    REQUIRE(leased < over);
    std::vector<Outcome> out;
    for (const auto& point : ends_of_sorts(all)) {
        const auto at = std::find(all.begin(), all.end(), point);
        out.push_back({point, 0, at >= leased && at <= over, at < leased, "", "", "", "", 0, 0});
    }
    return out;
}

void check(const Outcome& outcome) {
    INFO("stopped at " << outcome.point << ", ended with " << outcome.status);
    CHECK(outcome.failure == "");
    CHECK(outcome.lost == 0);
    CHECK(outcome.duplicates == 0);
    CHECK(outcome.left_over == "");
    REQUIRE(WIFEXITED(outcome.status));
    if (outcome.in_charge) CHECK(WEXITSTATUS(outcome.status) == kChildFailed);  // it lost the lease and said so
    // Stopped before it had the lease, it is a restore like any other: what was written is in its safety backup.
    if (outcome.before_lease && WEXITSTATUS(outcome.status) == 0)
        CHECK(outcome.against_new == "");
    else
        CHECK(outcome.changed == "");
}

}  // namespace

TEST_CASE("hazard 20: a holder stopped at any step past its lease, that wakes after another finished, destroys not one write") {
    const auto points = points_to_stop_at();
    REQUIRE(points.size() > 40);
    Row row("SIGSTOP at every step of a restore, past its lease, over new writes");
    for (std::size_t from = 0; from < points.size(); from += kAtOnce) {
        std::vector<std::future<Outcome>> running;
        for (std::size_t i = from; i < std::min(from + kAtOnce, points.size()); ++i) {
            attacked().insert(name_of(points[i].point));
            running.push_back(std::async(std::launch::async, stopped, points[i]));
        }
        for (auto& one : running) {
            const Outcome outcome = one.get();
            ++row.points;
            row.lost += outcome.lost;
            row.duplicates += outcome.duplicates;
            check(outcome);
        }
    }
}

TEST_CASE("hazard 20: a merge stopped past its lease, that wakes, overwrites nothing that was written since") {
    Row row("SIGSTOP of a merge, past its lease, over new writes");
    for (const char* point : {"restore.merge_insert.before", "restore.merge_replace.before", "restore.record_remove.before"}) {
        INFO("stopped at " << point);
        attacked().insert(point);
        Fixture db, elsewhere;
        db.fill("users", 10);
        const std::string file = db.back_up().manifest.name;
        db.drop("users");
        for (int id = 0; id < 5; ++id) insert(db, "users", BsonBuilder().add("_id", id).add("name", "other").str());
        Running child(Child{"merge", db.place.database, db.folder, file}.start("REPRISE_STEP_STOP", point));
        REQUIRE(child.is_stopped());
        Place other = elsewhere.place;
        other.database = db.place.database;
        other.lease_ttl_ms = kShortTtlMs;
        other.wait_ms = kTakeOverWaitMs;
        { const Operation next(other, Access::write, db.context); }
        db.remove_all("users");
        for (int id = 0; id < 10; ++id) insert(db, "users", BsonBuilder().add("_id", id).add("name", "acknowledged").str());
        const State settled = state_of(db);
        const int status = child.wake();
        { const Operation last(other, Access::write, db.context); }
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == kChildFailed));
        CHECK(row.judge({settled}, state_of(db)) == 0);
        CHECK(leftovers(db) == "");
    }
}
