#include "engine/remains.h"

#include <algorithm>

#include "base/step.h"
#include "base/text.h"
#include "engine/compare.h"
#include "engine/record.h"
#include "engine/shelf.h"
#include "engine/verify.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr int kMaxSafetyFiles = 10;  // the newest; each is read whole when its manifest promises the content
constexpr std::size_t kKindAt = 17;  // behind "reprise_", op8, "_"
constexpr int kMaxMeasures = 30;
constexpr std::int64_t kRestMs = 200;  // between two measures
constexpr int kMaxKept = 1000;         // under one name

bool promises(const ShelfItem& item, const std::string& database, const CollectionSummary& wanted) {
    if (!item.manifest || item.name.kind != FileKind::before_restore || item.manifest->database != database) return false;
    const auto& held = item.manifest->summary.collections;
    return std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.second == wanted; });
}

// Is the content in a safety backup that is whole now, whatever it calls the collection?
bool is_in_a_safety_backup(const RenamePlace& place, Store& store, const CollectionSummary& wanted) {
    int looked = 0;
    for (const auto& item : read_shelf(store, false, place.context)) {
        if (!promises(item, place.database, wanted)) continue;
        try {
            const Manifest whole = verify_file(store, item.blob.name, false, place.context).manifest;
            if (whole.sha256 == item.manifest->sha256) return true;
        } catch (const Failure& failure) {
            if (failure.code == Code::cancelled) throw;
        }
        if (++looked >= kMaxSafetyFiles) break;
    }
    return false;
}

// False when it stays.
bool drop_when_saved(const RenamePlace& place, Store& store, const CollectionInfo& found) {
    const auto saved = [&](const CollectionSummary& now) { return is_in_a_safety_backup(place, store, now); };
    const auto now = measure_at_rest(place, found.name, saved);
    if (!now) return true;
    if (now->documents > 0 && !saved(*now)) return false;
    place.check();
    REPRISE_STEP("restore.drop_remains.before");
    drop_collection(place.client, place.database, found.name);
    REPRISE_STEP("restore.drop_remains.after");
    return true;
}

}  // namespace

std::optional<CollectionSummary> measure_at_rest(const RenamePlace& place, const std::string& name,
                                                 const std::function<bool(const CollectionSummary&)>& known) {
    std::optional<CollectionSummary> before;
    for (int tries = 1;; ++tries) {
        std::optional<CollectionSummary> now;
        try {
            now = measure_collection(place.client, place.database, name, false, place.context);
        } catch (const Failure& failure) {
            if (failure.origin != Origin::server || tries >= kMaxMeasures) throw;  // a cursor over what goes away ends so
        }
        if (now && now->documents > 0 && known(*now)) return now;
        if (!find_collection(place.client, place.database, name, false)) return std::nullopt;
        if (now && ((before && *before == *now) || tries >= kMaxMeasures)) return now;
        before = now;
        if (place.context.cancel->wait_ms(kRestMs)) place.context.cancel->check();
    }
}

std::string set_apart(const RenamePlace& place, const CollectionInfo& found) {
    std::string wanted = found.name;
    wanted[kKindAt] = 'k';
    std::string name = wanted;
    for (int number = 2; find_collection(place.client, place.database, name, false); ++number) {
        if (number > kMaxKept)
            throw Failure(Code::busy, "name_contended",
                          "too many collections are kept as " + printable(wanted) + "; drop some");
        name = wanted + "_" + std::to_string(number);
    }
    rename_surely(place, found, name);
    return name;
}

std::vector<std::string> tidy_remains(const RenamePlace& place, Store& store) {
    std::vector<std::string> notes;
    for (const auto& found : list_collections(place.client, place.database, false)) {
        std::string name = found.name;
        if (retired_step(name)) {
            if (drop_when_saved(place, store, found)) continue;
            name = set_apart(place, found);
        }
        if (is_kept_name(name))
            notes.push_back("collection " + printable(name) +
                            " holds data of an earlier restore that is in no safety backup; look at it, then drop it");
    }
    return notes;
}

}  // namespace reprise
