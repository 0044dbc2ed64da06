// Jobs of one engine: each on a thread of ours, with a cancel token, a place in the table, and a file for other processes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/context.h"
#include "base/thread.h"
#include "service/audit.h"
#include "service/events.h"
#include "service/job_file.h"
#include "service/stoppable.h"

namespace reprise {

// What a job's work is given.
struct Workbench {
    Context context;
    std::string job;               // the id as text, for lease and lock
    std::function<void()> record;  // writes the job's file from here on, where that was put off (startup)
};
using Work = std::function<Json(const Workbench&)>;

struct JobPlan {
    std::string kind;
    bool record_at_once = true;  // false: work calls record() itself, or never
    bool make_folder = false;    // a job that writes files: the folder may be made for its record
    Actor actor;                 // on whose behalf, for the audit log
    std::string file;            // about which file, as it was asked for
    Work work;
};

class Jobs : public Stoppable {
public:
    Jobs(std::string folder, std::shared_ptr<Events> events);
    ~Jobs() override;  // what still runs goes on alone and touches nothing of ours or the host's
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    std::uint64_t start(JobPlan plan);
    // Where the job stands once it has ended or wait_ms have passed; jobs of other processes are read from their files,
    // looked at every kLookMs. Failure{not_found, "job_unknown"}.
    JobRecord wait(std::uint64_t id, std::int64_t wait_ms);
    void cancel(std::uint64_t id);
    // As long as this is held, an ended job is not forgotten, however many come after it; null for another process's.
    std::shared_ptr<const void> hold(std::uint64_t id);
    std::vector<JobRecord> list();  // newest first, of all processes on the folder
    // Cancels everything, waits until deadline_ms have passed; false when something still runs.
    bool shutdown(std::int64_t deadline_ms) override;
    void request_all() override;

    struct Job;

private:
    std::shared_ptr<Job> find(std::uint64_t id);
    void launch(const std::shared_ptr<Job>& job);
    void forget_old();  // both with the lock held
    std::uint64_t free_id();

    const std::string folder_;
    const std::shared_ptr<Events> events_;
    std::mutex mutex_;
    std::map<std::uint64_t, std::shared_ptr<Job>> table_;
};

constexpr std::int64_t kLookMs = 500;

}  // namespace reprise
