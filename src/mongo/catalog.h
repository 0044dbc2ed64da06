// What a database holds: listCollections and listIndexes, in our own terms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "mongo/client.h"

namespace reprise {

struct CollectionInfo {
    std::string name;
    std::string type;                  // collection | view | timeseries
    std::string options;               // BSON, as the server sent it
    std::string uuid;                  // 16 raw bytes; empty for views and where the server gives none
    std::vector<std::string> indexes;  // BSON each, as sent, "ns" left out; empty for views
    std::string shard_key{};           // BSON; with_indexes, through mongos, where the user may read config.collections
    bool operator==(const CollectionInfo& other) const;
};

// All but system.* (system.js when asked). Sorted by name bytewise. Our own collections are in it: callers leave them out.
// With indexes: one listIndexes per collection and time series.
std::vector<CollectionInfo> list_collections(Client& client, const std::string& database, bool with_indexes,
                                             bool system_js = false);
std::optional<CollectionInfo> find_collection(Client& client, const std::string& database, const std::string& name,
                                              bool with_indexes);
bool database_exists(Client& client, const std::string& database);  // it has at least one collection
// Documents of a collection, at most `limit` of them (≥ 1) looked at: find with _id only, on the primary.
std::int64_t count_up_to(Client& client, const std::string& database, const std::string& name, std::int64_t limit);
bool collection_empty(Client& client, const std::string& database, const std::string& name);
struct DatabaseSize {
    std::int64_t data_bytes = 0, index_bytes = 0, free_bytes = -1;  // free_bytes: -1 where the server does not say
};
DatabaseSize database_size(Client& client, const std::string& database);  // dbStats; zeros where it is not supported

}  // namespace reprise
