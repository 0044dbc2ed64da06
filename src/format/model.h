// What a backup file says besides its documents. See FORMAT.md for every key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.h"
#include "crypto/signature.h"

namespace reprise {

constexpr int kFormat = 1;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 53;  // of documents, bytes and sequences
constexpr const char* kVersion = REPRISE_VERSION_TEXT;     // "0.1.0", from CMake

struct Scope {
    std::string is = "all";  // all | configured | partial
    std::vector<std::string> include, exclude;
    std::vector<std::pair<std::string, std::string>> skipped;  // name, reason
    bool selects(const std::string& collection) const;         // by include and exclude alone; exact names
};

struct Header {
    std::int64_t backup_date_us = 0;
    std::string database;
    int format = kFormat;  // of the file; 0 for a file of the replaced system (then only date, if any, and database are set)
    std::string kind = "full";
    std::vector<std::string> requires_;
    std::string id;                         // 32 hex digits
    std::optional<std::string> deployment;  // 32 hex digits
    std::int64_t sequence = 0;
    Scope scope;
    std::string label, version, server, profile = "readable", wanted = "prefer_snapshot";
    std::optional<std::string> edited_from;     // id of the backup that was edited (rehash)
    std::optional<std::int64_t> keep_until_us;  // made before risky work: not rotated away until then
};

struct CatalogEntry {
    std::string name;
    std::string type;                  // collection | view | timeseries
    std::string options;               // BSON document
    std::vector<std::string> indexes;  // BSON documents as listIndexes sent them, "ns" left out; empty for views
    std::string shard_key{};           // BSON document; empty where it is not sharded, or mongos did not let us tell
};

struct CollectionSummary {
    std::int64_t documents = 0, bson_bytes = 0;
    std::string digest;
    friend bool operator==(const CollectionSummary& a, const CollectionSummary& b) {
        return a.documents == b.documents && a.bson_bytes == b.bson_bytes && a.digest == b.digest;
    }
};

struct Summary {
    std::int64_t documents = 0;
    std::string consistency = "per_collection";  // snapshot | per_collection
    std::int64_t read_from_us = 0, read_to_us = 0;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> cluster_time;  // t, i
    std::int64_t escapes = 0;
    std::vector<std::pair<std::string, CollectionSummary>> collections;  // in the catalog's order
    const CollectionSummary* find(const std::string& collection) const;
};

}  // namespace reprise
