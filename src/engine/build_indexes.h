// Indexes on a staging collection, in the order plain, unique, expiring.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "mongo/client.h"

namespace reprise {

struct IndexBuild {
    Client& client;
    const std::string& database;
    std::function<void()> check;  // before every command
    bool non_unique = false;      // a unique index that cannot be built becomes a plain one, with a warning
};

// Failure{refused, "unique_conflict"} names index and both documents. Returns warnings.
std::vector<std::string> build_all_indexes(const IndexBuild& build, const Target& target);

}  // namespace reprise
