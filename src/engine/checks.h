// What a restore asks before it writes anything of worth: is the file for this database, is there room, may we, is it sharded.
#pragma once

#include <string>

#include "engine/operation.h"
#include "engine/plan.h"
#include "format/manifest.h"

namespace reprise {

// Failure{refused, "other_database" | "other_deployment" | "scope_partial" | "file_unproven"}, {invalid_argument,
// "exact_with_lists"}.
void check_file_fits(const Manifest& file, const RestoreOptions& options, const Place& place,
                     const std::optional<std::string>& deployment);
// Failure{refused, "no_space_on_server"}.
void check_space(Client& client, const std::string& database, std::int64_t bson_bytes);
struct Rights {
    bool coll_mod = false;
    bool keeps_uuid = true;  // a renamed collection keeps its UUID, as on every MongoDB
};
// Creates, fills, indexes, renames and drops a staging collection. Failure{denied, "not_authorized"} names the role;
// {unavailable, "majority_unreachable"} names the option.
Rights probe_rights(Operation& operation, const std::string& database, bool without_majority, const Context& context);
// Failure{unsupported, "collection_sharded"} for a sharded collection in the way (not of a merge), when mongos does not let us
// tell, or for one that the backup knows as sharded and that is not there, unless allow_unsharded.
void check_sharding(Client& client, const std::string& database, const Plan& plan, const RestoreOptions& options);

}  // namespace reprise
