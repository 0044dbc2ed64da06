// What a job of each kind does: engines composed from configuration and options.
#pragma once

#include <memory>

#include "service/config.h"
#include "service/jobs.h"
#include "service/options.h"

namespace reprise {

// `options` have been checked (parse_options).
JobPlan plan_job(Setup setup, Kind kind, Json options);

}  // namespace reprise
