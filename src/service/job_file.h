// A job as a file, `.reprise/jobs/ID.json`: what any process on the folder can read of it, and how it is asked to stop
// (`.reprise/jobs/ID.cancel`). Only the job's own process writes the first, so there is no lost update.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/failure.h"
#include "codec/json.h"
#include "service/actor.h"
#include "service/process.h"
#include "store/store.h"

namespace reprise {

enum class JobState : std::int32_t { running = 1, done = 2, failed = 3, cancelled = 4 };  // the C ABI's values

struct JobRecord {
    std::uint64_t id = 0;
    std::string kind;
    Actor actor;       // on whose behalf, and
    std::string file;  // about which file, as it was asked for: for the audit log
    JobState state = JobState::running;
    std::int64_t started_us = 0, ended_us = 0, beat_us = 0;
    Progress progress;
    std::optional<Failure> error;
    Json result;
    ProcessIdentity process;
};

constexpr std::size_t kJobsKept = 64;
constexpr std::int64_t kBeatMs = 15 * 1000;                // a running job's file is renewed at least this often
constexpr std::int64_t kForeignSilenceMs = 5 * 60 * 1000;  // another machine's job that is silent for longer reads as dead

const char* state_name(JobState state);
Json failure_to_json(const Failure& failure);
Failure failure_from_json(const Json& json);
Json progress_to_json(const Progress& progress);
Json job_to_json(const JobRecord& job);  // as job_list shows it: without actor, file, result and process

// A new id below 2^53: milliseconds since 2020 and 12 random bits.
std::uint64_t new_job_id(std::int64_t unix_us);

// All writes are made under the folder's StateLock. `folder` is the store's.
void write_job(Store& store, const std::string& folder, const JobRecord& job);
// nullopt when there is none. A running job whose process is gone reads as failed, "process_died".
std::optional<JobRecord> read_job(Store& store, std::uint64_t id);
std::vector<JobRecord> read_jobs(Store& store);  // newest first; unreadable files are left out
// Running jobs whose processes are gone are written as failed, ended at their last sign of life. Each is given to one caller
// alone, of all processes.
std::vector<JobRecord> bury_dead_jobs(Store& store, const std::string& folder);
void ask_to_cancel(Store& store, const std::string& folder, std::uint64_t id);
bool asked_to_cancel(Store& store, std::uint64_t id);
// Keeps the newest kJobsKept ended jobs and everything that runs; a cancel request goes with its job.
void prune_jobs(Store& store, const std::string& folder);

}  // namespace reprise
