#include "mongo/catalog.h"

#include <algorithm>
#include <map>

#include "mongo/state.h"

namespace reprise {
namespace {

constexpr std::int32_t kNamespaceNotFound = 26;

bool left_out(std::string_view name, bool system_js) {
    if (name == "system.js") return !system_js;
    return name.substr(0, 7) == "system.";
}

CollectionInfo info_from(std::string_view document) {
    const BsonView view(document);
    CollectionInfo info;
    const auto name = view.find("name"), type = view.find("type"), options = view.find("options"),
               uuid = view.at_path("info.uuid");
    if (!name || name->type != BsonType::string)
        throw Failure(Code::server, "server_error", "listCollections answered without a name");
    info.name = std::string(name->text());
    info.type = type && type->type == BsonType::string ? std::string(type->text()) : "collection";
    info.options = options && options->type == BsonType::document ? std::string(options->document()) : BsonBuilder().str();
    // A server that calls its time series collections (SecantusDB from PyPI): the option says what it is.
    const bool mistyped = info.type == "collection" && info.name.substr(0, 7) != "system.";
    if (mistyped && BsonView(info.options).find("timeseries")) info.type = "timeseries";
    if (uuid && uuid->type == BsonType::binary && uuid->value.size() == 4 + 1 + 16)
        info.uuid = std::string(uuid->value.substr(5));
    return info;
}

std::string without_ns(std::string_view index) {
    BsonBuilder kept;
    for (const BsonField& field : BsonView(index))
        if (field.key != "ns") kept.field(field);
    return kept.str();
}

std::vector<std::string> list_indexes(Client& client, const std::string& database, const std::string& name) {
    std::vector<std::string> indexes;
    const std::string command = BsonBuilder().add("listIndexes", name).doc("cursor", BsonBuilder().str()).str();
    try {
        for_each_result(client, database, command,
                        [&indexes](std::string_view index) { indexes.push_back(without_ns(index)); });
    } catch (const Failure& failure) {
        // Dropped since it was listed: whoever compares two lists will see it.
        if (failure.origin != Origin::server || failure.origin_code != kNamespaceNotFound) throw;
        indexes.clear();
    }
    return indexes;
}

// Of the collections of a database that are sharded now, by name. Without the right to read it nobody tells.
std::map<std::string, std::string> shard_keys(Client& client, const std::string& database) {
    std::map<std::string, std::string> keys;
    if (!client.server().mongos) return keys;
    const std::string from = database + ".", to = database + "/";  // the character after the dot
    const std::string range = BsonBuilder().add("$gte", std::string_view(from)).add("$lt", std::string_view(to)).str();
    BsonBuilder find;
    find.add("find", "collections").doc("filter", BsonBuilder().doc("_id", range).str());
    try {
        for_each_result(client, "config", find.str(), [&](std::string_view one) {
            const BsonView view(one);
            const auto name = view.find("_id"), key = view.find("key");
            const auto dropped = view.find("dropped"), unsplittable = view.find("unsplittable");
            const bool sharded = key && !(dropped && dropped->truthy()) && !(unsplittable && unsplittable->truthy());
            if (sharded && name && name->type == BsonType::string && name->text().size() > from.size())
                keys.emplace(name->text().substr(from.size()), key->document());
        });
    } catch (const Failure& failure) {
        if (failure.origin != Origin::server && failure.code != Code::denied) throw;
    }
    return keys;
}

std::vector<CollectionInfo> list(Client& client, const std::string& database, const std::string& filter, bool with_indexes) {
    BsonBuilder command;
    command.add("listCollections", 1);
    if (!filter.empty()) command.doc("filter", filter);
    command.doc("cursor", BsonBuilder().str());
    std::vector<CollectionInfo> found;
    for_each_result(client, database, command.str(), [&found](std::string_view one) { found.push_back(info_from(one)); });
    if (!with_indexes) return found;
    const auto keys = shard_keys(client, database);
    for (CollectionInfo& info : found)
        if (const auto key = keys.find(info.name); key != keys.end()) info.shard_key = key->second;
    for (CollectionInfo& info : found)
        if (info.type != "view" && info.name.substr(0, 7) != "system.")
            info.indexes = list_indexes(client, database, info.name);
    return found;
}

std::int64_t whole(const BsonView& view, std::string_view key) {
    const auto field = view.find(key);
    return field && field->is_number() ? static_cast<std::int64_t>(field->number()) : -1;
}

}  // namespace

bool CollectionInfo::operator==(const CollectionInfo& other) const {
    return name == other.name && type == other.type && options == other.options && uuid == other.uuid &&
           indexes == other.indexes && shard_key == other.shard_key;
}

std::vector<CollectionInfo> list_collections(Client& client, const std::string& database, bool with_indexes, bool system_js) {
    std::vector<CollectionInfo> found = list(client, database, {}, with_indexes);
    found.erase(
        std::remove_if(found.begin(), found.end(), [=](const CollectionInfo& info) { return left_out(info.name, system_js); }),
        found.end());
    std::sort(found.begin(), found.end(), [](const CollectionInfo& a, const CollectionInfo& b) { return a.name < b.name; });
    return found;
}

std::optional<CollectionInfo> find_collection(Client& client, const std::string& database, const std::string& name,
                                              bool with_indexes) {
    for (CollectionInfo& info : list(client, database, BsonBuilder().add("name", name).str(), with_indexes))
        if (info.name == name) return std::move(info);
    return std::nullopt;
}

bool database_exists(Client& client, const std::string& database) { return !list(client, database, {}, false).empty(); }

std::int64_t count_up_to(Client& client, const std::string& database, const std::string& name, std::int64_t limit) {
    const std::string command = BsonBuilder()
                                    .add("find", name)
                                    .doc("projection", BsonBuilder().add("_id", 1).str())
                                    .add("limit", std::max<std::int64_t>(limit, 1))
                                    .str();
    std::int64_t seen = 0;
    for_each_result(client, database, command, [&seen](std::string_view) { ++seen; });
    return seen;
}

bool collection_empty(Client& client, const std::string& database, const std::string& name) {
    return count_up_to(client, database, name, 1) == 0;
}

DatabaseSize database_size(Client& client, const std::string& database) {
    DatabaseSize size;
    try {
        const std::string reply = client.command(database, BsonBuilder().add("dbStats", 1).str());
        const BsonView view(reply);
        size.data_bytes = std::max<std::int64_t>(whole(view, "dataSize"), 0);
        size.index_bytes = std::max<std::int64_t>(whole(view, "indexSize"), 0);
        const std::int64_t total = whole(view, "fsTotalSize"), used = whole(view, "fsUsedSize");
        if (total > 0 && used >= 0 && used <= total) size.free_bytes = total - used;
    } catch (const Failure& failure) {
        if (failure.origin != Origin::server)
            throw;  // a server without dbStats, or a user without the right, just does not say
    }
    return size;
}

}  // namespace reprise
