#include <signal.h>

#include <atomic>
#include <thread>

#include "mongo_support.h"

using namespace live;

namespace {

constexpr std::int64_t kShortTtlMs = 3000;

struct Job {
    explicit Job(Database& database_) : database(database_) { context.cancel = &cancel; }
    std::unique_ptr<Lease> acquire(std::int64_t wait_ms = 0, std::int64_t ttl_ms = kLeaseTtlMs,
                                   const std::string& job = "job1") {
        return Lease::acquire(database.url, database.name, job, wait_ms, context, on_wait, ttl_ms);
    }
    std::string document() {
        FindOptions options;
        options.filter = BsonBuilder().add("_id", "lease").str();
        const auto found = database.read(kOwnCollection, options);
        REQUIRE(found.size() == 1);
        return found[0];
    }
    std::string beat() { return std::string(BsonView(document()).find("beat")->text()); }

    Database& database;
    Cancel cancel;
    Context context;
    std::function<void(const LeaseHolder&)> on_wait;
};

// A child process that takes the lease and reports its op through a pipe, then waits to be killed.
struct Holder {
    explicit Holder(Database& database, std::int64_t ttl_ms = kLeaseTtlMs) {
        int link[2];
        REQUIRE(::pipe(link) == 0);
        pid = ::fork();
        if (pid == 0) {
            Cancel cancel;
            Context context;
            context.cancel = &cancel;
            const auto lease = Lease::acquire(database.url, database.name, "child", 0, context, {}, ttl_ms);
            static_cast<void>(!::write(link[1], lease->op().data(), lease->op().size()));
            int losses = 0;
            for (;;) {
                ::usleep(20000);
                try {
                    lease->check();
                } catch (const Failure&) {
                    if (losses++ == 0) static_cast<void>(!::write(link[1], "LOST", 4));
                }
            }
        }
        ::close(link[1]);
        from = link[0];
        op = read_text(8);
    }
    ~Holder() {
        kill(SIGKILL);
        ::close(from);
    }
    void kill(int signal) {
        if (pid <= 0) return;
        ::kill(pid, signal);
        if (signal != SIGKILL) return;
        int status = 0;
        ::waitpid(pid, &status, 0);
        pid = -1;
    }
    std::string read_text(std::size_t size) {
        std::string text(size, '\0');
        std::size_t got = 0;
        while (got < size) {
            const ssize_t n = ::read(from, text.data() + got, size - got);
            if (n <= 0) break;
            got += static_cast<std::size_t>(n);
        }
        return text.substr(0, got);
    }
    pid_t pid = -1;
    int from = -1;
    std::string op;
};

}  // namespace

TEST_CASE("a lease is taken, held against others, released, and its term only grows") {
    Database database;
    Job job(database);
    auto first = job.acquire();
    CHECK(first->term() == 1);
    CHECK(first->op().size() == 8);
    CHECK(first->previous_op().empty());
    CHECK_NOTHROW(first->check());
    const Failure failure = failure_of([&] { job.acquire(0, kLeaseTtlMs, "job2"); });
    CHECK(failure.code == Code::busy);
    CHECK(failure.reason == "lease_held");
    CHECK(failure.message.find("job1") != std::string::npos);
    first.reset();
    const std::string released = job.document();
    CHECK_FALSE(BsonView(released).find("holder").has_value());
    CHECK_FALSE(BsonView(released).find("beat").has_value());
    CHECK(BsonView(released).find("term")->integer() == 1);
    const auto second = job.acquire();
    CHECK(second->term() == 2);
    CHECK(second->previous_op().empty());  // a clean release leaves nothing to settle
}

TEST_CASE("a dead holder is replaced at once, and its op is known") {
    Database database;
    Job job(database);
    Holder holder(database);
    REQUIRE(holder.op.size() == 8);
    CHECK(failure_of([&] { job.acquire(); }).reason == "lease_held");
    holder.kill(SIGKILL);
    const auto lease = job.acquire();
    CHECK(lease->term() == 2);
    CHECK(lease->previous_op() == holder.op);
}

TEST_CASE("of eight contenders one at a time holds the lease") {
    Database database;
    std::atomic<int> inside{0}, most{0}, taken{0}, refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            Cancel cancel;
            Context context;
            context.cancel = &cancel;
            try {
                const auto lease =
                    Lease::acquire(database.url, database.name, "t" + std::to_string(i), 60000, context, {}, kShortTtlMs);
                most = std::max(most.load(), ++inside);
                lease->check();
                ++taken;
                --inside;
            } catch (const Failure&) {
                ++refused;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(taken == 8);
    CHECK(refused == 0);
    CHECK(most == 1);
    Job job(database);
    CHECK(BsonView(job.document()).find("term")->integer() == 8);
}

TEST_CASE("of eight contenders that do not wait exactly one gets it") {
    Database database;
    std::atomic<int> held{0}, refused{0}, ready{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            Cancel cancel;
            Context context;
            context.cancel = &cancel;
            std::unique_ptr<Lease> lease;
            try {
                lease = Lease::acquire(database.url, database.name, "t" + std::to_string(i), 0, context);
                ++held;
            } catch (const Failure& failure) {
                if (failure.reason == "lease_held") ++refused;
            }
            ++ready;
            while (ready < 8) std::this_thread::yield();  // nobody lets go before all have tried
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(held == 1);
    CHECK(refused == 7);
}

TEST_CASE("the holder beats, and a contender that waits never takes a living lease") {
    Database database;
    Job job(database);
    const auto lease = job.acquire(0, 600);
    const std::string before = job.beat();
    int told = 0;
    Job other(database);
    other.on_wait = [&told](const LeaseHolder& holder) { told += holder.job == "job1" ? 1 : 0; };
    CHECK(failure_of([&] { other.acquire(2500, 600, "job2"); }).reason == "lease_held");
    CHECK(told >= 2);
    CHECK(job.beat() != before);
    CHECK_NOTHROW(lease->check());
    CHECK(lease->term() == 1);
}

TEST_CASE("hazard 20: a stopped holder is replaced after its ttl and finds its lease lost when it wakes") {
    Database database;
    Job job(database);
    Holder holder(database, kShortTtlMs);
    REQUIRE(holder.op.size() == 8);
    holder.kill(SIGSTOP);
    const auto lease = job.acquire(60000, kShortTtlMs);
    CHECK(lease->term() == 2);
    CHECK(lease->previous_op() == holder.op);
    holder.kill(SIGCONT);
    CHECK(holder.read_text(4) == "LOST");
    CHECK_NOTHROW(lease->check());
    CHECK(std::string(BsonView(job.document()).find("op")->text()) == lease->op());
}

TEST_CASE("a lease whose document was changed by somebody else is lost, and its release harms nobody") {
    Database database;
    Job job(database);
    auto lease = job.acquire(0, 900);
    const std::string stolen =
        BsonBuilder()
            .doc("q", BsonBuilder().add("_id", "lease").str())
            .doc("u", BsonBuilder().doc("$set", BsonBuilder().add("term", std::int64_t{7}).add("beat", "theirs").str()).str())
            .str();
    database.command(BsonBuilder().add("update", kOwnCollection).array("updates", BsonArray().doc(stolen).str()));
    bool lost = false;
    for (int i = 0; i < 500 && !lost; ++i) {
        ::usleep(10000);
        try {
            lease->check();
        } catch (const Failure& failure) {
            lost = failure.reason == "lease_lost";
        }
    }
    CHECK(lost);
    lease.reset();
    CHECK(job.beat() == "theirs");
}

TEST_CASE("a lease that cannot be renewed is lost before others may take it") {
    OwnServer server({});
    REQUIRE(server.started());
    Database database{Secret(server.url())};
    Job job(database);
    const auto lease = job.acquire(0, 1500);
    const pid_t pid = server.pid();
    ::kill(pid, SIGSTOP);
    const std::int64_t start = system_clock().boot_ms();
    bool lost = false;
    while (!lost && system_clock().boot_ms() - start < 20000) {
        ::usleep(5000);
        try {
            lease->check();
        } catch (const Failure&) {
            lost = true;
        }
    }
    CHECK(lost);
    CHECK(system_clock().boot_ms() - start < 1500);  // the promise itself: not later than the ttl
    ::kill(pid, SIGCONT);
}

TEST_CASE("a child after fork holds nothing and releases nothing") {
    Database database;
    Job job(database);
    auto lease = job.acquire();
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 1;
        try {
            lease->check();
        } catch (const Failure& failure) {
            code = failure.reason == "lease_lost" ? 0 : 2;
        }
        lease.reset();
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK_NOTHROW(lease->check());
    CHECK(BsonView(job.document()).find("holder").has_value());
}

TEST_CASE("a job that waits for the lease can be cancelled") {
    Database database;
    Job job(database);
    const auto lease = job.acquire();
    Job other(database);
    other.on_wait = [&other](const LeaseHolder&) { other.cancel.request(); };
    CHECK(failure_of([&] { other.acquire(600000, kLeaseTtlMs, "job2"); }).code == Code::cancelled);
}

TEST_CASE("a cancelled job still holds its lease until it lets go") {
    Database database;
    Job job(database);
    const auto lease = job.acquire(0, 900);
    job.cancel.request();
    const std::string before = job.beat();
    for (int i = 0; i < 300 && job.beat() == before; ++i) ::usleep(10000);
    CHECK(job.beat() != before);
    CHECK_NOTHROW(lease->check());
}
