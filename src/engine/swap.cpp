#include "engine/swap.h"

#include <algorithm>
#include <set>

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/compare.h"
#include "engine/copy.h"
#include "engine/remains.h"
#include "engine/rename.h"
#include "engine/rules.h"
#include "engine/staged.h"
#include "engine/timeseries.h"
#include "engine/verify.h"
#include "format/names.h"
#include "mongo/catalog.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr int kMaxTries = 20;              // of one rename, writers and index builds in the way included
constexpr std::size_t kMaxRetired = 1000;  // collections retired from under one name
constexpr int kMaxRounds = 3;              // of putting back what a dead process's last command carried away
constexpr int kMaxCopies = 3;              // of one time series that is still written to
constexpr std::int64_t kPauseMs = 100;

bool same_documents(const CollectionSummary& a, const CollectionSummary& b) {
    return a.documents == b.documents && a.bson_bytes == b.bson_bytes && a.digest == b.digest;
}

class Swap {
public:
    Swap(const SwapPlace& place, RestoreRecord record) : place_(place), record_(std::move(record)) {}

    SwapOutcome run() {
        const std::int64_t began_ms = place_.context.clock->boot_ms();
        for (const char* what : {"exact", "rename", "timeseries"}) each(what);
        drop_old_views();
        each("view");
        outcome_.swapped_ms = place_.context.clock->boot_ms() - began_ms;
        each("ttl");
        for (int rounds = 1; rounds <= kMaxRounds; ++rounds) {
            finish_retired();
            if (!carried_away()) break;
            each("rename");
        }
        place_.check();
        if (!remove_record(client(), database(), record_))
            throw Failure(Code::busy, "lease_lost", "another operation took this restore over and finishes it");
        drop_staging();
        return std::move(outcome_);
    }

private:
    Client& client() { return place_.client; }
    const std::string& database() const { return place_.database; }

    void each(const std::string& what) {
        for (std::size_t i = 0; i < record_.steps.size(); ++i) {
            if (record_.steps[i].what != what) continue;
            place_.context.phase("swapping", record_.steps[i].target);
            take(i);
        }
    }

    // What is known to be done is not looked at again: what somebody does to it afterwards is not ours to undo. Restored data
    // in our own namespace are another matter: a dead process's command carried them away.
    void take(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        if (step.done && (step.what != "rename" || record_.names_decide || !staged(step))) return;
        take_once(i);
        place_.check();
        if (!step.done) mark_step_done(client(), database(), record_, i);
    }

    void take_once(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        if (step.what == "exact")
            take_exact(i);
        else if (step.what == "rename")
            take_rename(i);
        else if (step.what == "timeseries")
            take_time_series(i);
        else if (step.what == "view")
            take_view(i);
        else if (step.what == "ttl")
            take_ttl(step);
    }

    std::optional<CollectionInfo> live(const std::string& name) { return find_collection(client(), database(), name, false); }

    RenamePlace naming() { return {client(), database(), place_.context, place_.check}; }

    std::optional<CollectionInfo> staged(const SwapStep& step) {
        return staged_source(naming(), record_, step, list_collections(client(), database(), false));
    }

    bool is_in_place(const SwapStep& step, const std::optional<CollectionInfo>& found) {
        if (!found || found->type != "collection") return false;
        if (!record_.names_decide) return found->uuid == step.source_uuid;
        return found->uuid != step.expected_uuid && !staged(step);
    }

    // nullopt, with a warning, when it is neither there nor in place and a person said to go on. Nothing can be swapped in
    // then, so nothing is taken away.
    std::optional<CollectionInfo> need_staged(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        if (auto found = staged(step)) return found;
        if (!place_.abandon_unfinished)
            throw Failure(Code::corrupt, "staging_missing",
                          "collection " + printable(step.target) + " was removed while its restore from the file " +
                              printable(record_.backup) + " was unfinished; restore a file with abandon_unfinished to go on");
        abandoned_.insert(i);
        outcome_.warnings.push_back("collection " + printable(step.target) + " was removed while its restore from the file " +
                                    printable(record_.backup) + " was unfinished: it is left as it is");
        return std::nullopt;
    }

    // Runs `attempt` until it says that it is done; what passes by itself is waited for, within a bound.
    void persist(const std::string& target, const std::function<bool()>& attempt) {
        for (int tries = 1;; ++tries) {
            try {
                if (attempt()) return;
            } catch (const Failure& failure) {
                if (tries >= kMaxTries && failure.origin_code == kNamespaceExists) throw contended(target, "create collection");
                if (tries >= kMaxTries || !passes_by_itself(failure)) throw;
                if (failure.origin_code == kMaxTimeExpired) bound_ms_ = std::min(bound_ms_ * 2, kMaxRenameMs);
                place_.context.cancel->wait_ms(kPauseMs * tries);
            }
            if (tries >= kMaxTries) throw contended(target, "create collection");
        }
    }

    static Failure contended(const std::string& name, const char* doing) {
        return Failure(Code::busy, "name_contended",
                       std::string("writers go on to ") + doing + " " + printable(name) +
                           "; stop them, the next operation finishes the restore");
    }

    void retire(std::size_t i, const CollectionInfo& found) {
        std::size_t number = 0;
        while (live(retired_name(record_.op, i, number)))
            if (++number >= kMaxRetired)
                throw Failure(Code::busy, "name_contended",
                              "too many collections were recreated under " + printable(found.name));
        place_.check();
        REPRISE_STEP("restore.retire.before");
        rename_collection(client(), database(), found.name, retired_name(record_.op, i, number), found.uuid, bound_ms_);
        REPRISE_STEP("restore.retire.after");
    }

    // Frees a live name without losing what is under it.
    void clear_way(std::size_t i, const CollectionInfo& found) {
        if (found.type == "collection") return retire(i, found);
        if (found.type == "timeseries") return drop_time_series(record_.steps[i], found.name);
        drop_view(record_.steps[i]);
    }

    // A view has no UUID to be told by. Who was stopped before this and wakes after a successor made the new one puts that
    // back.
    void drop_view(const SwapStep& step) {
        place_.check();
        REPRISE_STEP("restore.drop_view.before");
        drop_collection(client(), database(), step.target);
        REPRISE_STEP("restore.drop_view.after");
        try {
            place_.check();
        } catch (const Failure&) {
            if (step.what == "view" && !live(step.target)) create_collection(client(), database(), step.target, step.options);
            throw;
        }
    }

    // The one exception to retiring: it cannot be renamed, so it must be in the safety backup, or is saved now.
    void drop_time_series(const SwapStep& step, const std::string& name) {
        safety_is_whole();  // read before the measuring, not between it and the drop
        std::optional<CollectionSummary> copy;
        for (int copies = 0;; ++copies) {
            const CollectionSummary now = measure_collection(client(), database(), name, true, place_.context);
            const bool ours = step.what == "timeseries" && now.documents == step.documents && now.digest == step.digest;
            if (now.documents == 0 || ours || is_saved(step, now) || (copy && same_documents(*copy, now))) break;
            if (copies == kMaxCopies) throw contended(name, "write to time series");
            copy = keep_copy({name, name, place_.packing});
        }
        place_.check();
        REPRISE_STEP("restore.drop_time_series.before");
        drop_collection(client(), database(), name);
        REPRISE_STEP("restore.drop_time_series.after");
    }

    void take_exact(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        persist(step.target, [&] {
            const auto found = live(step.target);
            // Another UUID: somebody made the name anew after it was retired; that is not ours to take away.
            if (!found || (found->type == "collection" && found->uuid != step.expected_uuid)) return true;
            clear_way(i, *found);
            return true;
        });
    }

    void take_rename(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        std::optional<std::string> options;  // of the collection before it was renamed
        persist(step.target, [&] {
            const auto found = live(step.target);
            if (is_in_place(step, found)) {
                if (options && *options != found->options)
                    outcome_.warnings.push_back("the server did not keep the options of collection " + printable(step.target) +
                                                " when it was renamed; they are in the backup's catalog");
                return true;
            }
            const auto source = need_staged(i);
            if (!source) return true;
            options = source->options;
            if (found) clear_way(i, *found);
            place_.check();
            REPRISE_STEP("restore.rename.before");
            rename_collection(client(), database(), source->name, step.target, source->uuid, bound_ms_);
            REPRISE_STEP("restore.rename.after");
            return false;  // looks again: what the server says decides, not that the command returned
        });
    }

    void take_time_series(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        const auto found = live(step.target);
        if (found && found->type == "timeseries") {
            const CollectionSummary now = measure_collection(client(), database(), step.target, true, place_.context);
            if (now.documents == step.documents && now.digest == step.digest && same_definition(step, *found))
                return finish_time_series(step);
        }
        const auto source = need_staged(i);
        if (!source) return;
        if (found) clear_way(i, *found);
        place_.check();
        REPRISE_STEP("restore.time_series_create.before");
        create_collection(client(), database(), step.target, without_field(step.options, "expireAfterSeconds"));
        REPRISE_STEP("restore.time_series_create.after");
        unwrap_into(client(), database(), {source->name, step.target}, place_.check);
        REPRISE_STEP("restore.time_series_fill.after");
        const CollectionSummary now = measure_collection(client(), database(), step.target, true, place_.context);
        if (now.documents < step.documents)
            throw Failure(Code::server, "count_mismatch",
                          "time series " + printable(step.target) + " took only " + std::to_string(now.documents) + " of " +
                              std::to_string(step.documents) + " documents; the next operation repeats it");
        if (now.digest != step.digest)
            outcome_.warnings.push_back("time series " + printable(step.target) +
                                        " holds other documents than the backup, as if somebody wrote to it meanwhile");
        finish_time_series(step);
    }

    // Was it made by this restore, or does a live one of the same content have the same shape? Then it may stay.
    bool same_definition(const SwapStep& step, const CollectionInfo& found) {
        const auto wanted = BsonView(step.options).at_path("timeseries.timeField");
        const auto has = BsonView(found.options).at_path("timeseries.timeField");
        const auto wanted_meta = BsonView(step.options).at_path("timeseries.metaField");
        const auto has_meta = BsonView(found.options).at_path("timeseries.metaField");
        if (!wanted || !has || wanted->value != has->value || wanted_meta.has_value() != has_meta.has_value()) return false;
        return found.uuid != step.expected_uuid && (!wanted_meta || wanted_meta->value == has_meta->value);
    }

    void finish_time_series(const SwapStep& step) {
        for (const auto& index : step.indexes) {
            place_.check();
            try {
                create_indexes(client(), database(), step.target, {index});
            } catch (const Failure& failure) {
                if (failure.origin != Origin::server) throw;
                outcome_.warnings.push_back("index " + printable(index_name(index)) + " of time series " +
                                            printable(step.target) + " could not be built: " + failure.message);
            }
        }
    }

    bool right_view_stands(const SwapStep& step, const CollectionInfo& found) {
        if (found.type != "view") return false;
        const BsonView wanted(step.options), has(found.options);
        for (const char* key : {"viewOn", "pipeline", "collation"}) {
            const auto a = wanted.find(key), b = has.find(key);
            if (a.has_value() != b.has_value() || (a && (a->type != b->type || a->value != b->value))) return false;
        }
        return true;
    }

    void drop_old_views() {
        for (std::size_t i = record_.steps.size(); i-- > 0;) {
            const SwapStep& step = record_.steps[i];
            if (step.what != "view" || step.done) continue;
            persist(step.target, [&] {
                const auto found = live(step.target);  // at every try: an answer may be lost and the name taken anew
                if (found && !right_view_stands(step, *found)) clear_way(i, *found);
                return true;
            });
        }
    }

    void take_view(std::size_t i) {
        const SwapStep& step = record_.steps[i];
        try {
            persist(step.target, [&] {
                const auto found = live(step.target);
                if (found && right_view_stands(step, *found)) return true;
                if (found) clear_way(i, *found);
                place_.check();
                REPRISE_STEP("restore.create_view.before");
                create_collection(client(), database(), step.target, step.options);
                REPRISE_STEP("restore.create_view.after");
                return true;
            });
        } catch (const Failure& failure) {
            const bool of_the_view = failure.origin == Origin::server || failure.reason == "name_contended";
            if (!of_the_view || failure.code == Code::unavailable) throw;
            outcome_.warnings.push_back("view " + printable(step.target) + " could not be created: " + failure.message);
        }
    }

    void take_ttl(const SwapStep& step) {
        place_.check();
        REPRISE_STEP("restore.ttl.before");
        try {
            set_expiry(step);
        } catch (const Failure& failure) {
            if (failure.origin != Origin::server || failure.retryable) throw;
            outcome_.warnings.push_back("the expiry of collection " + printable(step.target) +
                                        " could not be set (role dbAdmin on the database may): " + failure.message);
        }
        REPRISE_STEP("restore.ttl.after");
    }

    void set_expiry(const SwapStep& step) {
        BsonBuilder command;
        command.add("collMod", std::string_view(step.target));
        const std::string& holder = step.index.empty() ? step.options : step.index;
        const auto expiry = BsonView(holder).find("expireAfterSeconds");
        if (!expiry) return;
        if (step.index.empty()) {
            client().command(database(), command.field(*expiry).str(), {Concern::majority});
            return;
        }
        command.doc("index", BsonBuilder().add("name", std::string_view(index_name(step.index))).field(*expiry).str());
        try {
            client().command(database(), command.str(), {Concern::majority});
        } catch (const Failure& failure) {
            if (failure.origin != Origin::server || failure.retryable) throw;
            BsonBuilder drop;
            drop.add("dropIndexes", std::string_view(step.target)).add("index", std::string_view(index_name(step.index)));
            try {
                client().command(database(), drop.str(), {Concern::majority});
            } catch (const Failure& missing) {
                if (missing.origin_code != 27) throw;  // IndexNotFound: a repeated step
            }
            create_indexes(client(), database(), step.target, {step.index});
        }
    }

    // Is what was measured in the safety backup, by the record's word and by a file that is still whole?
    bool is_saved(const SwapStep& step, const CollectionSummary& now) {
        if (!step.saved || !same_documents(*step.saved, now)) return false;
        return record_.unsaved || safety_is_whole();
    }

    bool safety_is_whole() {
        if (!safety_checked_) {
            safety_checked_ = true;
            try {
                safety_whole_ =
                    !record_.safety.empty() &&
                    verify_file(place_.store, record_.safety, false, place_.context, Trust::waive).manifest.sha256 ==
                        record_.safety_sha256;
            } catch (const Failure& failure) {
                if (failure.code == Code::cancelled) throw;
                safety_whole_ = false;
            }
        }
        return safety_whole_;
    }

    CollectionSummary keep_copy(const CopySource& source) {
        place_.context.log(Level::warning, "collection " + printable(source.name) +
                                               " was written to during the restore; it is saved as a copy");
        const Manifest saved = save_copy(client(), database(), source, place_.store, place_.context);
        outcome_.copies.push_back(saved.name);
        const auto* summary = saved.summary.find(source.name);
        return summary == nullptr ? CollectionSummary() : *summary;
    }

    bool is_restored_data(const CollectionInfo& found) const {
        return !found.uuid.empty() && std::any_of(record_.steps.begin(), record_.steps.end(), [&](const SwapStep& step) {
            return step.what == "rename" && step.source_uuid == found.uuid;
        });
    }

    // A command of a process that died may be carried out at any time after its death. On a server that does not look at
    // UUIDs (before 6.0) it may even take the restored collection for the old one.
    bool carried_away() {
        const auto all = list_collections(client(), database(), false);
        return std::any_of(all.begin(), all.end(), [&](const CollectionInfo& found) {
            return is_own_collection(found.name) && is_restored_data(found);
        });
    }

    // Retired by us or by a predecessor, whose last command may have been carried out after its names became ours.
    void finish_retired() {
        for (const auto& found : list_collections(client(), database(), false)) {
            const auto number = retired_step(found.name);
            if (!number || *number >= record_.steps.size() || is_restored_data(found)) continue;
            const SwapStep& step = record_.steps[*number];
            if (abandoned_.count(*number) > 0) {
                outcome_.warnings.push_back("what collection " + printable(step.target) + " was before is in collection " +
                                            set_apart(naming(), found));
                continue;
            }
            const bool named_by_us = found.name.compare(0, 16, staging_name(record_.op, 0), 0, 16) == 0;
            if (named_by_us || record_.names_decide || found.uuid == step.expected_uuid) finish_one(step, found);
        }
    }

    void finish_one(const SwapStep& step, const CollectionInfo& found) {
        const auto saved = [&](const CollectionSummary& now) { return is_saved(step, now); };
        const auto now = measure_at_rest(naming(), found.name, saved);
        if (!now || (now->documents > 0 && !saved(*now) && !copied(step, found, *now))) return;
        place_.check();
        REPRISE_STEP("restore.drop_retired.before");
        drop_collection(client(), database(), found.name);
        REPRISE_STEP("restore.drop_retired.after");
    }

    // Saves it, or renames it out of the way of every sweep and says so: then it stays.
    bool copied(const SwapStep& step, const CollectionInfo& found, const CollectionSummary& now) {
        try {
            REPRISE_STEP("restore.save_copy.before");
            const CollectionSummary copy = keep_copy({found.name, step.target, place_.packing});
            REPRISE_STEP("restore.save_copy.after");
            if (!same_documents(copy, now))
                throw Failure(Code::internal, "readback_mismatch",
                              "the copy of collection " + printable(step.target) + " holds other documents than it");
            return true;
        } catch (const Failure& failure) {
            if (failure.code == Code::cancelled || failure.code == Code::unavailable) throw;
            if (!live(found.name)) return false;  // a dead client's drop, which came after its proof, was carried out
            const std::string kept = set_apart(naming(), found);
            outcome_.warnings.push_back("collection " + printable(step.target) +
                                        " was written to during the restore and could not be saved to the folder (" +
                                        failure.message + "); its old data stays in collection " + kept);
            return false;
        }
    }

    void drop_staging() {
        for (const auto& found : list_collections(client(), database(), false)) {
            if (!is_own_collection(found.name) || found.name.compare(0, 16, staging_name(record_.op, 0), 0, 16) != 0) continue;
            if (retired_step(found.name) || is_kept_name(found.name)) continue;
            place_.check();
            REPRISE_STEP("restore.drop_staging.before");
            drop_collection(client(), database(), found.name);
            REPRISE_STEP("restore.drop_staging.after");
        }
    }

    const SwapPlace& place_;
    RestoreRecord record_;
    std::set<std::size_t> abandoned_;  // steps whose data somebody removed
    SwapOutcome outcome_;
    std::int64_t bound_ms_ = kRenameBoundMs;  // of the next rename
    bool safety_checked_ = false, safety_whole_ = false;
};

}  // namespace

SwapOutcome run_swap(const SwapPlace& place, const RestoreRecord& record) { return Swap(place, record).run(); }

}  // namespace reprise
