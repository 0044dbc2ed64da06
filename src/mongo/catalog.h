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
    bool operator==(const CollectionInfo& other) const;
};

// All but system.* (system.js when asked). Sorted by name bytewise. Our own collections are in it: callers leave them out.
// With indexes: one listIndexes per collection and time series.
std::vector<CollectionInfo> list_collections(Client& client, const std::string& database, bool with_indexes,
                                             bool system_js = false);
std::optional<CollectionInfo> find_collection(Client& client, const std::string& database, const std::string& name,
                                              bool with_indexes);
bool database_exists(Client& client, const std::string& database);  // it has at least one collection
bool collection_empty(Client& client, const std::string& database, const std::string& name,
                      std::int64_t minimum = 1);  // find, _id only, limit = minimum
struct DatabaseSize {
    std::int64_t data_bytes = 0, index_bytes = 0, free_bytes = -1;  // free_bytes: -1 where the server does not say
};
DatabaseSize database_size(Client& client, const std::string& database);  // dbStats; zeros where it is not supported

}  // namespace reprise
