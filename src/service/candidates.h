// Which backups startup may restore by itself, newest sequence first. Pure: facts in, decisions out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/empty_rule.h"
#include "engine/shelf.h"

namespace reprise {

struct Skipped {
    std::string file, reason, message;
};

struct Rule {
    std::string database;
    EmptyRule empty;                        // what a backup must hold
    std::optional<std::string> deployment;  // what database or folder say; nullopt: nothing is known
    std::string failed_sha256;              // a backup that did not help
    bool keys_configured = false;           // encryption or a signature is: a file of the replaced system proves nothing
    std::int64_t least_sequence = 0;        // signatures are asked for: an older one may be a replay of what was true once
};

struct Candidates {
    std::vector<ShelfItem> files;  // newest first
    std::vector<Skipped> skipped;
    bool data_elsewhere = false;    // some skipped file holds, or may hold, documents: an empty database is no new one
    bool sentinel_nowhere = false;  // good backups hold documents, but not where the rule looks: perhaps a name is mistyped
};

// `shelf` as read_shelf(examine) gave it.
Candidates choose(const std::vector<ShelfItem>& shelf, const Rule& rule);
// How a host says what "empty" means.
struct WantedRule {
    bool automatic = true;  // "users" where the newest good backup holds documents in it, else the whole database
    EmptyRule rule;         // automatic: its minimum alone counts
};
// The rule in force. nullopt: it cannot be told. A file is not known yet; or, on an examined shelf, no backup may be restored
// and some cannot be read.
std::optional<EmptyRule> rule_in_force(const std::vector<ShelfItem>& shelf, const WantedRule& wanted,
                                       const std::string& database, const std::optional<std::string>& deployment);
EmptyRule usual_rule(const WantedRule& wanted);  // "users"
EmptyRule whole_rule(const WantedRule& wanted);  // the whole database

}  // namespace reprise
