// forget: what retention decided (policy/retention.h) is removed from the folder, oldest first, under the folder's lock. A
// file goes before its manifest: cut off in between, a manifest without file is left, which counts for nothing and is swept.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "engine/place.h"
#include "format/model.h"
#include "policy/guard.h"
#include "policy/retention.h"

namespace reprise {

struct ForgetRules {
    RetentionRules keep;
    Scope scope;                                         // what is backed up now, to tell a loss from a changed configuration
    GuardRules guard;                                    // may_empty; and for files that are judged only now
    std::function<std::int64_t(std::int64_t)> offset_s;  // see RetentionFacts; empty: UTC
};

struct Forgotten {
    Decisions decisions;
    std::vector<std::string> removed;  // names, in the order of removal; what would go, in a dry run
    std::int64_t freed_bytes = 0;
    std::vector<std::string> warnings;
};

// Takes the folder's lock, verifies what was not verified yet and reads the newest good backup to its end before anything
// goes (S3): Failure{corrupt, …} when it is not whole any more, and nothing is removed. dry_run: reads, locks nothing.
// The folder's owner says whose files they are; {refused, "folder_of_other"} when it is another database's.
Forgotten forget(const Place& place, const ForgetRules& rules, bool dry_run, const Context& context);
// The same at the end of a backup, inside its operation. `made` was read back a moment ago, so that it is not read again when
// it is the newest good one itself (not partial, suspect or unsigned).
Forgotten forget_within(const Place& place, const Manifest& made, const ForgetRules& rules, const Context& context);

}  // namespace reprise
