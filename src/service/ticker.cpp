#include "service/ticker.h"

#include <algorithm>
#include <cstdlib>

#include "base/leaving.h"
#include "base/text.h"
#include "crypto/random.h"
#include "service/fork.h"
#include "store/local.h"

namespace reprise {
namespace {

constexpr std::int64_t kLongestNapMs = 15 * 1000;  // so that a clock that was set is noticed
constexpr std::int64_t kClaimedNapMs = 1000;       // while another worker is at work
constexpr std::int64_t kJobLookMs = 200;
constexpr std::int64_t kTroubleNapMs = 10 * 1000;  // the folder cannot be read or written
constexpr std::int64_t kClaimGraceMs = 60 * 1000;
constexpr std::int64_t kScheduledWaitMs = 10 * 60 * 1000;  // for a lease or folder that somebody else holds
constexpr std::size_t kTokenBytes = 8, kSeedBytes = 6;

std::string said(std::int64_t unix_s) { return iso_time(unix_s * 1000000).substr(0, 19) + "Z"; }

// A damaged job file says nothing of its job: nobody is waited for because of it.
bool reads_as_running(Store& store, std::uint64_t job) {
    try {
        const auto record = read_job(store, job);
        return record && record->state == JobState::running;
    } catch (const Failure& failure) {
        if (failure.code != Code::corrupt) throw;
        return false;
    }
}

}  // namespace

struct Ticker::Run {
    std::shared_ptr<const Config> config;
    std::shared_ptr<Jobs> jobs;
    std::shared_ptr<Events> events;
    StartBackup start_backup;
    std::string token;
    Cancel stop;
    bool planned_once = false;
    std::string last_trouble;
    std::string doubted;  // a claim that nobody seems to work on, since when
    std::int64_t doubted_since_ms = 0;
    std::unique_ptr<BusyMark> mark = std::make_unique<BusyMark>();
    std::mutex mutex;
    std::condition_variable changed;
    bool ended = false;
    std::unique_ptr<Thread> thread;

    const Clock* clock = nullptr;

    std::int64_t now_s() const { return clock->unix_us() / 1000000; }
    const Timing& timing() const { return *config->schedule; }
    std::optional<TickPlan> plan(const TickState& state) const {
        return plan_tick(timing().schedule, timing().zone, state.facts(now_s()));
    }
    void log(Level level, const std::string& message) {
        park_if_leaving();
        events->log(level, message);
    }

    void loop();
    std::int64_t step();
    std::int64_t nap_for(const TickPlan& plan) const;
    bool is_active(const TickClaim& claim, Store& store);
    void take_over(TickState& state);
    std::optional<TickClaim> claim_due();
    void work(TickClaim claim);
    JobRecord wait_for(std::uint64_t job);
    bool keep_claim(const TickClaim& claim);
    void settle(const TickClaim& claim, const JobRecord& record);
    void tell(const TickState& state, const JobRecord& record);
};

// Active: its process lives and is at work on it. Between a claim and its job, and between the job's end and the word of it,
// it is given its time by a clock that nobody sets. A claim of this ticker's own that is looked at is a left one.
bool Ticker::Run::is_active(const TickClaim& claim, Store& store) {
    if (claim.token == token || life_of(claim.process) == Life::dead) return false;
    if (claim.job != 0 && reads_as_running(store, claim.job)) return true;
    const std::string doubt = claim.token + "/" + std::to_string(claim.job);
    if (doubt != doubted) doubted = doubt, doubted_since_ms = clock->boot_ms();
    return clock->boot_ms() - doubted_since_ms < kClaimGraceMs;
}

// A worker that died in it counts as a failure: the first is made good at once, more of them wait.
void Ticker::Run::take_over(TickState& state) {
    state.claim.reset();
    state.retry_s = state.failures == 0 ? 0 : now_s() + retry_delay_s(state.failures);
    ++state.failures;
    log(Level::warning, "the worker that made the scheduled backup ended before it did: it is made again");
}

// One look at the folder; how long to sleep until the next.
std::int64_t Ticker::Run::step() {
    const auto reader = open_local_store(config->directory, true);
    const auto seen = read_ticks(*reader);
    if (seen && seen->claim && is_active(*seen->claim, *reader)) return kClaimedNapMs;
    const auto planned = seen ? plan(*seen) : std::nullopt;
    if (seen && !planned) return kLongestNapMs;
    // What others should know of is written: a left claim, a clock that was set, and once what is planned.
    const bool news =
        !planned || seen->claim || planned->handled_s != seen->handled_s || (!planned_once && planned->at_s != seen->next_s);
    if (!news && !planned->run) return nap_for(*planned);
    planned_once = true;
    if (auto claim = claim_due()) {
        work(std::move(*claim));
        return 0;
    }
    return 1;
}

std::int64_t Ticker::Run::nap_for(const TickPlan& planned) const {
    const std::int64_t left_ms = planned.at_s * 1000 - clock->unix_us() / 1000;
    return std::clamp<std::int64_t>(left_ms, 1, kLongestNapMs);
}

// Reads, decides and writes in one: whoever comes second finds the claim.
std::optional<TickClaim> Ticker::Run::claim_due() {
    const auto store = open_local_store(config->directory);
    const StateLock lock(config->directory);
    auto state = read_ticks(*store);
    if (!state) {
        state = TickState();
        state->handled_s = now_s();
        state->seed = std::strtoull(random_hex(kSeedBytes).c_str(), nullptr, 16);
    }
    if (state->claim) {
        if (is_active(*state->claim, *store)) return std::nullopt;
        take_over(*state);
    }
    const auto planned = plan(*state);
    if (!planned) return std::nullopt;
    state->handled_s = planned->handled_s;
    state->next_s = planned->at_s;
    if (planned->run) state->claim = TickClaim{token, planned->due_s, now_s(), 0, this_process()};
    write_ticks(*store, *state);
    return planned->run ? state->claim : std::nullopt;
}

// False when somebody took the claim over while this process was stopped.
bool Ticker::Run::keep_claim(const TickClaim& claim) {
    const auto store = open_local_store(config->directory);
    const StateLock lock(config->directory);
    auto state = read_ticks(*store);
    if (!state || !state->claim || state->claim->token != token) return false;
    state->claim = claim;
    write_ticks(*store, *state);
    return true;
}

void Ticker::Run::work(TickClaim claim) {
    JobRecord record;
    try {
        claim.job = start_backup(Json::object({{"label", "scheduled " + said(claim.due_s)}, {"wait_ms", kScheduledWaitMs}}));
        if (!keep_claim(claim)) {
            jobs->cancel(claim.job);
            (void)wait_for(claim.job);
            return;
        }
        record = wait_for(claim.job);
    } catch (const Failure& failure) {
        record.state = JobState::failed;
        record.error = failure;
    }
    settle(claim, record);
}

JobRecord Ticker::Run::wait_for(std::uint64_t job) {
    for (;;) {
        JobRecord record = jobs->wait(job, kJobLookMs);
        if (record.state != JobState::running) return record;
        if (stop.requested()) jobs->cancel(job);
    }
}

// Done, or ended by a person: dealt with, and everything that fell due before it began. Ended because this worker stops:
// left to the next one. Failed: tried again.
void Ticker::Run::settle(const TickClaim& claim, const JobRecord& record) {
    const auto store = open_local_store(config->directory);
    const StateLock lock(config->directory);
    auto state = read_ticks(*store);
    if (!state || !state->claim || state->claim->token != token) return;
    state->claim.reset();
    const bool stopped = record.state != JobState::done && stop.requested();
    if (!stopped) {
        const Json* file = record.result.find("file");
        state->last = TickRun{claim.due_s,
                              claim.since_s,
                              now_s(),
                              claim.job,
                              state_name(record.state),
                              record.error ? record.error->reason : "",
                              file != nullptr && file->is_string() ? file->as_string() : ""};
        const bool failed = record.state == JobState::failed;
        state->failures = failed ? state->failures + 1 : 0;
        state->retry_s = failed ? now_s() + retry_delay_s(state->failures) : 0;
        if (!failed) state->handled_s = std::max(claim.since_s, claim.due_s);
    }
    if (const auto planned = plan(*state)) state->next_s = planned->at_s;
    write_ticks(*store, *state);
    if (!stopped) tell(*state, record);
}

void Ticker::Run::tell(const TickState& state, const JobRecord& record) {
    if (record.state == JobState::failed)
        log(Level::error, "the scheduled backup failed (" + record.error->reason + "), " + std::to_string(state.failures) +
                              " in a row: it is tried again at " + said(state.retry_s));
    else
        log(Level::info, "the next scheduled backup is due at " + said(state.next_s));
}

// A folder that cannot be used is told once, and looked at again.
void Ticker::Run::loop() {
    while (!stop.requested()) {
        std::int64_t nap_ms = kTroubleNapMs;
        try {
            nap_ms = step();
            last_trouble.clear();
        } catch (const std::exception& error) {
            const std::string trouble = printable(error.what());
            if (trouble != last_trouble) log(Level::error, "the schedule cannot go on for now: " + trouble);
            last_trouble = trouble;
        }
        park_if_leaving();
        if (nap_ms > 0) stop.wait_ms(nap_ms);
    }
}

Ticker::Ticker(std::shared_ptr<const Config> config, std::shared_ptr<Jobs> jobs, std::shared_ptr<Events> events,
               const Clock& clock)
    : config_(std::move(config)), jobs_(std::move(jobs)), events_(std::move(events)), clock_(clock) {}

Ticker::~Ticker() {
    if (run_) run_->thread->detach();
}

void Ticker::start(StartBackup start_backup) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!config_->schedule || run_) return;
    const auto run = std::make_shared<Run>();
    run->config = config_;
    run->jobs = jobs_;
    run->events = events_;
    run->clock = &clock_;
    run->start_backup = std::move(start_backup);
    run->token = random_hex(kTokenBytes);
    run->thread = std::make_unique<Thread>("reprise-ticker", [run] {
        run->loop();
        run->start_backup = nullptr;
        leave_crypto();
        run->mark.reset();
        const std::lock_guard<std::mutex> end(run->mutex);
        run->ended = true;
        run->changed.notify_all();
    });
    run_ = run;
}

bool Ticker::running() {
    const std::lock_guard<std::mutex> hold(mutex_);
    return run_ != nullptr;
}

void Ticker::request_all() {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (run_) run_->stop.request();
}

bool Ticker::shutdown(std::int64_t deadline_ms) {
    std::shared_ptr<Run> run;
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        run = run_;
    }
    if (!run) return true;
    run->stop.request();
    {
        std::unique_lock<std::mutex> wait(run->mutex);
        if (!run->changed.wait_for(wait, std::chrono::milliseconds(deadline_ms), [&] { return run->ended; })) return false;
    }
    const std::lock_guard<std::mutex> hold(mutex_);
    if (run_ != run) return true;
    run_->thread->join();
    run_.reset();
    return true;
}

Json schedule_status(const Config& config, bool started) {
    const auto store = open_local_store(config.directory, true);
    const auto state = read_ticks(*store);
    if (!config.schedule && !state) return Json();
    const std::int64_t now = system_clock().unix_us() / 1000000;
    Json out = Json::object({{"started", started}});
    std::int64_t next_s = state ? state->next_s : 0;
    if (config.schedule) {
        TickState fresh;
        fresh.handled_s = now;
        const auto planned = plan_tick(config.schedule->schedule, config.schedule->zone, (state ? *state : fresh).facts(now));
        next_s = planned ? planned->at_s : 0;
    }
    out.set("next_run", second_or_null(next_s));
    out.set("last_run", state && state->last ? run_to_json(*state->last) : Json());
    return out.set("failures", state ? state->failures : 0).set("running", state && state->claim.has_value());
}

}  // namespace reprise
