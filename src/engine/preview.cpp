#include "engine/preview.h"

#include <algorithm>
#include <map>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "engine/compare.h"
#include "engine/definition.h"
#include "engine/intent.h"
#include "engine/merge.h"
#include "engine/merge_batch.h"
#include "engine/owner.h"
#include "engine/record.h"
#include "engine/selection.h"

namespace reprise {
namespace {

constexpr std::int64_t kSayEvery = 1000;  // documents between two words on progress

// As an operation finds it, without taking anything.
std::optional<std::string> deployment_of(const Place& place, Client& client) {
    const auto owner = place.foreign_folder ? std::nullopt : owner_for(*place.store, place.database);
    client.server();
    const auto known = read_deployment(client, place.database).value;
    if (owner) check_owner(*owner, place.database, known);
    if (known) return known;
    return owner ? owner->deployment : std::nullopt;
}

class Preview {
public:
    Preview(const Place& place, const RestoreOptions& options, const Context& context)
        : place_(place), options_(options), context_(context), client_(place.url, *context.cancel, place.connect_ms) {}

    PreviewResult run() {
        const std::int64_t began_ms = context_.clock->boot_ms();
        result_.file = options_.file;
        result_.database = place_.database;
        const IntentQuestion question{place_, options_, deployment_of(place_, client_)};
        say_unfinished();
        intent_ = read_intent(client_, question, context_);
        result_.warnings.insert(result_.warnings.end(), intent_.warnings.begin(), intent_.warnings.end());
        check_intent(client_, question, intent_);
        check_savable();
        for (const auto& entry : intent_.entries) name(entry.name, entry.type).in_backup = true;
        for (const auto& info : intent_.live) name(info.name, info.type);
        for (auto& [key, one] : all_) look_at(one);
        if (merges()) read_merged();
        for (auto& [key, one] : all_) result_.collections.push_back(std::move(one));
        result_.duration_ms = context_.clock->boot_ms() - began_ms;
        return std::move(result_);
    }

private:
    bool merges() const { return options_.mode == RestoreMode::merge; }

    // Every operation settles that first.
    void say_unfinished() {
        const auto record = load_record(client_, place_.database);
        if (record && record->state == "swapping")
            result_.warnings.push_back(
                "a restore of " + printable(record->backup) +
                " was cut off while it swapped and is finished first; this is said of the database as it "
                "stands");
    }

    // The safety backup takes whatever is in the way.
    void check_savable() {
        const auto infos = in_the_way(intent_.plan, options_, intent_.live);
        if (!infos.empty() && !options_.no_safety_backup) (void)select_collections(infos, place_.database, Scope{});
    }

    PreviewedCollection& name(const std::string& name, const std::string& type) {
        PreviewedCollection& one = all_[name];
        one.name = name;
        if (one.type.empty()) one.type = type;
        return one;
    }

    const CollectionInfo* find_live(const std::string& name) const {
        for (const auto& info : intent_.live)
            if (info.name == name) return &info;
        return nullptr;
    }

    void look_at(PreviewedCollection& one) {
        context_.phase("comparing", one.name);
        context_.cancel->check();
        const Target* target = intent_.plan.find(one.name);
        const CollectionInfo* live = find_live(one.name);
        if (target != nullptr && !merges()) return replace(one, *target, live);
        if (live != nullptr && live->type != "view") one.now = count_up_to(client_, place_.database, one.name, kMaxCount);
        if (target != nullptr && !target->is_view()) return begin_merge(one, live);
        if (target != nullptr) result_.warnings.push_back(view_left(one.name));
        if (target == nullptr && options_.exact && !merges()) return drop(one);
        one.after = one.now;
        one.same_documents = one.same_catalog = true;
    }

    static void drop(PreviewedCollection& one) {
        one.action = PreviewAction::drop;
        if (one.now) one.after = 0;
    }

    void replace(PreviewedCollection& one, const Target& target, const CollectionInfo* live) {
        one.action = live == nullptr ? PreviewAction::create : PreviewAction::replace;
        const CollectionSummary* saved = intent_.file.summary.find(one.name);
        if (saved != nullptr && !target.is_view()) one.after = saved->documents;
        if (live == nullptr) return;
        one.same_catalog = same_definition(target, *live);
        if (live->type == "view") {
            one.same_documents = target.is_view();
            return;
        }
        const CollectionSummary now =
            measure_collection(client_, place_.database, one.name, live->type == "timeseries", context_);
        one.now = now.documents;
        one.same_documents = live->type == target.entry.type && saved != nullptr && saved->documents == now.documents &&
                             saved->digest == now.digest;
    }

    // A merge leaves the catalog as it is; the documents are looked at when the file is read again.
    void begin_merge(PreviewedCollection& one, const CollectionInfo* live) {
        one.action = live == nullptr ? PreviewAction::create : PreviewAction::merge;
        one.same_documents = one.same_catalog = live != nullptr;
    }

    void read_merged() {
        std::string name;
        std::string_view document;
        BackupReader& reader = *intent_.reader;
        while (reader.next_collection(name)) {
            const bool wanted = intent_.plan.find(name) != nullptr;
            MergeBatch batch(place_.database, name);
            PreviewedCollection& one = all_[name];
            std::int64_t batches = 0;
            while (reader.next_document(document)) {
                said(name);
                if (!wanted) continue;
                batch.add(document);
                if (!batch.full()) continue;
                add(one, batch);
                ++batches;
            }
            if (!wanted) continue;
            add(one, batch);
            end_merge(one, batches > 0);
        }
        if (reader.sha256() != intent_.file.sha256)
            throw Failure(Code::corrupt, "file_changed",
                          "file " + printable(options_.file) + " changed while it was read; the database is untouched");
    }

    void said(const std::string& collection) {
        if (++progress_.documents % kSayEvery != 0) return;
        context_.cancel->check();
        progress_.phase = "comparing";
        progress_.collection = collection;
        progress_.documents_total = intent_.file.summary.documents;
        context_.progress(progress_);
    }

    void add(PreviewedCollection& one, MergeBatch& batch) {
        const MergeBatch::Found found = batch.compare(client_);
        one.inserted += found.missing;
        one.replaced += static_cast<std::int64_t>(found.changed.size());
        one.unchanged += found.unchanged;
    }

    void end_merge(PreviewedCollection& one, bool many_batches) {
        if (one.inserted > 0 || one.replaced > 0) one.same_documents = false;
        const std::int64_t most = one.now.value_or(0) + one.inserted;
        if (one.inserted > 0 && may_refuse(one, many_batches)) {
            one.at_least = one.now.value_or(0);
            one.at_most = most;
        } else {
            one.after = most;
        }
    }

    // May a document that is missing not be inserted all the same? Those of one cut stood together under the same rules.
    bool may_refuse(const PreviewedCollection& one, bool many_batches) {
        const bool edited = intent_.file.legacy || !intent_.file.edited_from.empty();
        if (edited && many_batches) return true;  // an _id may be there twice
        const CollectionInfo* live = find_live(one.name);
        if (live != nullptr) return has_unique(live->indexes) || BsonView(live->options).find("collation").has_value();
        const Target& target = *intent_.plan.find(one.name);
        const bool strict = !target.indexes.unique.empty() || has_unique(target.indexes.ttl) || target.rules.collation;
        return strict && (edited || intent_.file.consistency != "snapshot");
    }

    const Place& place_;
    const RestoreOptions& options_;
    const Context& context_;
    Client client_;
    Intent intent_;
    std::map<std::string, PreviewedCollection> all_;
    Progress progress_;
    PreviewResult result_;
};

}  // namespace

PreviewResult preview(const Place& place, const RestoreOptions& options, const Context& context) {
    return Preview(place, options, context).run();
}

}  // namespace reprise
