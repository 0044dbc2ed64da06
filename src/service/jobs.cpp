#include "service/jobs.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "base/leaving.h"
#include "base/text.h"
#include "crypto/random.h"
#include "service/fork.h"
#include "store/local.h"

namespace reprise {

struct Jobs::Job {
    std::mutex mutex;
    std::condition_variable changed;
    JobRecord record;
    bool ended = false;
    bool on_file = false;    // its file is written
    bool abandoned = false;  // the engine is gone: no event, no log line, no file any more
    Cancel cancel;
    std::string folder;
    std::shared_ptr<Events> events;
    Work work;
    std::unique_ptr<BusyMark> mark = std::make_unique<BusyMark>();
    std::unique_ptr<Thread> thread;

    JobRecord copy() {
        const std::lock_guard<std::mutex> hold(mutex);
        return record;
    }
    bool is_abandoned() {
        const std::lock_guard<std::mutex> hold(mutex);
        return abandoned;
    }
};

namespace {

using Job = Jobs::Job;
using Held = std::shared_ptr<Job>;

constexpr int kMaxIdTries = 100;

Failure unknown_job(std::uint64_t id) {
    return Failure(Code::not_found, "job_unknown",
                   "job " + std::to_string(id) + " is not known in this folder; the last 64 jobs are kept");
}

bool folder_exists(const std::string& folder) {
    std::error_code error;
    return std::filesystem::is_directory(folder, error);
}

void say(const Held& job, Level level, std::string_view message) {
    park_if_leaving();
    if (!job->is_abandoned()) job->events->log(level, message);
}

// A job never fails because its file cannot be written: the engine's own failure says what is wrong with the folder.
void save(const Held& job) {
    {
        const std::lock_guard<std::mutex> hold(job->mutex);
        if (!job->on_file) return;
        job->record.beat_us = system_clock().unix_us();
    }
    try {
        write_job(*open_local_store(job->folder), job->folder, job->copy());
    } catch (const std::exception& error) {
        say(job, Level::debug, std::string("the job's file was not written: ") + error.what());
    }
}

void put_on_file(const Held& job) {
    {
        const std::lock_guard<std::mutex> hold(job->mutex);
        if (job->on_file) return;
        job->on_file = true;
    }
    save(job);
}

// Beside the work: looks for a cancel request of another process, and writes progress, at most twice a second.
class Watcher {
public:
    explicit Watcher(Held job) : job_(std::move(job)), thread_("reprise-watch", [this] { watch(); }) {}
    ~Watcher() {
        {
            const std::lock_guard<std::mutex> hold(mutex_);
            stop_ = true;
        }
        wake_.notify_all();
    }

private:
    void watch() {
        std::unique_lock<std::mutex> hold(mutex_);
        while (!wake_.wait_for(hold, std::chrono::milliseconds(kLookMs), [this] { return stop_; })) {
            hold.unlock();
            look();
            hold.lock();
        }
    }

    void look() {
        const JobRecord now = job_->copy();
        {
            const std::lock_guard<std::mutex> hold(job_->mutex);
            if (!job_->on_file) return;
        }
        if (!job_->cancel.requested() && cancel_wanted()) job_->cancel.request();
        const bool moved = now.progress.documents != saved_.documents || now.progress.bytes != saved_.bytes ||
                           now.progress.phase != saved_.phase || now.progress.collection != saved_.collection;
        if (!moved && system_clock().unix_us() - now.beat_us < kBeatMs * 1000) return;
        saved_ = now.progress;
        save(job_);
    }

    bool cancel_wanted() {
        try {
            return asked_to_cancel(*open_local_store(job_->folder, true), job_->record.id);
        } catch (const std::exception&) {
            return false;
        }
    }

    Held job_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
    Progress saved_;
    Thread thread_;  // last: joined before the rest goes
};

Context context_for(const Held& job) {
    Context context;
    context.cancel = &job->cancel;
    context.log_hook = [job](Level level, std::string_view message) { say(job, level, message); };
    context.progress_hook = [job](const Progress& now) {
        park_if_leaving();
        const std::lock_guard<std::mutex> hold(job->mutex);
        job->record.progress = now;
        job->changed.notify_all();
    };
    return context;
}

struct Outcome {
    JobState state = JobState::done;
    Json result;
    std::optional<Failure> error;
};

Outcome failed(Failure failure) {
    const JobState state = failure.code == Code::cancelled ? JobState::cancelled : JobState::failed;
    return {state, Json(), std::move(failure)};
}

Outcome execute(const Held& job) {
    try {
        const Workbench bench{context_for(job), std::to_string(job->record.id), [job] { put_on_file(job); }};
        return {JobState::done, job->work(bench), std::nullopt};
    } catch (const Failure& failure) {
        // A socket that a cancel shut down may be reported as a lost server.
        if (job->cancel.requested() && failure.code == Code::unavailable)
            return failed(Failure(Code::cancelled, "cancelled", "cancelled on request"));
        return failed(failure);
    } catch (const std::bad_alloc&) {
        return failed(Failure(Code::out_of_memory, "out_of_memory", "out of memory"));
    } catch (const std::exception& error) {
        return failed(Failure(Code::internal, "unexpected", "unexpected: " + printable(error.what())));
    }
}

Json ended_event(const JobRecord& record) {
    return Json::object(
        {{"event", "job_ended"}, {"job", record.id}, {"kind", record.kind}, {"state", state_name(record.state)}});
}

void log_end(const Held& job, const JobRecord& record) {
    const std::string what = record.kind + " " + std::to_string(record.id) + " " + state_name(record.state);
    if (record.error)
        say(job, record.state == JobState::failed ? Level::error : Level::warning,
            what + ": " + record.error->message + " (" + record.error->reason + ")");
    else
        say(job, Level::info, what);
}

void settle(const Held& job, Outcome outcome) {
    const std::lock_guard<std::mutex> hold(job->mutex);
    job->record.state = outcome.state;
    job->record.result = std::move(outcome.result);
    job->record.error = std::move(outcome.error);
    job->record.ended_us = system_clock().unix_us();
}

AuditEntry entry_of(const JobRecord& record) {
    AuditEntry entry;
    entry.actor = record.actor;
    entry.what = record.kind;
    entry.file = record.file;
    entry.job = record.id;
    return entry;
}

AuditEntry end_of(const JobRecord& record) {
    AuditEntry entry = entry_of(record);
    entry.duration_ms = (record.ended_us - record.started_us) / 1000;
    entry.result = state_name(record.state);
    if (record.error) {
        entry.reason = record.error->reason;
        if (is_refusal(*record.error)) entry.result = "refused";
    }
    const Json* file = record.result.find("file");
    if (file != nullptr && file->is_string()) entry.file = file->as_string();
    const Json* outcome = record.kind == "startup" ? record.result.find("result") : nullptr;
    if (outcome != nullptr && outcome->is_string()) entry.result = outcome->as_string();
    return entry;
}

// A start that needed nothing wrote nothing, and is no operation.
void audit(const Held& job, const JobRecord& record) {
    if (!job->on_file || job->is_abandoned()) return;
    write_audit(job->folder, end_of(record), *job->events);
}

// A process that is killed writes no last line: what changes or removes data is told when it begins, too.
void audit_beginning(const Held& job) {
    if (!job->on_file) return;
    AuditEntry entry = entry_of(job->record);
    entry.result = "began";
    write_audit(job->folder, entry, *job->events);
}

// The next job on the folder says of those whose process was killed that they ended.
void tidy_files(const Held& job) {
    try {
        if (!job->on_file) return;
        const auto store = open_local_store(job->folder);
        for (const JobRecord& dead : bury_dead_jobs(*store, job->folder)) write_audit(job->folder, end_of(dead), *job->events);
        prune_jobs(*store, job->folder);
    } catch (const std::exception& error) {
        say(job, Level::debug, std::string("old jobs were not looked after: ") + error.what());
    }
}

// The order matters: first the file, then the word, then the event. Who was told of the end finds it everywhere, and who
// forks after it is not taken for a child of a busy parent, nor meets a lock that this thread takes as it exits.
void run(const Held& job) {
    {
        const Watcher watcher(job);
        const std::string& kind = job->record.kind;
        if (kind == "restore" || kind == "forget" || kind == "rekey") audit_beginning(job);
        settle(job, execute(job));
    }
    job->work = nullptr;  // what it held (the connection string) goes before the end is told
    save(job);
    tidy_files(job);
    const JobRecord record = job->copy();
    log_end(job, record);
    audit(job, record);
    leave_crypto();
    job->mark.reset();
    {
        const std::lock_guard<std::mutex> hold(job->mutex);
        job->ended = true;
        job->changed.notify_all();
    }
    if (!job->is_abandoned()) job->events->push(ended_event(record));
}

bool has_ended(const Held& job) {
    const std::lock_guard<std::mutex> hold(job->mutex);
    return job->ended && job->thread != nullptr;
}

bool wait_for_end(const Held& job, std::int64_t wait_ms) {
    std::unique_lock<std::mutex> hold(job->mutex);
    return job->changed.wait_for(hold, std::chrono::milliseconds(wait_ms), [&] { return job->ended; });
}

// Until a job has told its end it reads as running, whatever its record holds already.
JobRecord told(const Held& job) {
    const std::lock_guard<std::mutex> hold(job->mutex);
    JobRecord record = job->record;
    if (!job->ended) record.state = JobState::running;
    return record;
}

}  // namespace

Jobs::Jobs(std::string folder, std::shared_ptr<Events> events) : folder_(std::move(folder)), events_(std::move(events)) {}

Jobs::~Jobs() {
    for (auto& [id, job] : table_) {
        if (job->thread == nullptr) continue;
        if (wait_for_end(job, 0)) continue;  // joined by its destruction, which takes no time
        {
            const std::lock_guard<std::mutex> hold(job->mutex);
            job->abandoned = true;
        }
        job->thread->detach();
    }
}

std::uint64_t Jobs::free_id() {
    const auto store = open_local_store(folder_, true);
    for (int i = 0; i < kMaxIdTries; ++i) {
        const std::uint64_t id = new_job_id(system_clock().unix_us());
        if (table_.count(id) == 0 && !store->read_state("jobs/" + std::to_string(id) + ".json")) return id;
    }
    throw Failure(Code::internal, "unexpected", "no free job id was found");
}

std::uint64_t Jobs::start(JobPlan plan) {
    const auto job = std::make_shared<Job>();
    job->folder = folder_;
    job->events = events_;
    job->work = std::move(plan.work);
    job->record.actor = std::move(plan.actor);
    job->record.file = std::move(plan.file);
    job->record.kind = std::move(plan.kind);
    job->record.started_us = system_clock().unix_us();
    job->record.progress.phase = "starting";
    job->record.process = this_process();
    job->on_file = plan.record_at_once && (plan.make_folder || folder_exists(folder_));
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        forget_old();
        job->record.id = free_id();
        table_.emplace(job->record.id, job);
    }
    save(job);  // before the id is given out: another process may be handed it at once
    launch(job);
    return job->record.id;
}

void Jobs::launch(const std::shared_ptr<Job>& job) {
    try {
        auto thread = std::make_unique<Thread>("reprise-job", [job] { run(job); });
        const std::lock_guard<std::mutex> hold(mutex_);
        job->thread = std::move(thread);
    } catch (const Failure& failure) {
        settle(job, failed(failure));
        save(job);
        job->mark.reset();
        const std::lock_guard<std::mutex> hold(mutex_);
        table_.erase(job->record.id);
        throw;
    }
}

std::shared_ptr<Jobs::Job> Jobs::find(std::uint64_t id) {
    const std::lock_guard<std::mutex> hold(mutex_);
    const auto found = table_.find(id);
    return found == table_.end() ? nullptr : found->second;
}

JobRecord Jobs::wait(std::uint64_t id, std::int64_t wait_ms) {
    if (const auto job = find(id)) {
        wait_for_end(job, wait_ms);
        return told(job);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    const auto store = open_local_store(folder_, true);
    Cancel sleeper;
    while (true) {
        auto record = read_job(*store, id);
        if (!record) throw unknown_job(id);
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        if (record->state != JobState::running || left <= 0) return *record;
        sleeper.wait_ms(std::min<std::int64_t>(left, kLookMs));
    }
}

void Jobs::cancel(std::uint64_t id) {
    if (const auto job = find(id)) {
        job->cancel.request();
        return;
    }
    const auto store = open_local_store(folder_, true);
    const auto record = read_job(*store, id);
    if (!record) throw unknown_job(id);
    if (record->state == JobState::running) ask_to_cancel(*open_local_store(folder_), folder_, id);
}

std::vector<JobRecord> Jobs::list() {
    std::vector<JobRecord> jobs;
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        for (const auto& [id, job] : table_) jobs.push_back(told(job));
    }
    const std::size_t own = jobs.size();
    for (auto& record : read_jobs(*open_local_store(folder_, true))) {
        const auto same = [&](const JobRecord& job) { return job.id == record.id; };
        if (std::none_of(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(own), same))
            jobs.push_back(std::move(record));
    }
    std::sort(jobs.begin(), jobs.end(), [](const JobRecord& a, const JobRecord& b) { return a.id > b.id; });
    return jobs;
}

void Jobs::request_all() {
    const std::lock_guard<std::mutex> hold(mutex_);
    for (const auto& [id, job] : table_) job->cancel.request();
}

bool Jobs::shutdown(std::int64_t deadline_ms) {
    std::vector<std::shared_ptr<Job>> running;
    {
        const std::lock_guard<std::mutex> hold(mutex_);
        for (const auto& [id, job] : table_) running.push_back(job);
    }
    request_all();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(deadline_ms);
    bool all = true;
    for (const auto& job : running) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
        all = wait_for_end(job, std::max<std::int64_t>(left, 0)) && all;
    }
    return all;
}

void Jobs::forget_old() {
    for (auto entry = table_.begin(); entry != table_.end() && table_.size() >= kJobsKept;)
        // Whoever holds one still waits for its end.
        entry = has_ended(entry->second) && entry->second.use_count() == 1 ? table_.erase(entry) : std::next(entry);
}

std::shared_ptr<const void> Jobs::hold(std::uint64_t id) { return find(id); }

}  // namespace reprise
