// Everything with threads in this process (jobs, tickers), for reprise_shutdown(NULL) and for the end of the process. One list
// per process: a child after fork begins with an empty one.
#pragma once

#include <cstdint>
#include <memory>

#include "service/stoppable.h"

namespace reprise {

void enlist(const std::shared_ptr<Stoppable>& one);
bool shutdown_enlisted(std::int64_t deadline_ms);
// At exit() what still runs is cancelled and waited for, bounded; threads that are stuck are stopped (base/leaving.h).
// Called before the first job starts.
void prepare_for_exit();

}  // namespace reprise
