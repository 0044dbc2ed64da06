#include "engine/selection.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "format/names.h"

namespace reprise {
namespace {

constexpr std::string_view kEncryptionState = "enxcol_.";

template <typename Items, typename Name>
auto find_named(const Items& items, const Name& name) {
    return std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == name; });
}

void check_included(const std::vector<CollectionInfo>& listed, const std::string& database, const Scope& scope) {
    for (const std::string& name : scope.include) {
        if (find_named(listed, name) != listed.end() && !is_own_collection(name)) continue;
        throw Failure(Code::not_found, "collection_missing",
                      "database " + printable(database) + " has no collection " + printable(name) +
                          "; correct the list of included names");
    }
}

void check_savable(const CollectionInfo& info, const std::string& database) {
    const bool state = info.name.compare(0, kEncryptionState.size(), kEncryptionState) == 0;
    if (state || BsonView(info.options).find("encryptedFields"))
        throw Failure(
            Code::unsupported, "collection_encrypted",
            "collection " + printable(info.name) + " uses queryable encryption, which a backup cannot keep; exclude it");
    if (info.name == "system.js") return;
    if (const auto problem = collection_name_problem(database, info.name))
        throw Failure(Code::unsupported, "collection_name_invalid",
                      "collection " + printable(info.name) + " could not be restored: " + *problem + "; rename or exclude it");
}

const char* why_skipped(const std::string& name, const Scope& scope) {
    const auto& names = scope.exclude;
    return std::find(names.begin(), names.end(), name) != names.end() ? "excluded" : "not_included";
}

bool has_id_index(const CollectionInfo& info) {
    return std::any_of(info.indexes.begin(), info.indexes.end(), [](const std::string& index) {
        const auto name = BsonView(index).find("name");
        return name && name->type == BsonType::string && name->text() == "_id_";
    });
}

}  // namespace

Selection select_collections(const std::vector<CollectionInfo>& listed, const std::string& database, const Scope& scope) {
    Selection selection;
    bool any = false;
    for (const CollectionInfo& info : listed) any = any || !is_own_collection(info.name);
    if (!any)
        throw Failure(Code::not_found, "database_missing",
                      "database " + printable(database) + " holds no collection; check its name and the server");
    check_included(listed, database, scope);
    for (const CollectionInfo& info : listed) {
        if (is_own_collection(info.name)) continue;
        if (!scope.selects(info.name)) {
            selection.skipped.emplace_back(info.name, why_skipped(info.name, scope));
            continue;
        }
        check_savable(info, database);
        selection.saved.push_back(info);
    }
    return selection;
}

Order read_order(const CollectionInfo& info) {
    if (info.type == "timeseries") return Order::natural;
    const BsonView options(info.options);
    const auto capped = options.find("capped");
    if ((capped && capped->truthy()) || options.find("clusteredIndex") || !has_id_index(info)) return Order::natural;
    return Order::by_id;
}

const CollectionInfo* first_changed(const std::vector<CollectionInfo>& saved, const std::vector<CollectionInfo>& now) {
    for (const CollectionInfo& before : saved) {
        const auto after = find_named(now, before.name);
        if (after == now.end() || !(*after == before)) return &before;
    }
    return nullptr;
}

std::vector<CatalogEntry> catalog_of(const std::vector<CollectionInfo>& saved) {
    std::vector<CatalogEntry> catalog;
    for (const CollectionInfo& info : saved)
        catalog.push_back({info.name, info.type, info.options, info.indexes, info.shard_key});
    return catalog;
}

}  // namespace reprise
