// ticker: the schedule's own thread in a worker. Of all workers on a folder exactly one runs each due time: what is dealt
// with, and who is at work, stands in `.reprise/schedule` (tick_state.h), changed under the folder's StateLock; the backup
// itself is an ordinary job under the operation's lock and lease. Started by reprise_service_start, never by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/cancel.h"
#include "base/thread.h"
#include "service/config.h"
#include "service/jobs.h"
#include "service/stoppable.h"
#include "service/tick_state.h"

namespace reprise {

class Ticker : public Stoppable {
public:
    using StartBackup = std::function<std::uint64_t(Json options)>;  // an ordinary job of kind backup

    Ticker(std::shared_ptr<const Config> config, std::shared_ptr<Jobs> jobs, std::shared_ptr<Events> events,
           const Clock& clock = system_clock());
    ~Ticker() override;  // a stuck one goes on alone and touches nothing

    // Nothing without a schedule, and nothing when it runs. Failure{io, "thread_failed"}.
    void start(StartBackup start_backup);
    bool running();
    void request_all() override;  // asks it to stop, and its job
    // Stops, waits until deadline_ms have passed; false when it has not ended: a stuck one touches nothing any more.
    bool shutdown(std::int64_t deadline_ms) override;

    struct Run;

private:
    std::shared_ptr<const Config> config_;
    std::shared_ptr<Jobs> jobs_;
    std::shared_ptr<Events> events_;
    const Clock& clock_;
    std::mutex mutex_;
    std::shared_ptr<Run> run_;
};

// What is known of the schedule, for status: {"next_run", "last_run", "failures", "started": whether this engine ticks}.
// null where neither a schedule is configured nor one ever ran.
Json schedule_status(const Config& config, bool started);

}  // namespace reprise
