// To whom a folder and a database belong: `.reprise/owner` {database, deployment} and the document {_id: "deployment"} of
// collection "reprise" {value, sequence}. Two databases never share a folder (hazard 21), and no sequence is used twice.
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
    std::int64_t sequence = 0;
};
DeploymentDocument read_deployment(Client& client, const std::string& database);
// Writes `value` where none is there yet, and says which one is there afterwards.
std::string make_deployment(Client& client, const std::string& database, const std::string& value);
void replace_deployment(Client& client, const std::string& database, const std::string& value);
void raise_sequence(Client& client, const std::string& database, std::int64_t sequence);

// The folder's own memory of sequences, which outlives its files: `.reprise/sequence`.
std::int64_t remembered_sequence(Store& store, const std::string& deployment);
void remember_sequence(Store& store, const std::string& deployment, std::int64_t sequence);

}  // namespace reprise
