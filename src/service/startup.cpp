#include "service/startup.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "engine/operation.h"
#include "engine/record.h"
#include "engine/shelf.h"
#include "mongo/catalog.h"
#include "service/attempts.h"
#include "service/startup_answers.h"
#include "stream/vault.h"

namespace reprise {
namespace {

// Failures that are about the file: an older one may do. All others are about the server, the folder or the moment.
bool is_about_the_file(const Failure& failure) {
    return failure.code == Code::corrupt || failure.code == Code::unsupported || failure.reason == "unique_conflict" ||
           failure.reason.rfind("signature_", 0) == 0 || failure.reason == "file_missing" ||
           failure.reason == "document_refused";
}

bool is_locked(const std::string& reason) { return reason == "key_missing" || reason == "key_wrong"; }

// It may be the newest backup: going back to an older one because a key is not there would lose what came between.
Failure locked(const std::string& name, const std::string& reason, const std::string& message) {
    return Failure(Code::refused, reason,
                   printable(name) + " cannot be opened (" + message +
                       "), and startup takes no older backup instead: give the key, or move the file away");
}

// What a newer reprise wrote may be the newest backup.
void check_all_understood(const std::vector<ShelfItem>& shelf) {
    for (const auto& item : shelf) {
        if (item.manifest || item.problem_code != Code::unsupported || item.name.kind == FileKind::before_restore) continue;
        throw Failure(Code::refused, item.problem_reason,
                      printable(item.blob.name) + " is nothing that this version can read (" + item.problem +
                          "), and startup takes no older backup instead: update reprise, or move the file away");
    }
}

// A disk or mount that fails to read now is no reason to go back to an older backup (corrupt files are).
void check_all_read(const std::vector<ShelfItem>& shelf) {
    for (const auto& item : shelf) {
        if (item.manifest || item.problem.empty() || item.name.kind == FileKind::before_restore) continue;
        if (item.problem_code == Code::corrupt || item.problem_code == Code::unsupported) continue;
        if (item.problem_reason.rfind("signature_", 0) == 0) continue;  // skipped by name, whoever put it there
        if (is_locked(item.problem_reason)) throw locked(item.blob.name, item.problem_reason, item.problem);
        throw Failure(item.problem_code, item.problem_reason,
                      item.problem + "; startup takes no older backup instead: make the file readable, or move it away");
    }
}

std::int64_t highest_of(const std::vector<ShelfItem>& shelf, const std::string& database) {
    std::int64_t highest = 0;
    for (const auto& item : shelf)
        if (item.manifest && item.manifest->database == database) highest = std::max(highest, item.manifest->sequence);
    return highest;
}

class Startup {
public:
    Startup(const Place& place, const StartupOptions& options, const QuickLook& look, const Context& context)
        : place_(place), options_(options), look_(look), context_(context), operation_(place, Access::write, context) {}

    StartupResult run() {
        attempts_ = read_attempts(client(), place_.database, *place_.store);
        if (options_.retry) attempts_.attempts = 0, attempts_.failed_sha256.clear();
        auto out = decide();
        out.rule = rule_;
        const auto& notes = operation_.notes();
        out.warnings.insert(out.warnings.begin(), notes.begin(), notes.end());
        return out;
    }

private:
    Client& client() { return operation_.client(); }
    bool is_lost() { return says_empty(client(), place_.database, rule_); }

    StartupResult decide() {
        const auto shelf = read_shelf(*place_.store, true, context_, options_.guard);
        check_all_read(shelf);
        highest_in_folder_ = highest_of(shelf, place_.database);
        const auto deployment = operation_.deployment();
        const auto in_force = rule_in_force(shelf, options_.empty, place_.database, deployment);
        rule_ = in_force.value_or(whole_rule(options_.empty));
        const bool doubtful = !in_force && says_empty(client(), place_.database, usual_rule(options_.empty));
        if (!is_lost()) return doubtful ? cannot_tell() : held_meanwhile();
        check_all_understood(shelf);
        if (attempts_.attempts >= kMaxDeaths)
            return decided("refused", "startup_died_often",
                           "the process died in " + std::to_string(attempts_.attempts) +
                               " restores at startup, so it is not tried again by itself; give it the time it needs, then run "
                               "startup with retry");
        auto candidates = choose(shelf, rule_for(deployment));
        for (const auto& skipped : candidates.skipped)
            context_.log(Level::warning,
                         "startup skips " + printable(skipped.file) + " (" + skipped.reason + "): " + skipped.message);
        auto out = candidates.files.empty() ? without_candidate(candidates) : restore_first_good(candidates);
        out.skipped = std::move(candidates.skipped);
        return out;
    }

    Rule rule_for(const std::optional<std::string>& deployment) {
        Rule rule{place_.database, rule_, deployment, attempts_.failed_sha256};
        if (context_.vault == nullptr) return rule;
        rule.keys_configured = context_.vault->configured();
        if (context_.vault->asks_for_signature()) rule.least_sequence = attempts_.highest_sequence;
        return rule;
    }

    StartupResult held_meanwhile() {
        if (look_.rest_holds_data && rule_.whole_database()) return not_needed(rule_);  // it held them from the first
        clear_attempts(client(), place_.database, *place_.store);
        return decided(
            "restored_by_other", "restored_meanwhile",
            "the database holds data by now: another process brought it back, or an unfinished restore was finished");
    }

    StartupResult cannot_tell() {
        const EmptyRule usual = usual_rule(options_.empty);
        return decided("refused", "no_candidate",
                       what_counts(usual) + " holds " + too_few(usual) +
                           ", other collections hold some, and no backup in the folder can be read, so nobody can tell whether "
                           "data are missing; put a whole backup there, or set the sentinel");
    }

    StartupResult without_candidate(const Candidates& candidates) {
        if (candidates.sentinel_nowhere && !rule_.whole_database())
            return decided(
                "refused", "sentinel_not_in_backups",
                what_counts(rule_) + " holds " + too_few(rule_) + " in every backup; check the names in the configuration");
        if (!candidates.data_elsewhere) return nothing_to_restore(client(), place_, rule_, highest_in_folder_);
        return decided("refused", "no_candidate",
                       "the data are missing and no backup in the folder may be restored by itself; restore one by name");
    }

    StartupResult restore_first_good(Candidates& candidates) {
        std::optional<Failure> last;
        for (const auto& item : candidates.files) {
            try {
                return restore_one(item);
            } catch (const Failure& failure) {
                if (is_locked(failure.reason)) throw locked(item.blob.name, failure.reason, failure.message);
                if (!is_about_the_file(failure) || is_past_return()) throw;
                candidates.skipped.push_back({item.blob.name, failure.reason, failure.message});
                context_.log(Level::error, "startup could not restore " + printable(item.blob.name) + " (" + failure.reason +
                                               "), and goes back to an older backup: " + failure.message);
                last = failure;
            }
        }
        return decided("refused", "no_candidate",
                       "no backup in the folder could be restored; the newest failure: " + last->message);
    }

    // A swap has begun or is done: that restore is finished by the next operation, and no other file takes its place.
    bool is_past_return() { return load_record(client(), place_.database) || !is_lost(); }

    StartupResult restore_one(const ShelfItem& item) {
        const std::int64_t before = attempts_.attempts;
        warn_of_older(item);
        remember(before + 1, 0);  // its sequence counts when it has proven what it is
        RestoreResult restored;
        try {
            restored = restore_within(operation_, place_, options_for(item), context_);
        } catch (const Failure&) {
            forget_attempt(before);
            throw;
        }
        if (is_lost()) give_up(item);
        attempts_.failed_sha256.clear();
        remember(0, item.manifest->sequence);
        auto out = decided("restored", "restored",
                           "restored " + std::to_string(restored.documents) + " documents from " + item.blob.name);
        out.file = item.blob.name;
        out.restore = std::move(restored);
        context_.log(Level::warning, out.message);
        return out;
    }

    void warn_of_older(const ShelfItem& item) {
        if (item.manifest->legacy || item.manifest->sequence >= attempts_.highest_sequence) return;
        context_.log(Level::warning, "startup restores " + printable(item.blob.name) + ", number " +
                                         std::to_string(item.manifest->sequence) + ", although number " +
                                         std::to_string(attempts_.highest_sequence) + " was restored here before");
    }

    RestoreOptions options_for(const ShelfItem& item) {
        RestoreOptions out;
        out.file = item.blob.name;
        out.startup = true;
        out.adopt = true;
        out.accept_unproven = item.manifest->legacy;
        out.lost = rule_;
        for (const auto& info : list_collections(client(), place_.database, false)) {
            const bool counts = info.type != "view" && !is_own_collection(info.name);
            if (counts && collection_empty(client(), place_.database, info.name)) out.expected_empty.push_back(info.name);
        }
        for (const auto& [name, summary] : item.manifest->summary.collections)
            if (collection_empty(client(), place_.database, name) &&
                std::count(out.expected_empty.begin(), out.expected_empty.end(), name) == 0)
                out.expected_empty.push_back(name);
        return out;
    }

    [[noreturn]] void give_up(const ShelfItem& item) {
        attempts_.failed_sha256 = item.manifest->sha256;
        remember(0, item.manifest->sequence);
        throw Failure(Code::refused, "still_empty",
                      printable(item.blob.name) + " was restored, and " + what_counts(rule_) + " still holds " +
                          too_few(rule_) + "; this backup is not tried again by itself");
    }

    void remember(std::int64_t attempts, std::int64_t sequence) {
        operation_.check();
        attempts_.attempts = attempts;
        attempts_.highest_sequence = std::max(attempts_.highest_sequence, sequence);
        write_attempts(client(), place_.database, *place_.store, attempts_);
    }

    // An attempt that ended with an error is no death. When the server is gone it is counted as one all the same.
    void forget_attempt(std::int64_t before) {
        try {
            attempts_.attempts = before;
            write_attempts(client(), place_.database, *place_.store, attempts_);
        } catch (const Failure& failure) {
            context_.log(Level::warning, "the failed attempt could not be taken back: " + failure.message);
        }
    }

    const Place& place_;
    const StartupOptions& options_;
    const QuickLook& look_;
    const Context& context_;
    Operation operation_;
    Attempts attempts_;
    EmptyRule rule_;
    std::int64_t highest_in_folder_ = 0;
};

StartupResult under_operation(const Place& place, const StartupOptions& options, const QuickLook& look,
                              const Context& context) {
    try {
        return Startup(place, options, look, context).run();
    } catch (const Failure& failure) {
        if (failure.code == Code::refused && failure.reason != "still_empty") return refused(failure);
        if (failure.code == Code::busy && (failure.reason == "lease_held" || failure.reason == "folder_locked"))
            return decided("in_progress", failure.reason.c_str(), failure.message);
        throw;
    }
}

bool becomes_answer(const Failure& failure, const StartupOptions& options) {
    if (options.start_anyway) return failure.code != Code::cancelled;
    return failure.code == Code::refused && failure.reason != "still_empty";
}

}  // namespace

StartupResult start_up(const Place& quick, const std::function<Place()>& open_place, const StartupOptions& options,
                       const Context& context) {
    const std::int64_t begin = context.clock->boot_ms();
    StartupResult out;
    try {
        QuickLook look;
        auto answer = ask_quickly(quick, options, context, look);
        out = answer ? std::move(*answer) : under_operation(open_place(), options, look, context);
    } catch (const Failure& failure) {
        if (!becomes_answer(failure, options)) throw;
        out = refused(failure);
    }
    const bool ready = out.result != "refused" && out.result != "in_progress";
    out.may_go_on = ready || options.start_anyway;
    if (!ready)
        context.log(Level::error, "startup ends as " + out.result + " (" + out.reason + ")" +
                                      (out.may_go_on ? ", and the host starts anyway: " : ": ") + out.message);
    out.duration_ms = context.clock->boot_ms() - begin;
    return out;
}

}  // namespace reprise
