#include "service/job_file.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "crypto/random.h"
#include "store/local.h"

namespace reprise {
namespace {

constexpr std::int64_t kIdEpochMs = 1577836800000;  // 2020-01-01
constexpr std::uint64_t kIdLimit = std::uint64_t{1} << 53;
constexpr std::size_t kMaxJobFiles = 10000;
constexpr const char* kDied = "process_died";
const JobState kStates[] = {JobState::running, JobState::done, JobState::failed, JobState::cancelled};

std::string key_of(std::uint64_t id, const char* suffix) { return "jobs/" + std::to_string(id) + suffix; }

std::optional<std::uint64_t> id_of(const std::string& name, std::string_view suffix) {
    if (name.size() <= suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0)
        return std::nullopt;
    const std::string digits = name.substr(0, name.size() - suffix.size());
    if (digits.size() > 16 || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
    return std::strtoull(digits.c_str(), nullptr, 10);
}

Json time_or_null(std::int64_t unix_us) { return unix_us == 0 ? Json() : Json(iso_time(unix_us)); }

std::int64_t time_of(const Json& json, const char* key) {
    const Json* value = json.find(key);
    return value != nullptr && value->is_string() ? from_iso_time(value->as_string()).value_or(0) : 0;
}

Progress progress_from_json(const Json& json) {
    Progress out;
    out.phase = json.at("phase").as_string();
    out.collection = json.at("collection").as_string();
    out.documents = json.at("documents").as_int();
    out.documents_total = json.at("documents_total").as_int();
    out.bytes = json.at("bytes").as_int();
    out.bytes_total = json.at("bytes_total").as_int();
    return out;
}

JobState state_from(const std::string& word) {
    for (const JobState state : kStates)
        if (word == state_name(state)) return state;
    throw Failure(Code::corrupt, "job_file_invalid", "a job's file has an unknown state");
}

JobRecord record_from_json(const Json& json) {
    JobRecord job;
    job.id = static_cast<std::uint64_t>(json.at("id").as_int());
    job.kind = json.at("kind").as_string();
    job.actor = actor_in(json);
    job.file = text_or(json, "file", "");
    job.state = state_from(json.at("state").as_string());
    job.started_us = time_of(json, "started");
    job.ended_us = time_of(json, "ended");
    job.beat_us = time_of(json, "beat");
    job.progress = progress_from_json(json.at("progress"));
    if (const Json* error = json.find("error"); error != nullptr && error->is_object()) job.error = failure_from_json(*error);
    if (const Json* result = json.find("result")) job.result = *result;
    job.process = process_from_json(json.at("process"));
    return job;
}

// Clocks of two machines are compared only here, with minutes of slack, and only to describe a job: no right hangs on it. A
// sign of life from the future is as old as one from the past: a clock was set back, and nobody waits until it is there again.
bool has_died(const JobRecord& job) {
    switch (life_of(job.process)) {
        case Life::alive: return false;
        case Life::dead: return true;
        case Life::unknown: return std::abs(system_clock().unix_us() - job.beat_us) > kForeignSilenceMs * 1000;
    }
    return false;
}

void mark_dead(JobRecord& job) {
    job.state = JobState::failed;
    job.error = Failure(Code::unavailable, kDied,
                        "the process that ran job " + std::to_string(job.id) + " ended before the job did; start it again");
    job.error->retryable = true;
}

std::string text_of(const JobRecord& job) {
    Json json = job_to_json(job);
    json.set("actor", actor_to_json(job.actor));
    json.set("file", job.file);
    json.set("beat", iso_time(job.beat_us));
    json.set("process", process_to_json(job.process));
    if (!job.result.is_null()) json.set("result", job.result);
    return json.text() + "\n";
}

// A dead job that nobody has written the end of yet.
bool is_unburied(const JobRecord& job) { return job.error && job.error->reason == kDied && job.ended_us == 0; }

}  // namespace

const char* state_name(JobState state) {
    switch (state) {
        case JobState::running: return "running";
        case JobState::done: return "done";
        case JobState::failed: return "failed";
        case JobState::cancelled: return "cancelled";
    }
    return "unknown";
}

Json failure_to_json(const Failure& failure) {
    return Json::object({{"code", static_cast<std::int32_t>(failure.code)},
                         {"code_name", code_name(failure.code)},
                         {"reason", failure.reason},
                         {"message", is_utf8(failure.message) ? failure.message : printable(failure.message)},
                         {"origin", static_cast<std::int32_t>(failure.origin)},
                         {"origin_code", failure.origin_code},
                         {"retryable", failure.retryable}});
}

Failure failure_from_json(const Json& json) {
    Failure failure(static_cast<Code>(json.at("code").as_int()), json.at("reason").as_string(), json.at("message").as_string());
    failure.from(static_cast<Origin>(json.at("origin").as_int()), static_cast<std::int32_t>(json.at("origin_code").as_int()));
    failure.retryable = json.at("retryable").as_bool();
    return failure;
}

Json progress_to_json(const Progress& progress) {
    return Json::object({{"phase", progress.phase},
                         {"collection", progress.collection},
                         {"documents", progress.documents},
                         {"documents_total", progress.documents_total},
                         {"bytes", progress.bytes},
                         {"bytes_total", progress.bytes_total}});
}

Json job_to_json(const JobRecord& job) {
    return Json::object({{"id", job.id},
                         {"kind", job.kind},
                         {"state", state_name(job.state)},
                         {"started", time_or_null(job.started_us)},
                         {"ended", time_or_null(job.ended_us)},
                         {"progress", progress_to_json(job.progress)},
                         {"error", job.error ? failure_to_json(*job.error) : Json()}});
}

std::uint64_t new_job_id(std::int64_t unix_us) {
    const std::string noise = random_bytes(2);
    const auto low =
        static_cast<std::uint64_t>((static_cast<unsigned char>(noise[0]) << 8 | static_cast<unsigned char>(noise[1])) & 0xFFF);
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(unix_us / 1000 - kIdEpochMs, 1));
    return ((ms << 12) | low) % kIdLimit;
}

void write_job(Store& store, const std::string& folder, const JobRecord& job) {
    const std::string text = text_of(job);
    const StateLock lock(folder);
    store.write_state(key_of(job.id, ".json"), text);
}

std::optional<JobRecord> read_job(Store& store, std::uint64_t id) {
    const auto text = store.read_state(key_of(id, ".json"));
    if (!text) return std::nullopt;
    JobRecord job = record_from_json(parse_json(*text));
    if (job.state == JobState::running && has_died(job)) mark_dead(job);
    return job;
}

std::vector<JobRecord> read_jobs(Store& store) {
    std::vector<std::uint64_t> ids;
    for (const auto& name : store.list_state("jobs"))
        if (const auto id = id_of(name, ".json")) ids.push_back(*id);
    std::sort(ids.rbegin(), ids.rend());
    if (ids.size() > kMaxJobFiles) ids.resize(kMaxJobFiles);
    std::vector<JobRecord> jobs;
    for (const auto id : ids) {
        try {
            if (auto job = read_job(store, id)) jobs.push_back(std::move(*job));
        } catch (const Failure&) {
            continue;  // a damaged file hides one job, not the list
        }
    }
    return jobs;
}

std::vector<JobRecord> bury_dead_jobs(Store& store, const std::string& folder) {
    std::vector<JobRecord> buried;
    for (const auto& seen : read_jobs(store)) {
        if (!is_unburied(seen)) continue;
        const StateLock lock(folder);
        auto job = read_job(store, seen.id);  // another process may have been first
        if (!job || !is_unburied(*job)) continue;
        job->ended_us = std::max(job->beat_us, job->started_us);
        store.write_state(key_of(job->id, ".json"), text_of(*job));
        buried.push_back(std::move(*job));
    }
    return buried;
}

void ask_to_cancel(Store& store, const std::string& folder, std::uint64_t id) {
    const StateLock lock(folder);
    store.write_state(key_of(id, ".cancel"), "");
}

bool asked_to_cancel(Store& store, std::uint64_t id) { return store.read_state(key_of(id, ".cancel")).has_value(); }

void prune_jobs(Store& store, const std::string& folder) {
    const auto names = store.list_state("jobs");
    if (names.size() <= kJobsKept) return;
    std::vector<std::uint64_t> ended;
    for (const auto& job : read_jobs(store))
        if (job.state != JobState::running) ended.push_back(job.id);
    const StateLock lock(folder);
    for (std::size_t i = kJobsKept; i < ended.size(); ++i) store.remove_state(key_of(ended[i], ".json"));
    for (const auto& name : names) {
        const auto id = id_of(name, ".cancel");
        if (id && !store.read_state(key_of(*id, ".json"))) store.remove_state(key_of(*id, ".cancel"));
    }
}

}  // namespace reprise
