// schedule: when the next backup is due, and whether one is due now. Facts in, decisions out: no I/O, no clock; seconds
// since 1970, UTC.
//
// Changes of the clock are met as Vixie's cron meets them. A time of day that a change skips is due at the moment of the
// change, one that it repeats is due once, the first time. What begins with * in minute or hour means "every so often": it
// is due whenever the clock shows it, so that skipped times do not come and repeated ones come twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "policy/cron.h"
#include "policy/time_zone.h"

namespace reprise {

struct Schedule {
    std::int64_t every_s = 0;  // whole multiples since 1970, UTC, so that all workers agree; 0: by `cron`
    Cron cron;
    std::int64_t jitter_s = 0;  // each due time is delayed by 0 … jitter_s, by chance
    bool catch_up = true;       // what fell due while nobody was there is made up for, once
};

constexpr std::int64_t kMaxEveryS = 366 * 86400;

// "90s", "30m", "6h", "1d", "2w": seconds, from 1 s to 366 days.
std::optional<std::int64_t> parse_every(std::string_view text);
// The first due time after `after_s`; nullopt: none is known.
std::optional<std::int64_t> next_due(const Schedule& schedule, const TimeZone& zone, std::int64_t after_s);

struct TickFacts {
    std::int64_t now_s = 0;
    std::int64_t handled_s = 0;  // every due time up to here is dealt with
    std::int64_t failures = 0;   // of the due time that is being tried, in a row
    std::int64_t retry_s = 0;    // after a failure: not before
    std::uint64_t seed = 0;      // of the jitter, the same for all workers
};

struct TickPlan {
    bool run = false;            // at once
    std::int64_t due_s = 0;      // the first due time that is not dealt with
    std::int64_t at_s = 0;       // when it is to run: due_s and its delay, or the next try
    std::int64_t handled_s = 0;  // as given, or set anew: the clock went back, or what was missed is passed over
};

// nullopt: nothing will ever be due. After a step back of the clock nothing that ran runs again, as long as the step is
// shorter than 3 hours and than the schedule's own distance; a longer one is a correction, and the new time counts.
std::optional<TickPlan> plan_tick(const Schedule& schedule, const TimeZone& zone, const TickFacts& facts);
// Seconds until a failed run is tried again: 5, doubled at each failure, at most 15 minutes.
std::int64_t retry_delay_s(std::int64_t failures);

}  // namespace reprise
