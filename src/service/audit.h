// Who did what, when, and how it ended: one JSON object per line in `.reprise/audit/`, chained by hash, so that a line that
// was changed or taken out shows; that the last ones were cut off shows only against the events that the host kept.
//
// A line: {"n", "time", "what", "result", "reason"?, "who"?, "via", "from"?, "request"?, "file"?, "job"?, "duration_ms"?,
// "count"?, "minute"?, "prev", "begins"?}; `begins` stands in the first line of each file, and is its number; `n` counts from
// 1, `prev` is the SHA-256 of the line before it without its newline ("" before the first). No document's value ever stands
// in one. A file is begun anew at kAuditFileBytes; the oldest go when all are over the cap.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/json.h"
#include "service/actor.h"
#include "service/events.h"
#include "store/store.h"

namespace reprise {

struct AuditEntry {
    Actor actor;
    std::string what;               // a job's kind, "pin", "accept", "delete", "download", "authentication" …
    std::string file;               // empty: none
    std::string result = "done";    // began, done, failed, refused, cancelled
    std::string reason;             // empty when it is done
    std::uint64_t job = 0;          // 0: none
    std::int64_t duration_ms = -1;  // negative: not measured
    std::int64_t count = 0;         // of equal events in one line; 0: not counted
    std::int64_t minute_us = 0;     // in which they were; the line is written later
};

constexpr std::int64_t kAuditFileBytes = 1024 * 1024;
constexpr std::int64_t kAuditBytes = 16 * 1024 * 1024;  // all files together, the default cap

// Appends a line under the folder's StateLock and returns it as the event for the host. `cap_bytes` bounds all files.
Json audit_add(Store& store, const std::string& folder, const AuditEntry& entry, std::int64_t cap_bytes = kAuditBytes);
// The same for a folder that is there, with the event pushed to the host. Never throws: what could not be written is logged.
void write_audit(const std::string& folder, const AuditEntry& entry, Events& events);
// The newest `limit` lines, newest first; lines that are no JSON are {"broken": true}.
std::vector<Json> audit_read(Store& store, std::size_t limit);

constexpr std::int64_t kAuditLines = 100, kMostAuditLines = 100000;
const Schema& audit_schema();       // of reading: limit
const Schema& audit_line_schema();  // of a line of the host's own: what, result, reason, file, actor
AuditEntry audit_entry_in(const Json& line);
bool is_refusal(const Failure& failure);  // somebody said no, rather than something went wrong

struct AuditCheck {
    std::int64_t lines = 0, first = 0, last = 0;  // `n` of the first and the last line that are kept; 0: there is none
    std::string last_hash;                        // of the last line: compare it with what the host kept
    std::vector<std::string> problems;            // sentences; empty: the chain is whole. At most kMaxAuditProblems
};
constexpr std::size_t kMaxAuditProblems = 20;
AuditCheck audit_check(Store& store, std::int64_t cap_bytes = kAuditBytes);

}  // namespace reprise
