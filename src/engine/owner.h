// To whom a folder and a database belong: `.reprise/owner` {database, deployment} and the document {_id: "deployment"} of
// collection "reprise" {value, sequence, users}. Two databases never share a folder (hazard 21), and no sequence is used twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/context.h"
#include "mongo/client.h"
#include "store/store.h"

namespace reprise {

struct Owner {
    std::string database;
    std::optional<std::string> deployment;
    // While an id is being replaced (adopt_deployment): the one that comes next. Both count until the database has it.
    std::optional<std::string> adopting;
};

std::optional<Owner> read_owner(Store& store);  // Failure{corrupt, "owner_invalid"} when it cannot be understood
// The same, of a folder that `database` may use: Failure{refused, "folder_of_other"} as check_owner. nullopt: nobody's yet.
std::optional<Owner> owner_for(Store& store, const std::string& database);
void write_owner(Store& store, const Owner& owner);
// Failure{refused, "folder_of_other"} when the folder is another database's, or another deployment's.
void check_owner(const Owner& owner, const std::string& database, const std::optional<std::string>& deployment);

struct DeploymentDocument {
    std::optional<std::string> value;
    std::int64_t sequence = 0;          // the highest of backups that were made, not of numbers that were given out
    std::optional<std::int64_t> users;  // documents of collection `users` in the newest good backup; nullopt: not known
};
DeploymentDocument read_deployment(Client& client, const std::string& database);
// Writes `value` where none is there yet, and says which one is there afterwards.
std::string make_deployment(Client& client, const std::string& database, const std::string& value);
void replace_deployment(Client& client, const std::string& database, const std::string& value);
// A backup of that number is there. `users`: see above; nullopt leaves it as it is.
void raise_sequence(Client& client, const std::string& database, std::int64_t sequence,
                    const std::optional<std::int64_t>& users = std::nullopt);

// The folder's own memory of sequences, which outlives its files: `.reprise/sequence`, the highest number that was given out,
// and beside it ("published") the highest of a backup that was made. One that cannot be read counts as none where a number is
// given out (manifests and database know theirs); published_sequence throws Failure{corrupt, "sequence_invalid"}.
std::int64_t remembered_sequence(Store& store, const std::string& deployment);
void remember_sequence(Store& store, const std::string& deployment, std::int64_t sequence);
std::int64_t published_sequence(Store& store, const std::string& deployment);
void remember_published(Store& store, const std::string& deployment, std::int64_t sequence);

}  // namespace reprise
