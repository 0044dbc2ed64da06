// Which backups startup may restore by itself, newest sequence first. Pure: facts in, decisions out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/shelf.h"

namespace reprise {

struct Skipped {
    std::string file, reason, message;
};

struct Rule {
    std::string database;
    std::string sentinel;                   // the collection that counts; empty: the whole database
    std::optional<std::string> deployment;  // what database or folder say; nullopt: nothing is known
    std::string failed_sha256;              // a backup that did not help
};

struct Candidates {
    std::vector<ShelfItem> files;  // newest first
    std::vector<Skipped> skipped;
    bool data_elsewhere = false;    // some skipped file holds, or may hold, documents: an empty database is no new one
    bool sentinel_nowhere = false;  // good backups hold documents, but none in the sentinel: perhaps it is mistyped
};

// `shelf` as read_shelf(examine) gave it.
Candidates choose(const std::vector<ShelfItem>& shelf, const Rule& rule);
// The sentinel in force: the configured one; else "users" where the newest good backup holds documents in it; else "".
// nullopt: it cannot be told. A file is not known yet; or, on an examined shelf, no backup may be restored and some cannot be
// read.
std::optional<std::string> sentinel_in_force(const std::vector<ShelfItem>& shelf, const std::string& configured,
                                             const std::string& database, const std::optional<std::string>& deployment);

constexpr const char* kUsualSentinel = "users";

}  // namespace reprise
