#include "format/model.h"

#include <algorithm>

namespace reprise {

bool Scope::selects(const std::string& collection) const {
    const auto holds = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), collection) != names.end();
    };
    return (include.empty() || holds(include)) && !holds(exclude);
}

const CollectionSummary* Summary::find(const std::string& collection) const {
    for (const auto& [name, summary] : collections)
        if (name == collection) return &summary;
    return nullptr;
}

}  // namespace reprise
