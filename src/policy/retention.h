// retention: which files of the folder may go, and why each other one stays (S3). Facts in, decisions out: no I/O, no clock.
//
// Files are ordered by sequence, never by their times: a clock that went backwards, or a file from the future,
// changes which day a backup counts for and nothing else. The words are restic's: keep_last, keep_hourly, …, keep_within.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/manifest.h"
#include "policy/lost.h"

namespace reprise {

// restic's duration: "2y5m7d3h", each unit at most once. Years, months and days are those of the calendar.
struct Span {
    std::int64_t years = 0, months = 0, days = 0, hours = 0;
};
std::optional<Span> parse_span(std::string_view text);

struct RetentionRules {
    static constexpr std::int64_t kAll = -1;
    std::int64_t keep_last = 7;  // the newest n; kAll: every one
    std::int64_t keep_hourly = 0, keep_daily = 0, keep_weekly = 0, keep_monthly = 0, keep_yearly = 0;
    std::string keep_within;           // a span before the newest good backup; empty: not asked
    std::int64_t max_total_bytes = 0;  // of all files that are ours; the oldest go first; 0: no cap

    bool keep_nothing() const;  // no rule would keep anything
};

constexpr std::size_t kSafetyKept = 3;
constexpr std::int64_t kSafetyDays = 30;
constexpr std::size_t kSuspectsKept = 3;

struct Held {
    std::string file;
    FileKind kind = FileKind::backup;
    std::int64_t size_bytes = 0;
    std::optional<Manifest> manifest;  // nullopt: unknown (not verified, cannot be opened, cannot be read)
};

struct RetentionFacts {
    std::vector<Held> files;
    std::string database;
    std::optional<std::string> deployment;
    std::vector<std::string> pointed;  // where `latest` points to
    std::vector<std::string> needed;   // by an unfinished restore
    std::vector<Lost> lost;            // collections whose newest holder is pinned (policy/lost.h)
    std::int64_t now_us = 0;
    // Seconds east of UTC at an instant (microseconds since 1970): whose days and hours count. Empty: UTC.
    std::function<std::int64_t(std::int64_t)> offset_s;
};

struct Decision {
    std::string file;
    std::int64_t size_bytes = 0;
    bool keep = true;
    // Words and sentences. keep: newest, latest, pinned, keep_until, restoring, holds_lost, keep_last … keep_within,
    // safety_newest, safety_young, suspect_kept, suspect_newer, partial_newest, edited, legacy, unknown, unverified, unsigned,
    // other_database, other_deployment. else: by_rule, safety_old, suspect_surplus, size_cap.
    std::vector<std::pair<std::string, std::string>> reasons;
};

struct Decisions {
    std::vector<Decision> all;  // newest first; what is unknown or not ours at the end
    bool frozen = false;        // the newest backup is suspect, or none is good: no good one goes
    std::int64_t kept_bytes = 0;
    std::vector<std::string> warnings;
};

// Whatever the rules say: the newest good backup, what `latest` points to, pinned ones, files inside their keep time or needed
// by an unfinished restore, other databases' and deployments' files, files of the replaced system, edited ones and unknown ones
// stay. Deciding again over what is left removes nothing.
Decisions decide_retention(const RetentionFacts& facts, const RetentionRules& rules);

}  // namespace reprise
