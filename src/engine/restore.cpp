// The protocol of a restore, in its order (design/restore.md): whole file, checks, safety backup, staging, last look, swap.
#include "engine/restore.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "base/thread.h"
#include "engine/checks.h"
#include "engine/intent.h"
#include "engine/measure.h"
#include "engine/merge.h"
#include "engine/needed.h"
#include "engine/record.h"
#include "engine/safety.h"
#include "engine/shelf.h"
#include "engine/staging.h"
#include "engine/swap.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr std::int64_t kTidyMs = 1500;        // after a cancel, which is answered within 2 s
constexpr std::int64_t kLateCommandMs = 200;  // for a command that the server had before the connection was shut down
constexpr int kMaxLooks = 4;                  // the first, and after each of 3 safety backups made again

class Restore {
public:
    Restore(Operation& operation, const Place& place, const RestoreOptions& options, const Context& context)
        : operation_(operation), place_(place), options_(options), context_(context) {}

    RestoreResult run() {
        began_ms_ = context_.clock->boot_ms();
        result_.file = options_.file;
        intent_ = read_intent(operation_.client(), question(), context_);
        warn(operation_.notes());
        warn(intent_.warnings);
        if (options_.mode == RestoreMode::merge)
            merge();
        else
            replace();
        become_measure();
        if (options_.adopt && file_.deployment && file_.database == place_.database)
            operation_.adopt_deployment(*file_.deployment);
        result_.duration_ms = context_.clock->boot_ms() - began_ms_;
        return std::move(result_);
    }

private:
    void say(const char* phase) {
        Progress now;
        now.phase = phase;
        now.documents_total = file_.summary.documents;
        context_.progress(now);
    }

    void warn(const std::vector<std::string>& more) {
        result_.warnings.insert(result_.warnings.end(), more.begin(), more.end());
    }

    SafetyWish wish() const { return {place_, options_, context_}; }
    IntentQuestion question() const { return {place_, options_, operation_.deployment()}; }

    void check_same_file() {
        if (intent_.reader->sha256() != file_.sha256)
            throw Failure(Code::corrupt, "file_changed",
                          "file " + printable(options_.file) + " changed while it was read; " + what_stands());
    }

    // A merge writes while it reads for the second time.
    std::string what_stands() const {
        if (record_.state != "merging") return "the database is untouched";
        return safety_.file.empty()
                   ? "what was merged before stays"
                   : "what was merged before stays, and what was there before is in " + printable(safety_.file);
    }

    void prepare() {
        check_intent(operation_.client(), question(), intent_);
        rights_ = probe_rights(operation_, place_.database, options_.without_majority, context_);
        if (options_.startup) check_still_empty(operation_, wish());
        say("safety");
        save();
    }

    void save() {
        safety_ = take_safety(operation_, wish(), plan_);
        result_.safety_file = safety_.file;
        warn(safety_.warnings);
    }

    RestoreRecord new_record(const char* state) {
        RestoreRecord record;
        record.version = kVersion;
        record.op = operation_.op();
        record.term = operation_.lease()->term();
        record.state = state;
        record.backup = options_.file;
        record.backup_sha256 = file_.sha256;
        record.safety = safety_.file;
        record.safety_sha256 = safety_.sha256;
        record.unsaved = options_.no_safety_backup;
        record.names_decide = !rights_.keeps_uuid;
        return record;
    }

    void need() { need_files(place_, {options_.file, safety_.file}, context_); }

    void replace() {
        for (const auto& one : live_)
            if (plan_.find(one.name) == nullptr && !options_.exact) result_.left_alone.push_back(one.name);
        try {
            prepare();
            record_ = new_record("staging");
            operation_.check();
            need();
            insert_record(operation_.client(), place_.database, record_, options_.without_majority);
            stage();
            look();
            begin_swap();
        } catch (const Failure&) {
            give_up();
            throw;
        }
        swap();
    }

    void stage() {
        expire_when_filled();
        Staging staging(operation_, place_, options_, context_);
        warn(staging.fill(plan_, *intent_.reader, file_.summary));
        check_same_file();
    }

    // A clustered collection's own expiry is set after the swap; where that is not allowed it must be there from the beginning.
    void expire_when_filled() {
        for (auto& target : plan_.targets) {
            if (rights_.coll_mod || !target.rules.expires || target.entry.type != "collection") continue;
            target.rules.options = target.rules.options_with_expiry;
            warn({"collection " + printable(target.entry.name) +
                  " is filled with its expiry in force, because this user may not set it afterwards (role dbAdmin may)"});
        }
    }

    void look() {
        for (int looks = 1;; ++looks) {
            say("comparing");
            operation_.check();
            if (options_.startup) check_still_empty(operation_, wish());
            if (still_as_saved(operation_, wish(), plan_, safety_)) return;
            if (looks >= kMaxLooks)
                throw Failure(Code::busy, "database_changing",
                              "the database keeps being written to, so no safety backup stays true; stop the writers and "
                              "restore again: the old data is in place");
            context_.log(Level::warning, "the database changed after its safety backup; it is made again");
            save();
        }
    }

    void begin_swap() {
        RestoreRecord next = new_record("swapping");
        next.steps = steps();
        need();
        operation_.check();
        context_.cancel->shield();  // from here on the restore is finished, by us or by the next operation
        REPRISE_STEP("restore.swapping.before");
        bool ours = false;
        try {
            ours = replace_record(operation_.client(), place_.database, record_, next, options_.without_majority);
        } catch (const Failure& failure) {
            settle_doubt(failure, next);
        }
        if (!ours)
            throw Failure(Code::busy, "lease_lost",
                          "another operation took this restore over; the database is as that one leaves it");
        record_ = std::move(next);
        REPRISE_STEP("restore.swapping.after");
    }

    // The answer was lost or no majority had it. Taken back it is as if nothing was; else the next operation rolls forward.
    [[noreturn]] void settle_doubt(const Failure& failure, const RestoreRecord& next) {
        replace_record(operation_.client(), place_.database, next, record_, true);
        if (failure.reason != "majority_unreachable") throw failure;
        throw Failure(Code::unavailable, "majority_unreachable",
                      "a majority of the replica set could not be reached before the swap; the old data is in place: bring "
                      "members back, or ask for without_majority");
    }

    // Best effort: what cannot be tidied now is rolled back by the next operation.
    void give_up() noexcept {
        try {
            if (context_.cancel->requested())
                tidy_after_cancel();
            else
                tidy(operation_.client());
        } catch (...) {
            context_.log(Level::info, "the next operation rolls this restore back");
        }
    }

    void tidy(Client& client) {
        operation_.lease()->check();
        // A record that is not ours in this state any more needs the staging collections.
        const bool unrecorded = record_.state.empty() && !load_record(client, place_.database);
        if (!unrecorded && !remove_record(client, place_.database, record_)) return;
        release_files(place_, context_);
        sweep_staging(client, place_.database, *operation_.lease());
    }

    // A cancelled job's connections are shut down, so this takes one of its own, and not longer than who cancelled waits.
    void tidy_after_cancel() {
        Cancel late, done;
        Thread bound("reprise-tidy", [&] {
            if (!done.wait_ms(context_.cancel->tidy_ms(kTidyMs))) late.request();
        });
        try {
            late.wait_ms(kLateCommandMs);
            Client client(place_.url, late, kTidyMs);
            if (place_.without_majority) client.without_majority();
            tidy(client);
        } catch (...) {
            done.request();
            throw;
        }
        done.request();
    }

    std::vector<SwapStep> steps() const {
        std::vector<SwapStep> out;
        for (const auto& saved : safety_.collections) {
            const bool wanted = std::any_of(plan_.targets.begin(), plan_.targets.end(),
                                            [&](const Target& t) { return t.entry.name == saved.info.name; });
            if (!wanted) out.push_back(step("exact", saved.info.name));
        }
        for (const auto& target : plan_.targets) add_steps(target, out);
        return out;
    }

    SwapStep step(const char* what, const std::string& target) const {
        SwapStep one;
        one.what = what;
        one.target = target;
        if (const auto* saved = safety_.find(target)) {
            one.expected_uuid = saved->info.uuid;
            if (saved->info.type != "view") one.saved = saved->summary;
        }
        return one;
    }

    void add_steps(const Target& target, std::vector<SwapStep>& out) const {
        SwapStep main = step(target.is_view() ? "view" : target.is_time_series() ? "timeseries" : "rename", target.entry.name);
        main.staging = target.is_view() ? std::string() : target.staging;
        main.source_uuid = target.uuid;
        main.documents = target.sent.documents;
        main.digest = target.sent.digest;
        if (target.entry.type != "collection") main.options = target.rules.options_with_expiry;
        if (target.is_time_series())
            for (const auto* group : {&target.indexes.plain, &target.indexes.unique, &target.indexes.ttl_real})
                main.indexes.insert(main.indexes.end(), group->begin(), group->end());
        out.push_back(main);
        if (target.rules.expires && (target.is_time_series() || rights_.coll_mod)) {
            SwapStep expiry = step("ttl", target.entry.name);
            expiry.options = target.rules.options_with_expiry;
            out.push_back(expiry);
        }
        if (target.is_time_series()) return;
        for (const auto& index : target.indexes.ttl_real) {
            SwapStep expiry = step("ttl", target.entry.name);
            expiry.index = index;
            out.push_back(expiry);
        }
    }

    void swap() {
        say("swapping");
        SwapOutcome outcome;
        try {
            outcome = run_swap(
                {operation_.client(), place_.database, *place_.store, place_.packing, context_, [this] { operation_.check(); }},
                record_);
        } catch (Failure& failure) {
            failure.message += "; the restore is past its point of no return: the next operation finishes it";
            throw;
        }
        release_files(place_, context_);
        result_.copies = outcome.copies;
        result_.swapped_ms = outcome.swapped_ms;
        warn(outcome.warnings);
        for (const auto& target : plan_.targets) {
            RestoredCollection one;
            one.name = target.entry.name;
            one.type = target.entry.type;
            one.documents = target.sent.documents;
            result_.documents += one.documents;
            result_.collections.push_back(one);
        }
    }

    // What was brought back on purpose is what later backups are judged by (S7), however small it is. Not so a suspect file:
    // work that failed may have brought it back by itself, and the loss that the guard found would count as right.
    void become_measure() {
        if (file_.state != "good") return;
        const bool whole = options_.include.empty() && options_.exclude.empty() && file_.scope != "partial";
        if (options_.mode != RestoreMode::replace || !whole || file_.legacy || place_.foreign_folder) return;
        try {
            const std::string deployment = operation_.deployment().value_or(std::string());
            reset_measure(*place_.store, file_, highest_sequence(*place_.store, deployment));
        } catch (const Failure& failure) {
            warn({"later backups are still judged by those before this restore: " + failure.message});
        }
    }

    void merge() {
        prepare();
        look();
        record_ = new_record("merging");
        need();
        operation_.check();
        insert_record(operation_.client(), place_.database, record_, options_.without_majority);
        merge_documents(operation_, {place_, options_, context_, live_, file_.summary}, plan_, *intent_.reader, result_);
        check_same_file();
        operation_.check();
        remove_record(operation_.client(), place_.database, record_);
        release_files(place_, context_);
    }

    Operation& operation_;
    const Place& place_;
    const RestoreOptions& options_;
    const Context& context_;
    std::int64_t began_ms_ = 0;
    Intent intent_;
    const Manifest& file_ = intent_.file;
    const std::vector<CollectionInfo>& live_ = intent_.live;
    Plan& plan_ = intent_.plan;
    Rights rights_;
    Safety safety_;
    RestoreRecord record_;
    RestoreResult result_;
};

}  // namespace

RestoreResult restore(const Place& place, const RestoreOptions& options, const Context& context) {
    Place own = place;
    own.without_majority = place.without_majority || options.without_majority;
    Operation operation(own, Access::write, context);
    return restore_within(operation, own, options, context);
}

RestoreResult restore_within(Operation& operation, const Place& place, const RestoreOptions& options, const Context& context) {
    return Restore(operation, place, options, context).run();
}

}  // namespace reprise
