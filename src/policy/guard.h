// policy decides from facts and touches nothing: no I/O, no clock. It may call base and read format/manifest.h.
//
// guard: may a fresh backup be believed, or is it what an accident left of the data? (S7, hazard 1.) A backup that trips
// is kept as `suspect_…`: written and verified, never `latest`, never a candidate; good ones are then not rotated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/manifest.h"
#include "policy/lost.h"

namespace reprise {

constexpr const char* kUsualSentinel = "users";  // where none is configured

struct GuardRules {
    std::string sentinel;                // the collection whose emptiness means that the data is lost; empty: not configured
    std::vector<std::string> together;   // what startup asks: collections that are empty (automatic: `users`)
    std::int64_t least_together = 1;     // when they hold fewer documents than this in all of them
    bool watch_sentinel = true;          // the sentinel, or these, that became empty trip
    double least_share = 0.5;            // fewer documents or bytes than this share of the measure trips; 0: never
    std::vector<std::string> may_empty;  // collections that come and go on purpose: no warning, no pin
    bool accept_smaller = false;         // a person's word for this one backup
};

struct GuardFacts {
    const Scope* scope = nullptr;          // of the backup that is judged; never null
    const Summary* now = nullptr;          // never null
    std::vector<const Manifest*> counted;  // good backups that it is compared with, newest first
    std::vector<const Manifest*> before;   // good backups whose collections are missed, newest first (policy/lost.h)
};

struct Verdict {
    bool suspect = false;
    bool overridden = false;  // it would have tripped or warned, but for accept_smaller: it is the new measure
    std::string reason;       // sentinel_empty | fewer_documents | fewer_bytes | no_documents; empty when good
    std::string message;      // a sentence for the result, the manifest and the log
    std::vector<Lost> lost;   // collections that became empty or missing: each warns, and pins its holder unless overridden
};

// The measure: of the backups that count the one with the most documents; null when none does.
const Manifest* largest(const std::vector<const Manifest*>& counted);

// Only what the backup's own scope selects is compared, so that a changed configuration is no loss; totals with the measure.
// The sentinel trips when any backup that counts holds documents in it and this one none, and so do the collections that
// startup asks together (a mistyped name never trips); unconfigured the sentinel is `users`.
Verdict judge(const GuardFacts& facts, const GuardRules& rules);

}  // namespace reprise
