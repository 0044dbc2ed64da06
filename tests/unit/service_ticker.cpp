// Tickers on one folder, on a clock that the tests set. The job is a real one that counts instead of backing up; with a
// server: tests/live/test_schedule.py.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "base/failure.h"
#include "base/text.h"
#include "crypto/random.h"
#include "service/fork.h"
#include "service/ticker.h"
#include "store/local.h"

using namespace reprise;

namespace {

class SetClock : public Clock {
public:
    explicit SetClock(const char* utc) { set(utc); }
    void set(const char* utc) { us_ = from_iso_time(utc).value(); }
    std::int64_t unix_us() const override { return ++reads_, us_; }
    int reads() const { return reads_; }
    std::int64_t boot_ms() const override { return ++reads_, system_clock().boot_ms() + later_ms_; }
    void go_on(std::int64_t ms) { later_ms_ += ms; }

private:
    std::atomic<std::int64_t> us_{0}, later_ms_{0};
    mutable std::atomic<int> reads_{0};
};

struct Folder {
    std::string path = (std::filesystem::temp_directory_path() / ("reprise_ticker_" + random_hex(6))).string();
    ~Folder() { std::filesystem::remove_all(path); }
};

std::shared_ptr<const Config> config_for(const Folder& folder, const std::string& schedule) {
    return std::make_shared<const Config>(
        parse_config(R"({"mongo_url": "mongodb://127.0.0.1:1", "database": "hr", "directory": ")" + folder.path +
                     R"(", "schedule": )" + schedule + "}"));
}

// One worker: its jobs and its ticker.
struct Worker {
    Worker(const std::shared_ptr<const Config>& config, const Clock& clock)
        : events(std::make_shared<Events>(Level::debug)),
          jobs(std::make_shared<Jobs>(config->directory, events)),
          ticker(std::make_shared<Ticker>(config, jobs, events, clock)) {}
    ~Worker() { CHECK(ticker->shutdown(5000)); }

    void start() {
        ticker->start([this](const Json& options) {
            JobPlan plan;
            plan.kind = "backup";
            plan.make_folder = true;
            plan.work = [this, label = options.at("label").as_string()](const Workbench&) {
                const std::lock_guard<std::mutex> hold(mutex);
                labels.push_back(label);
                if (failing > 0 && failing-- > 0) throw Failure(Code::unavailable, "server_unreachable", "no server");
                return Json::object({{"file", "backup_20261128_020000.json"}});
            };
            return jobs->start(std::move(plan));
        });
    }
    std::vector<std::string> ran() {
        const std::lock_guard<std::mutex> hold(mutex);
        return labels;
    }

    std::shared_ptr<Events> events;
    std::shared_ptr<Jobs> jobs;
    std::shared_ptr<Ticker> ticker;
    std::mutex mutex;
    std::vector<std::string> labels;
    int failing = 0;
};

template <typename Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

std::optional<TickState> state_of(const Folder& folder) { return read_ticks(*open_local_store(folder.path, true)); }

bool settled(const Folder& folder, const char* due) {
    const auto state = state_of(folder);
    return state && !state->claim && state->last && second_or_null(state->last->due_s) == Json(due);
}

constexpr const char* kDaily = R"({"cron": "0 2 * * *"})";

// A ticker naps for up to 15 s where the clock tells it to; a fresh one looks at once, as after any nap.
void look_again(Worker& worker, const SetClock& clock) {
    REQUIRE(worker.ticker->shutdown(5000));
    const int before = clock.reads();
    worker.start();
    REQUIRE(soon([&] { return clock.reads() > before; }));
}

}  // namespace

TEST_CASE("without a schedule nothing is started") {
    const Folder folder;
    const auto config = std::make_shared<const Config>(
        parse_config(R"({"mongo_url": "mongodb://127.0.0.1:1", "database": "hr", "directory": ")" + folder.path + "\"}"));
    Worker worker(config, system_clock());
    worker.start();
    CHECK_FALSE(worker.ticker->running());
    CHECK_FALSE(std::filesystem::exists(folder.path));
}

TEST_CASE("a first start makes up for nothing, and remembers from when on runs are missed") {
    const Folder folder;
    SetClock clock("2026-11-28T01:00:00Z");
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    REQUIRE(soon([&] { return state_of(folder).has_value(); }));
    const auto state = *state_of(folder);
    CHECK(second_or_null(state.handled_s) == Json("2026-11-28T01:00:00Z"));
    CHECK(second_or_null(state.next_s) == Json("2026-11-28T02:00:00Z"));
    CHECK(worker.ran().empty());
    CHECK(std::filesystem::status(folder.path + "/.reprise/schedule").permissions() == std::filesystem::perms(0600));
}

TEST_CASE("of many workers on a folder exactly one runs each due time, and what was missed comes once") {
    const Folder folder;
    SetClock clock("2026-11-28T01:00:00Z");
    const auto config = config_for(folder, kDaily);
    std::vector<std::unique_ptr<Worker>> workers;
    for (int i = 0; i < 6; ++i) workers.push_back(std::make_unique<Worker>(config, clock));
    for (auto& worker : workers) worker->start();
    REQUIRE(soon([&] { return state_of(folder).has_value(); }));
    const auto all_ran = [&] {
        std::vector<std::string> all;
        for (auto& worker : workers)
            for (const auto& label : worker->ran()) all.push_back(label);
        return all;
    };
    clock.set("2026-11-28T02:00:00Z");
    for (auto& worker : workers) look_again(*worker, clock);
    REQUIRE(soon([&] { return settled(folder, "2026-11-28T02:00:00Z"); }));
    CHECK(all_ran() == std::vector<std::string>{"scheduled 2026-11-28T02:00:00Z"});
    // Three days without anybody: one run, and the one that comes next is the ordinary one.
    clock.set("2026-12-01T12:00:00Z");
    for (auto& worker : workers) look_again(*worker, clock);
    REQUIRE(soon([&] { return settled(folder, "2026-11-29T02:00:00Z"); }));
    for (auto& worker : workers) look_again(*worker, clock);
    CHECK(all_ran().size() == 2);
    CHECK(second_or_null(state_of(folder)->next_s) == Json("2026-12-02T02:00:00Z"));
    CHECK(state_of(folder)->last->file == "backup_20261128_020000.json");
}

TEST_CASE("hazard 15: a clock that was a year ahead stops no schedule") {
    const Folder folder;
    SetClock clock("2027-11-28T01:59:00Z");
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    REQUIRE(soon([&] { return state_of(folder).has_value(); }));
    clock.set("2027-11-28T02:00:00Z");
    look_again(worker, clock);
    REQUIRE(soon([&] { return settled(folder, "2027-11-28T02:00:00Z"); }));
    clock.set("2026-11-28T01:59:59Z");
    look_again(worker, clock);
    REQUIRE(soon([&] { return second_or_null(state_of(folder)->next_s) == Json("2026-11-28T02:00:00Z"); }));
    clock.set("2026-11-28T02:00:00Z");
    look_again(worker, clock);
    CHECK(soon([&] { return settled(folder, "2026-11-28T02:00:00Z"); }));
    // A small step back repeats nothing.
    clock.set("2026-11-28T01:30:00Z");
    look_again(worker, clock);
    clock.set("2026-11-28T02:00:01Z");
    look_again(worker, clock);
    REQUIRE(worker.ticker->shutdown(5000));
    CHECK(worker.ran().size() == 2);
}

TEST_CASE("a run that fails is tried again, later each time, and said so") {
    const Folder folder;
    SetClock clock("2026-11-28T01:00:00Z");
    Worker worker(config_for(folder, kDaily), clock);
    worker.failing = 2;
    worker.start();
    REQUIRE(soon([&] { return state_of(folder).has_value(); }));
    clock.set("2026-11-28T02:00:00Z");
    look_again(worker, clock);
    REQUIRE(soon([&] { return state_of(folder)->failures == 1 && !state_of(folder)->claim; }));
    CHECK(state_of(folder)->last->state == "failed");
    CHECK(state_of(folder)->last->reason == "server_unreachable");
    CHECK(second_or_null(state_of(folder)->retry_s) == Json("2026-11-28T02:00:05Z"));
    look_again(worker, clock);
    clock.set("2026-11-28T02:00:05Z");
    look_again(worker, clock);
    REQUIRE(soon([&] { return state_of(folder)->failures == 2 && !state_of(folder)->claim; }));
    CHECK(second_or_null(state_of(folder)->retry_s) == Json("2026-11-28T02:00:15Z"));
    clock.set("2026-11-28T02:00:15Z");
    look_again(worker, clock);
    REQUIRE(soon([&] { return state_of(folder)->failures == 0 && !state_of(folder)->claim; }));
    CHECK(worker.ran() == std::vector<std::string>(3, "scheduled 2026-11-28T02:00:00Z"));
    bool told = false;
    while (const auto event = worker.events->next(0))
        told = told || event->text().find("the scheduled backup failed (server_unreachable), 1 in a row") != std::string::npos;
    CHECK(told);
}

TEST_CASE("a worker that died at work is replaced by another one, and the run is made") {
    const Folder folder;
    SetClock clock("2026-11-28T02:00:00Z");
    const auto store = open_local_store(folder.path);
    const pid_t child = ::fork();
    if (child == 0) {
        TickState state;
        state.handled_s = from_iso_time("2026-11-27T02:00:00Z").value() / 1000000;
        state.claim = TickClaim{"0123456789abcdef", state.handled_s + 86400, clock.unix_us() / 1000000, 0, this_process()};
        write_ticks(*store, state);
        for (;;) ::pause();
    }
    REQUIRE(soon([&] { return state_of(folder).has_value(); }));
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    REQUIRE(soon([&] { return clock.reads() > 4; }));  // looks at a claim whose holder lives
    CHECK(worker.ran().empty());
    ::kill(child, SIGKILL);  // and nobody reaps it yet
    REQUIRE(soon([&] { return settled(folder, "2026-11-28T02:00:00Z"); }));
    ::waitpid(child, nullptr, 0);
    CHECK(worker.ran().size() == 1);
    CHECK(state_of(folder)->failures == 0);
}

TEST_CASE("a claim from another machine holds nobody up for good: its job's file is damaged, or beats in the future") {
    const Folder folder;
    SetClock clock("2026-11-28T02:00:00Z");
    const auto store = open_local_store(folder.path);
    JobRecord job;
    job.id = 5;
    job.kind = "backup";
    job.process = this_process();
    job.process.boot = "another";
    job.started_us = system_clock().unix_us();
    job.beat_us = job.started_us + 7200 * 1000000LL;
    TickState state;
    state.handled_s = from_iso_time("2026-11-27T02:00:00Z").value() / 1000000;
    state.claim = TickClaim{"0123456789abcdef", state.handled_s + 86400, clock.unix_us() / 1000000, job.id, job.process};
    write_ticks(*store, state);
    SUBCASE("damaged") { store->write_state("jobs/5.json", "{"); }
    SUBCASE("future") { write_job(*store, folder.path, job); }
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    REQUIRE(soon([&] { return clock.reads() > 4; }));
    CHECK(worker.ran().empty());  // it is given its time
    clock.go_on(61 * 1000);
    REQUIRE(soon([&] { return settled(folder, "2026-11-28T02:00:00Z"); }));
    CHECK(worker.ran().size() == 1);
}

TEST_CASE("a state file that cannot be understood is made anew") {
    const Folder folder;
    SetClock clock("2026-11-28T01:00:00Z");
    open_local_store(folder.path)->write_state("schedule", "{\"schedule\": 1, \"seed\": []}");
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    CHECK(soon([&] { return state_of(folder).has_value(); }));
}

TEST_CASE("S14: a stopped ticker leaves a process that may fork, and may be started again") {
    const Folder folder;
    SetClock clock("2026-11-28T01:00:00Z");
    watch_forks();
    Worker worker(config_for(folder, kDaily), clock);
    worker.start();
    CHECK(worker.ticker->running());
    REQUIRE(worker.ticker->shutdown(5000));
    CHECK_FALSE(worker.ticker->running());
    const pid_t child = ::fork();
    if (child == 0) ::_exit(forked_while_busy() ? 1 : 0);
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    worker.start();
    CHECK(worker.ticker->running());
}
