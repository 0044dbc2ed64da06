// The manifest of a file: what we know of it without reading it, kept as `.reprise/manifests/NAME.json`, and the catalogue
// made from them. Pure data here; store access is the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/model.h"
#include "format/names.h"

namespace reprise {

struct Manifest {
    std::string name;             // the file's
    std::int64_t size_bytes = 0;  // of the stored bytes; with modified_us tells whether the file is still the one described
    std::int64_t modified_us = 0;
    std::string sha256;          // of the content (the file's own last line)
    std::string stored_sha256;   // of the stored bytes, when they are compressed or encrypted; else empty
    std::string state = "good";  // good | suspect
    std::string suspect_reason;
    std::string kind = "backup";  // backup | before (risky work; as good as any) | before_restore
    bool verified = false;        // read back whole
    std::string signed_by;        // id of the trusted key whose signature fitted; empty: none was asked for
    bool untrusted = false;       // not written: by the keys that are trusted now, nobody we know signed it
    std::int64_t verified_us = 0;
    bool pinned = false;
    std::optional<std::int64_t> keep_until_us;  // not rotated away before; "keep_until" in the file, UTC text, or absent
    bool legacy = false;
    std::int64_t backup_date_us = 0;
    std::string database, id, label, server, version, edited_from;
    std::optional<std::string> deployment;
    std::int64_t sequence = 0;
    std::string scope = "all";  // all | configured | partial
    std::string consistency;
    Summary summary;
};

std::string manifest_key(const std::string& file_name);  // "manifests/NAME.json"
Json manifest_to_json(const Manifest& manifest);
Manifest manifest_from_json(const Json& json);  // Failure{corrupt, "manifest_invalid"}
// Order of backups: by sequence, also of those that were made before the deployment's id could be written; files of the
// replaced system come before all others, by backup_date. Between deployments it means nothing: is_own tells them apart.
bool older(const Manifest& a, const Manifest& b);
// A backup of this database and deployment (or made before its id could be written), of format 1. Others in the folder
// are listed, but never `latest`, never a candidate, never counted.
bool is_own(const Manifest& manifest, const std::string& database, const std::optional<std::string>& deployment);
// Whole, verified, believed, of all that is configured, unedited: what may be `latest`, restored by itself, counted.
bool is_good(const Manifest& manifest);

}  // namespace reprise
