#include "engine/plan.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "format/names.h"

namespace reprise {
namespace {

const CollectionInfo* find_live(const std::vector<CollectionInfo>& live, const std::string& name) {
    for (const auto& one : live)
        if (one.name == name) return &one;
    return nullptr;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

void check_known(const std::vector<std::string>& wanted, const std::vector<std::string>& names) {
    for (const auto& name : wanted)
        if (!has(names, name))
            throw Failure(Code::not_found, "collection_missing", "the backup holds no collection " + printable(name));
}

// Indexes of the live collection whose name and key the backup does not have.
std::vector<std::string> missing_indexes(const CollectionInfo& live, const std::vector<std::string>& known) {
    std::vector<std::string> out;
    for (const auto& index : live.indexes) {
        const bool there = std::any_of(known.begin(), known.end(), [&](const std::string& one) {
            return index_name(one) == index_name(index) || index_key(one) == index_key(index);
        });
        if (!there) out.push_back(index);
    }
    return out;
}

Target make_target(const CatalogEntry& entry, const CollectionInfo* live, const RestoreOptions& options, bool legacy) {
    Target target;
    target.entry = entry;
    const bool ordinary = live != nullptr && live->type == "collection" && entry.type == "collection";
    if (legacy && ordinary) target.entry.options = live->options;
    target.rules = create_rules(entry.type, entry.name, target.entry.options);
    if (target.is_view()) return target;
    target.indexes = index_rules(entry.name, target.entry.indexes, target.rules);
    if (!ordinary || !(legacy || options.startup)) return target;
    const IndexRules kept = index_rules(entry.name, missing_indexes(*live, target.entry.indexes), target.rules);
    for (const auto* group : {&kept.plain, &kept.unique, &kept.ttl_real})
        target.kept_indexes.insert(target.kept_indexes.end(), group->begin(), group->end());
    return target;
}

std::string view_on(const Target& target) {
    const auto on = BsonView(target.entry.options).find("viewOn");
    return on && on->type == BsonType::string ? std::string(on->text()) : std::string();
}

}  // namespace

Target* Plan::find(const std::string& name) {
    for (auto& target : targets)
        if (target.entry.name == name) return &target;
    return nullptr;
}

bool selected(const RestoreOptions& options, const std::string& name) {
    return (options.include.empty() || has(options.include, name)) && !has(options.exclude, name);
}

void check_lists(const RestoreOptions& options, const std::vector<std::string>& names) {
    check_known(options.include, names);
    check_known(options.exclude, names);
}

Plan make_plan(const std::vector<CatalogEntry>& entries, const std::vector<CollectionInfo>& live, const RestoreOptions& options,
               bool legacy) {
    Plan plan;
    plan.legacy = legacy;
    for (const auto& entry : entries) {
        if (!selected(options, entry.name)) continue;
        plan.targets.push_back(make_target(entry, find_live(live, entry.name), options, legacy));
        const auto& notes = plan.targets.back().indexes.warnings;
        plan.warnings.insert(plan.warnings.end(), notes.begin(), notes.end());
    }
    order_views(plan.targets);
    return plan;
}

void order_views(std::vector<Target>& targets) {
    std::vector<Target> out, waiting;
    for (auto& target : targets) (target.is_view() ? waiting : out).push_back(std::move(target));
    while (!waiting.empty()) {
        const auto ready = std::find_if(waiting.begin(), waiting.end(), [&](const Target& view) {
            const std::string on = view_on(view);
            return std::none_of(waiting.begin(), waiting.end(),
                                [&](const Target& other) { return &other != &view && other.entry.name == on; });
        });
        const auto next = ready == waiting.end() ? waiting.begin() : ready;
        out.push_back(std::move(*next));
        waiting.erase(next);
    }
    targets = std::move(out);
}

std::vector<CollectionInfo> in_the_way(const Plan& plan, const RestoreOptions& options,
                                       const std::vector<CollectionInfo>& live) {
    std::vector<CollectionInfo> out;
    for (const auto& one : live) {
        const bool ours =
            std::any_of(plan.targets.begin(), plan.targets.end(), [&](const Target& t) { return t.entry.name == one.name; });
        if (ours || options.exact) out.push_back(one);
    }
    return out;
}

std::vector<CollectionInfo> user_collections(Client& client, const std::string& database) {
    std::vector<CollectionInfo> out;
    for (auto& one : list_collections(client, database, true))
        if (!is_own_collection(one.name)) out.push_back(std::move(one));
    return out;
}

}  // namespace reprise
