#include "engine/measure.h"

#include <algorithm>

#include "base/failure.h"
#include "codec/json.h"

namespace reprise {
namespace {

constexpr const char* kMeasureKey = "measure";

struct Base {
    std::string id;
    std::int64_t since = 0;
    std::int64_t accepted = 0;  // of the newest backup that a person accepted: losses before it are not missed
};

// One that cannot be read is as good as none: the guard is stricter then, and nothing else is lost.
Base read_base(Store& store) {
    const auto text = store.read_state(kMeasureKey);
    if (!text) return {};
    try {
        const Json json = parse_json(*text);
        const Json* accepted = json.find("accepted");
        return {json.at("id").as_string(), json.at("since").as_int(), accepted != nullptr ? accepted->as_int() : 0};
    } catch (const Failure&) {
        return {};
    }
}

void write_base(Store& store, const Base& base) {
    const Json json = Json::object({{"id", base.id}, {"since", base.since}, {"accepted", base.accepted}});
    store.write_state(kMeasureKey, json.text(2) + "\n");
}

// A good backup of ours that was made before `judged`.
bool counts_before(const ShelfItem& item, const Manifest& judged) {
    if (!item.manifest || item.name.kind != FileKind::backup) return false;
    const Manifest& manifest = *item.manifest;
    if (!is_good(manifest) || !is_own(manifest, judged.database, judged.deployment)) return false;
    return manifest.id != judged.id && manifest.sequence < judged.sequence;
}

bool is_base(const Manifest& manifest, const Base& base) { return !base.id.empty() && manifest.id == base.id; }

void sort_newest_first(std::vector<const Manifest*>& found) {
    std::sort(found.begin(), found.end(), [](const Manifest* a, const Manifest* b) { return older(*b, *a); });
}

// What somebody accepted or brought back on purpose counts whatever it is (a safety backup, a file of another database), but
// only for what was made after that: files from before are judged by those before them, as they were when they were made.
bool measures(const ShelfItem& item, const Base& base, const Manifest& judged) {
    if (!item.manifest || item.manifest->id == judged.id) return false;
    const bool after_base = !base.id.empty() && judged.sequence > base.since;
    if (after_base && is_base(*item.manifest, base)) return true;
    return counts_before(item, judged) && (!after_base || item.manifest->sequence > base.since);
}

}  // namespace

std::vector<const Manifest*> counted_backups(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged) {
    const Base base = read_base(store);
    std::vector<const Manifest*> found;
    if (is_base(judged, base)) return found;  // a person's word is not taken back
    for (const ShelfItem& item : shelf)
        if (measures(item, base, judged)) found.push_back(&*item.manifest);
    sort_newest_first(found);
    return found;
}

void reset_measure(Store& store, const Manifest& manifest, std::int64_t since) {
    write_base(store, {manifest.id, since, read_base(store).accepted});
}

void accept_measure(Store& store, const Manifest& manifest) {
    write_base(store, {manifest.id, manifest.sequence, manifest.sequence});
}

std::vector<const Manifest*> missed_backups(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged) {
    const Base base = read_base(store);
    std::vector<const Manifest*> found;
    for (const ShelfItem& item : shelf)
        if (counts_before(item, judged) && item.manifest->sequence >= base.accepted) found.push_back(&*item.manifest);
    sort_newest_first(found);
    return found;
}

std::vector<Lost> lost_on_shelf(Store& store, const std::vector<ShelfItem>& shelf, const LostQuestion& question) {
    const Manifest* newest = nullptr;
    for (const ShelfItem& item : shelf) {
        if (!item.manifest || item.name.kind != FileKind::backup || !is_good(*item.manifest)) continue;
        if (!is_own(*item.manifest, question.database, question.deployment)) continue;
        if (newest == nullptr || older(*newest, *item.manifest)) newest = &*item.manifest;
    }
    if (newest == nullptr) return {};
    return find_lost({&question.scope, &newest->summary, missed_backups(store, shelf, *newest), question.may_empty});
}

}  // namespace reprise
