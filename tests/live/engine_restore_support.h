// What a restore is judged by: everything that a database holds, UUIDs aside.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "engine/record.h"
#include "engine/restore.h"
#include "engine_backup_support.h"
#include "format/names.h"

namespace restore_test {

using namespace backup_test;

struct Seen {
    std::string type, options;
    std::vector<std::string> indexes;
    CollectionSummary content;
    friend bool operator==(const Seen& a, const Seen& b) {
        return a.type == b.type && a.options == b.options && a.indexes == b.indexes && a.content == b.content;
    }
};
using State = std::map<std::string, Seen>;

inline State state_of(Fixture& db) {
    State state;
    for (const auto& info : list_collections(db.client, db.place.database, true)) {
        if (is_own_collection(info.name)) continue;
        Seen seen{info.type, info.options, info.indexes, {}};
        std::sort(seen.indexes.begin(), seen.indexes.end());
        if (info.type != "view")
            seen.content = measure_collection(db.client, db.place.database, info.name, info.type == "timeseries", db.context);
        state[info.name] = seen;
    }
    return state;
}

// Differences by name, so that a failing test says which.
inline std::string difference(const State& a, const State& b) {
    std::string out;
    for (const auto& [name, seen] : a) {
        const auto other = b.find(name);
        if (other == b.end()) {
            out += name + " is missing; ";
            continue;
        }
        if (seen.type != other->second.type) out += name + ": type; ";
        if (seen.options != other->second.options) out += name + ": options; ";
        if (seen.indexes != other->second.indexes) out += name + ": indexes; ";
        if (!(seen.content == other->second.content))
            out += name + ": content (" + std::to_string(seen.content.documents) + " and " +
                   std::to_string(other->second.content.documents) + "); ";
    }
    for (const auto& [name, seen] : b)
        if (a.find(name) == a.end()) out += name + " is new; ";
    return out;
}

// Names of ours that an operation should not have left: staging, retired, kept collections, or a record.
inline std::string leftovers(Fixture& db) {
    std::string out;
    for (const auto& info : list_collections(db.client, db.place.database, false))
        if (is_own_collection(info.name) && info.name != kOwnCollection) out += info.name + " ";
    if (load_record(db.client, db.place.database)) out += "a record ";
    for (const auto& name : db.entries())
        if (!parse_file_name(name) && name != "backup_latest.json") out += name + " ";
    return out;
}

// MongoDB keeps a collection's options when it is renamed; SecantusDB from PyPI forgets them, and the result must say so.
inline bool keeps_options(Fixture& db) {
    db.create("probe_a", BsonBuilder().add("capped", true).add("size", 4096).str());
    db.create("probe_v", BsonBuilder().doc("validator", BsonBuilder().add("a", 1).str()).str());
    bool kept = true;
    for (const char* name : {"probe_a", "probe_v"}) {
        const std::string before = find_collection(db.client, db.place.database, name, false)->options;
        rename_collection(db.client, db.place.database, name, "probe_b");
        kept = kept && find_collection(db.client, db.place.database, "probe_b", false)->options == before;
        db.drop("probe_b");
    }
    return kept;
}
inline bool says_options_lost(const RestoreResult& result) {
    for (const auto& warning : result.warnings)
        if (warning.find("did not keep the options") != std::string::npos) return true;
    return false;
}
// Makes the options of ordinary collections the same, for servers that forget them. What makes a collection clustered is an
// option too, and listIndexes shows it.
inline State without_options(State state) {
    for (auto& [name, seen] : state)
        if (seen.type == "collection") {
            seen.options.clear();
            if (name == "clustered") seen.indexes.clear();
        }
    return state;
}

inline RestoreResult restore_file(Fixture& db, const std::string& file, RestoreOptions options = {}) {
    options.file = file;
    return restore(db.place, options, db.context);
}

inline void drop_everything(Fixture& db) {
    for (const auto& info : list_collections(db.client, db.place.database, false))
        if (!is_own_collection(info.name)) db.drop(info.name);
}

inline std::string key(const char* field, std::int32_t order = 1) { return BsonBuilder().add(field, order).str(); }

inline void insert(Fixture& db, const std::string& name, const std::string& document) {
    BatchWriter writer(db.client, db.place.database, name);
    writer.add(document);
    writer.flush();
    REQUIRE(writer.error_count() == 0);
}

}  // namespace restore_test
