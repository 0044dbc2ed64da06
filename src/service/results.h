// What the engines found out, as the JSON that capi/ABI.md promises.
#pragma once

#include "codec/json.h"
#include "engine/forget.h"
#include "engine/preview.h"
#include "engine/rekey.h"
#include "engine/restore.h"
#include "engine/snapshot.h"
#include "engine/verify.h"
#include "service/startup.h"

namespace reprise {

Json texts_to_json(const std::vector<std::string>& texts);
Json collections_to_json(const Summary& summary);  // {name: {documents, bson_bytes, digest}}
Json backup_to_json(const BackupResult& result);
Json restore_to_json(const RestoreResult& result, const std::string& mode, const std::string& database);
Json verify_to_json(const VerifyResult& result, const std::string& path);
Json rekey_to_json(const RekeyResult& result);
Json rehash_to_json(const RehashResult& result);
Json forgotten_to_json(const Forgotten& gone, bool dry_run);
Json preview_to_json(const PreviewResult& result, const std::string& mode);
Json startup_to_json(const StartupResult& result, const std::string& database);

}  // namespace reprise
