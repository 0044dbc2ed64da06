#include "engine/safety.h"

#include <algorithm>
#include <functional>

#include "base/failure.h"
#include "base/text.h"
#include "engine/compare.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "engine/snapshot.h"
#include "engine/verify.h"
#include "format/names.h"
#include "format/reader.h"

namespace reprise {
namespace {

constexpr int kMaxBackups = 3;  // tries of one safety backup while collections come and go

bool holds_documents(const CollectionInfo& info) { return info.type != "view"; }

std::vector<SavedCollection> measure_all(Operation& operation, const SafetyWish& wish,
                                         const std::vector<CollectionInfo>& infos) {
    std::vector<SavedCollection> out;
    for (const auto& info : infos) {
        wish.context.phase("safety", info.name);
        SavedCollection one{info, {}};
        if (holds_documents(info))
            one.summary =
                measure_collection(operation.client(), wish.place.database, info.name, info.type == "timeseries", wish.context);
        out.push_back(std::move(one));
    }
    return out;
}

bool all_empty(Operation& operation, const Place& place, const std::vector<CollectionInfo>& infos) {
    return std::all_of(infos.begin(), infos.end(), [&](const CollectionInfo& info) {
        return !holds_documents(info) || collection_empty(operation.client(), place.database, info.name);
    });
}

bool same_definition(const CatalogEntry& entry, const CollectionInfo& info) {
    return entry.type == info.type && entry.options == info.options && entry.indexes == info.indexes;
}

// Does the file define each of them as it is live? The catalog stands before all documents, so this reads little.
bool defines(const SafetyWish& wish, const std::string& file, const std::vector<SavedCollection>& live) {
    const auto blob = wish.place.store->open(file);
    BackupReader reader(*blob, file, read_options(wish.context));
    return std::all_of(live.begin(), live.end(), [&](const SavedCollection& one) {
        return std::any_of(reader.catalog().begin(), reader.catalog().end(), [&](const CatalogEntry& entry) {
            return entry.name == one.info.name && same_definition(entry, one.info);
        });
    });
}

bool holds(const Manifest& manifest, const std::vector<SavedCollection>& live) {
    return std::all_of(live.begin(), live.end(), [&](const SavedCollection& one) {
        if (!holds_documents(one.info)) return true;
        const CollectionSummary* saved = manifest.summary.find(one.info.name);
        return saved != nullptr && *saved == one.summary;
    });
}

bool mentions(const Manifest& manifest, const std::vector<CollectionInfo>& live) {
    return std::all_of(live.begin(), live.end(), [&](const CollectionInfo& info) {
        return !holds_documents(info) || manifest.summary.find(info.name) != nullptr;
    });
}

bool reusable(const ShelfItem& item, Operation& operation, const Place& place) {
    if (!item.manifest || item.name.kind != FileKind::before_restore || item.manifest->state != "good") return false;
    if (item.manifest->untrusted) return false;
    return item.manifest->database == place.database && item.manifest->deployment == operation.deployment();
}

// What cannot be opened here is made again.
bool can_open(const std::function<bool()>& look) {
    try {
        return look();
    } catch (const Failure& failure) {
        if (failure.code == Code::denied || failure.code == Code::refused) return false;
        throw;
    }
}

// The newest safety backup, when it holds exactly what is live now.
bool reuse(Operation& operation, const SafetyWish& wish, const std::vector<CollectionInfo>& infos, Safety& safety) {
    Store& store = *wish.place.store;
    for (const auto& item : read_shelf(store, false, wish.context)) {
        if (!reusable(item, operation, wish.place) || !mentions(*item.manifest, infos)) continue;
        auto live = measure_all(operation, wish, infos);
        const std::string& name = item.blob.name;
        if (!holds(*item.manifest, live) || !can_open([&] { return defines(wish, name, live); })) return false;
        if (verify_file(store, name, false, wish.context).manifest.sha256 != item.manifest->sha256) return false;
        safety.file = name;
        safety.sha256 = item.manifest->sha256;
        safety.collections = std::move(live);
        return true;
    }
    return false;
}

BackupOptions safety_options(const std::vector<CollectionInfo>& saved, const std::vector<CollectionInfo>& live) {
    BackupOptions options;
    options.kind = FileKind::before_restore;
    options.label = "before a restore";
    if (saved.size() == live.size()) return options;
    options.scope.is = "partial";
    for (const auto& info : saved) options.scope.include.push_back(info.name);
    return options;
}

void back_up(Operation& operation, const SafetyWish& wish, const Plan& plan, Safety& safety) {
    for (int tries = 1;; ++tries) {
        const auto live = user_collections(operation.client(), wish.place.database);
        const auto infos = in_the_way(plan, wish.options, live);
        try {
            const BackupResult made = backup_within(operation, wish.place, safety_options(infos, live), wish.context);
            safety.file = made.manifest.name;
            safety.sha256 = made.manifest.sha256;
            safety.warnings = made.warnings;
            safety.collections.clear();
            for (const auto& info : infos) {
                const CollectionSummary* summary = made.manifest.summary.find(info.name);
                if (holds_documents(info) && summary == nullptr)
                    throw Failure(Code::busy, "collection_missing",
                                  "collection " + printable(info.name) + " went away while it was saved");
                safety.collections.push_back({info, summary != nullptr ? *summary : CollectionSummary{}});
            }
            return;
        } catch (const Failure& failure) {
            if (failure.reason != "collection_missing" || tries >= kMaxBackups) throw;
        }
    }
}

bool same_objects(const std::vector<CollectionInfo>& now, const Safety& safety) {
    if (now.size() != safety.collections.size()) return false;
    return std::all_of(now.begin(), now.end(), [&](const CollectionInfo& info) {
        const SavedCollection* saved = safety.find(info.name);
        return saved != nullptr && saved->info.uuid == info.uuid && saved->info == info;
    });
}

}  // namespace

const SavedCollection* Safety::find(const std::string& name) const {
    for (const auto& one : collections)
        if (one.info.name == name) return &one;
    return nullptr;
}

Safety take_safety(Operation& operation, const SafetyWish& wish, const Plan& plan) {
    Safety safety;
    const auto infos = in_the_way(plan, wish.options, user_collections(operation.client(), wish.place.database));
    if (infos.empty()) return safety;
    const bool nothing_to_save = wish.options.startup && all_empty(operation, wish.place, infos);
    if (wish.options.no_safety_backup || nothing_to_save) {
        safety.collections = measure_all(operation, wish, infos);
        return safety;
    }
    if (!reuse(operation, wish, infos, safety)) back_up(operation, wish, plan, safety);
    return safety;
}

bool still_as_saved(Operation& operation, const SafetyWish& wish, const Plan& plan, const Safety& safety) {
    const auto now = in_the_way(plan, wish.options, user_collections(operation.client(), wish.place.database));
    if (!same_objects(now, safety)) return false;
    const auto live = measure_all(operation, wish, now);
    return std::all_of(live.begin(), live.end(), [&](const SavedCollection& one) {
        return !holds_documents(one.info) || one.summary == safety.find(one.info.name)->summary;
    });
}

void check_still_empty(Operation& operation, const SafetyWish& wish) {
    if (wish.options.lost && !says_empty(operation.client(), wish.place.database, *wish.options.lost))
        throw Failure(Code::busy, "database_changing",
                      what_counts(*wish.options.lost) + " was empty by the rule and is not any more; nothing was restored");
    for (const auto& name : wish.options.expected_empty)
        if (!collection_empty(operation.client(), wish.place.database, name))
            throw Failure(Code::busy, "database_changing",
                          "collection " + printable(name) + " was empty and is not any more; nothing was restored");
}

}  // namespace reprise
