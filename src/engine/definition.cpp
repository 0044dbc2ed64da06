#include "engine/definition.h"

#include <algorithm>
#include <cmath>

#include "base/bson.h"
#include "base/failure.h"

namespace reprise {
namespace {

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53

bool is_whole_number(const BsonField& field) {
    return field.is_number() && std::abs(field.number()) < kLargestWhole && field.number() == std::floor(field.number());
}

// Top-level fields by their names; the key of an index and what is inside an option keep their order, which means something.
std::string in_order(std::string_view document) {
    std::vector<BsonField> fields;
    for (const auto& field : BsonView(document)) fields.push_back(field);
    std::sort(fields.begin(), fields.end(), [](const BsonField& a, const BsonField& b) { return a.key < b.key; });
    BsonBuilder out;
    for (const auto& field : fields) {
        if (field.key == "expireAfterSeconds" && is_whole_number(field))
            out.add(field.key, static_cast<std::int64_t>(field.number()));
        else
            out.field(field);
    }
    return out.str();
}

void add(std::vector<std::string>& out, const std::vector<std::string>& indexes) {
    for (const auto& index : indexes) out.push_back(in_order(index));
}

std::vector<std::string> sorted(const IndexRules& rules, const std::vector<std::string>& kept) {
    std::vector<std::string> out;
    for (const auto* group : {&rules.plain, &rules.unique, &rules.ttl_real, &kept}) add(out, *group);
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace

bool same_definition(const Target& target, const CollectionInfo& live) {
    if (target.entry.type != live.type) return false;
    try {
        const CreateRules rules = create_rules(live.type, live.name, live.options);
        if (in_order(rules.options_with_expiry) != in_order(target.rules.options_with_expiry)) return false;
        if (target.is_view()) return true;
        return sorted(index_rules(live.name, live.indexes, rules), {}) == sorted(target.indexes, target.kept_indexes);
    } catch (const Failure&) {
        return false;  // the live one has what no backup of this version can hold
    }
}

bool has_unique(const std::vector<std::string>& indexes) {
    return std::any_of(indexes.begin(), indexes.end(), [](const std::string& index) {
        const auto unique = BsonView(index).find("unique");
        const auto clustered = BsonView(index).find("clustered");
        return unique && unique->truthy() && !(clustered && clustered->truthy()) && index_name(index) != "_id_";
    });
}

}  // namespace reprise
