// backup: mongo cursor → digest → codec → store, read back, guard, manifest, `latest`, retention.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codec/bson_to_json.h"
#include "engine/forget.h"
#include "engine/operation.h"
#include "format/manifest.h"
#include "policy/guard.h"

namespace reprise {

struct BackupOptions {
    Scope scope;  // is, include, exclude as asked; names that do not exist are Failure{not_found, "collection_missing"}
    std::string label;
    Profile profile = Profile::readable;
    bool require_snapshot = false;
    FileKind kind = FileKind::backup;  // before_restore for safety backups: never `latest`, never suspect
    std::int64_t before_keep_days = -1;  // 0 or more: made before risky work, and not rotated away for so many days
    bool system_js = false;
    GuardRules guard;  // with the configured sentinel (empty: `users` where the measure holds documents in it)
    std::optional<ForgetRules> retention;  // what goes afterwards; nullopt: nothing
};

struct BackupResult {
    Manifest manifest;  // name, counts, digests, consistency, state
    std::string path;
    bool became_latest = false;
    std::vector<std::string> removed;  // by retention
    bool without_lease = false;
    std::int64_t duration_ms = 0;
    std::vector<std::string> warnings;
};

// The whole operation. Failure leaves the folder as it was (S1). {not_found, "database_missing"} on a database without
// collections; {unsupported, "collection_encrypted"} naming a collection with encryptedFields unless excluded;
// {unavailable, "snapshot_unavailable"} with require_snapshot; {busy, "catalog_changing"} after 3 rounds; {internal,
// "readback_mismatch"} naming the collection when what was stored is not what the server sent (S2).
BackupResult backup(const Place& place, const BackupOptions& options, const Context& context);
// The same inside an operation that is already begun (a restore's safety backup, startup).
BackupResult backup_within(Operation& operation, const Place& place, const BackupOptions& options, const Context& context);

}  // namespace reprise
