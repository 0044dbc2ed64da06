#include "engine/staged.h"

#include <algorithm>

#include "engine/compare.h"
#include "engine/timeseries.h"
#include "format/names.h"

namespace reprise {
namespace {

constexpr std::size_t kOwnNameBytes = 17;  // "reprise_", op8, "_"

std::string tail_of(const std::string& name) { return name.substr(std::min(kOwnNameBytes, name.size())); }

bool holds_it(const RenamePlace& place, const SwapStep& step, const CollectionInfo& found) {
    const CollectionSummary now = step.what == "timeseries"
                                      ? measure_wrapped(place.client, place.database, found.name, place.context)
                                      : measure_collection(place.client, place.database, found.name, false, place.context);
    return now.documents == step.documents && now.digest == step.digest;
}

}  // namespace

std::optional<CollectionInfo> staged_source(const RenamePlace& place, const RestoreRecord& record, const SwapStep& step,
                                            const std::vector<CollectionInfo>& all) {
    const std::string tail = tail_of(step.staging);
    if (tail.empty()) return std::nullopt;
    std::vector<CollectionInfo> named;
    for (const auto& found : all) {
        if (!is_own_collection(found.name)) continue;
        if (!record.names_decide && !found.uuid.empty() && found.uuid == step.source_uuid) return found;
        if (record.names_decide && tail_of(found.name) == tail) named.push_back(found);
    }
    if (named.empty()) return std::nullopt;
    if (named.size() == 1) return named.front();
    const auto right = std::find_if(named.begin(), named.end(), [&](const auto& one) { return holds_it(place, step, one); });
    return right == named.end() ? std::nullopt : std::optional<CollectionInfo>(*right);
}

}  // namespace reprise
