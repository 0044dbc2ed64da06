#include "engine/empty_rule.h"

#include <algorithm>

#include "base/text.h"
#include "format/names.h"
#include "mongo/catalog.h"

namespace reprise {
namespace {

bool holds_data(const CollectionInfo& info) { return info.type != "view" && !is_own_collection(info.name); }

bool named(const EmptyRule& rule, const std::string& name) {
    return std::find(rule.collections.begin(), rule.collections.end(), name) != rule.collections.end();
}

std::vector<std::string> counted(Client& client, const std::string& database, const EmptyRule& rule) {
    if (!rule.whole_database()) return rule.collections;
    std::vector<std::string> names;
    for (const auto& info : list_collections(client, database, false))
        if (holds_data(info)) names.push_back(info.name);
    return names;
}

}  // namespace

bool says_empty(Client& client, const std::string& database, const EmptyRule& rule) {
    std::int64_t missing = rule.minimum;
    for (const auto& name : counted(client, database, rule)) {
        missing -= count_up_to(client, database, name, missing);
        if (missing <= 0) return false;
    }
    return true;
}

bool rest_is_empty(Client& client, const std::string& database, const EmptyRule& rule) {
    if (rule.whole_database()) return true;
    const auto all = list_collections(client, database, false);
    return std::none_of(all.begin(), all.end(), [&](const CollectionInfo& info) {
        return holds_data(info) && !named(rule, info.name) && !collection_empty(client, database, info.name);
    });
}

bool says_empty(const Summary& summary, const EmptyRule& rule) {
    if (rule.whole_database()) return summary.documents < rule.minimum;
    std::int64_t documents = 0;
    for (const auto& [name, collection] : summary.collections)
        if (named(rule, name)) documents += collection.documents;
    return documents < rule.minimum;
}

std::string what_counts(const EmptyRule& rule) {
    if (rule.whole_database()) return "the database";
    std::string names;
    for (const auto& name : rule.collections) names += (names.empty() ? "" : ", ") + printable(name);
    return (rule.collections.size() == 1 ? "collection " : "collections ") + names;
}

std::string too_few(const EmptyRule& rule) {
    return rule.minimum <= 1 ? "no documents" : "fewer than " + std::to_string(rule.minimum) + " documents";
}

}  // namespace reprise
