// When a database counts as empty, so that its data are lost and startup brings them back (design/restore.md "Startup").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/model.h"
#include "mongo/client.h"

namespace reprise {

// Lost: the collections hold fewer than `minimum` documents together. Views and our own collections never count.
struct EmptyRule {
    std::vector<std::string> collections;  // exact names, none twice; none: the whole database
    std::int64_t minimum = 1;
    bool whole_database() const { return collections.empty(); }
};

// Asked with find and limit on the primary. A Failure is a Failure, never "empty".
bool says_empty(Client& client, const std::string& database, const EmptyRule& rule);
// No document lies outside of what the rule counts.
bool rest_is_empty(Client& client, const std::string& database, const EmptyRule& rule);
// The same of a backup.
bool says_empty(const Summary& summary, const EmptyRule& rule);
// "collection users", "collections a, b", "the database".
std::string what_counts(const EmptyRule& rule);
// "no documents", "fewer than 5 documents".
std::string too_few(const EmptyRule& rule);

}  // namespace reprise
