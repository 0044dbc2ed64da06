// Is there a good, recent backup to go back to? Answered from the folder alone, the same for every worker.
#pragma once

#include <cstdint>
#include <string>

#include "codec/json.h"

namespace reprise {

constexpr std::int64_t kHealthyAgeHours = 26;  // a nightly backup and two hours

// {"healthy", "problems": [{"reason", "message"}…], "last_backup", "age_s", "file", "size_bytes", "documents", "verified",
// "free_bytes", "backups", "suspects", "next_run"} of what list and status say; "file" and what is said of it is the latest, or
// the newest good one before it where verify found that damaged. problems[].reason: no_backup, backup_old,
// backup_damaged, backup_unverified, newer_suspect, collections_lost, schedule_failing, space_low.
Json health_of(const Json& list, const Json& status, std::int64_t max_age_hours, std::int64_t now_us);
// The same in Prometheus' text format, version 0.0.4; gauges named reprise_….
std::string metrics_of(const Json& health, const Json& status);

}  // namespace reprise
