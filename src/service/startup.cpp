#include "service/startup.h"

#include <algorithm>

#include "base/failure.h"
#include "base/text.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/record.h"
#include "engine/shelf.h"
#include "mongo/catalog.h"
#include "service/attempts.h"

namespace reprise {
namespace {

bool counts(const CollectionInfo& info) { return info.type != "view" && !is_own_collection(info.name); }

bool database_empty(Client& client, const std::string& database) {
    const auto all = list_collections(client, database, false);
    return std::none_of(all.begin(), all.end(), [&](const CollectionInfo& info) {
        return counts(info) && !collection_empty(client, database, info.name);
    });
}

// The rule: an error is an error, never "empty"; asked with find on the primary.
bool says_empty(Client& client, const std::string& database, const std::string& sentinel) {
    return sentinel.empty() ? database_empty(client, database) : collection_empty(client, database, sentinel);
}

StartupResult decided(const char* result, const char* reason, const std::string& message) {
    StartupResult out;
    out.result = result;
    out.reason = reason;
    out.message = message;
    return out;
}

StartupResult refused(const Failure& failure) { return decided("refused", failure.reason.c_str(), failure.message); }

StartupResult not_needed(const std::string& sentinel) {
    auto out = decided("not_needed", "holds_data",
                       sentinel.empty() ? "the database holds data" : "collection " + printable(sentinel) + " holds data");
    out.sentinel = sentinel;
    return out;
}

// The highest sequence of the backups that this database has had: where it is above those in the folder, backups are missing.
std::int64_t remembered_highest(Client& client, const Place& place) {
    const auto document = read_deployment(client, place.database);
    return std::max({document.sequence, read_attempts(client, place.database, *place.store).highest_sequence,
                     remembered_sequence(*place.store, document.value.value_or(std::string()))});
}

StartupResult backups_missing(const Place& place) {
    return decided(
        "refused", "backups_missing",
        "the database is empty and has had backups that are not in " + printable(place.folder) +
            ": a folder that is not mounted, or another one, is no new deployment; bring it back, or drop collection "
            "reprise and remove .reprise from the folder when this is to start anew");
}

StartupResult nothing_to_restore(bool empty, const std::string& sentinel) {
    if (empty)
        return decided("no_backup", "no_backup", "the database is empty and the folder holds no backup: a new deployment");
    return decided("refused", "no_candidate",
                   "collection " + printable(sentinel) +
                       " is empty, other collections are not, and the folder holds no backup; "
                       "if that is as it should be, set another sentinel");
}

bool has_backup_files(Store& store) {
    const auto blobs = store.list();
    return std::any_of(blobs.begin(), blobs.end(), [](const Blob& blob) {
        const auto name = parse_file_name(blob.name);
        return (name && name->kind != FileKind::before_restore) || blob.name.rfind(kLatest, 0) == 0;
    });
}

// What can be answered by reading alone; nullopt when an operation is needed.
std::optional<StartupResult> ask_quickly(const Place& place, const StartupOptions& options, const Context& context) {
    Client client(place.url, *context.cancel, place.connect_ms);
    if (load_record(client, place.database)) return std::nullopt;
    const std::string first = options.sentinel.empty() ? kUsualSentinel : options.sentinel;
    // "users" holding documents answers the question whichever rule is in force.
    if (!collection_empty(client, place.database, first)) return not_needed(first);
    const bool empty = database_empty(client, place.database);
    if (!has_backup_files(*place.store)) {
        if (!empty && options.sentinel.empty()) return not_needed("");
        if (empty && remembered_highest(client, place) > 0) return backups_missing(place);
        return nothing_to_restore(empty, options.sentinel);
    }
    if (empty || !options.sentinel.empty()) return std::nullopt;
    const auto sentinel = sentinel_in_force(read_shelf(*place.store, false, context), "", place.database,
                                            read_deployment(client, place.database).value);
    if (sentinel && sentinel->empty()) return not_needed("");
    return std::nullopt;
}

// Failures that are about the file: an older one may do. All others are about the server, the folder or the moment.
bool is_about_the_file(const Failure& failure) {
    return failure.code == Code::corrupt || failure.code == Code::unsupported || failure.reason == "unique_conflict" ||
           failure.reason == "file_missing" || failure.reason == "document_refused";
}

// A disk or mount that fails to read now is no reason to go back to an older backup (corrupt files are).
void check_all_read(const std::vector<ShelfItem>& shelf) {
    for (const auto& item : shelf) {
        if (item.manifest || item.problem.empty() || item.name.kind == FileKind::before_restore) continue;
        if (item.problem_code == Code::corrupt || item.problem_code == Code::unsupported) continue;
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
    Startup(const Place& place, const StartupOptions& options, const Context& context)
        : place_(place), options_(options), context_(context), operation_(place, Access::write, context) {}

    StartupResult run() {
        attempts_ = read_attempts(client(), place_.database, *place_.store);
        if (options_.retry) attempts_.attempts = 0, attempts_.failed_sha256.clear();
        auto out = decide();
        out.sentinel = sentinel_;
        const auto& notes = operation_.notes();
        out.warnings.insert(out.warnings.begin(), notes.begin(), notes.end());
        return out;
    }

private:
    Client& client() { return operation_.client(); }

    StartupResult decide() {
        const auto shelf = read_shelf(*place_.store, true, context_);
        check_all_read(shelf);
        highest_in_folder_ = highest_of(shelf, place_.database);
        const auto deployment = operation_.deployment();
        const auto in_force = sentinel_in_force(shelf, options_.sentinel, place_.database, deployment);
        sentinel_ = in_force.value_or("");
        const bool doubtful = !in_force && says_empty(client(), place_.database, kUsualSentinel);
        if (!says_empty(client(), place_.database, sentinel_)) return doubtful ? cannot_tell() : held_meanwhile();
        if (attempts_.attempts >= kMaxDeaths)
            return decided("refused", "startup_died_often",
                           "the process died in " + std::to_string(attempts_.attempts) +
                               " restores at startup, so it is not tried again by itself; give it the time it needs, then run "
                               "startup with retry");
        auto candidates = choose(shelf, Rule{place_.database, sentinel_, deployment, attempts_.failed_sha256});
        for (const auto& skipped : candidates.skipped)
            context_.log(Level::warning,
                         "startup skips " + printable(skipped.file) + " (" + skipped.reason + "): " + skipped.message);
        auto out = candidates.files.empty() ? without_candidate(candidates) : restore_first_good(candidates);
        out.skipped = std::move(candidates.skipped);
        return out;
    }

    StartupResult held_meanwhile() {
        clear_attempts(client(), place_.database, *place_.store);
        return decided(
            "restored_by_other", "restored_meanwhile",
            "the database holds data by now: another process brought it back, or an unfinished restore was finished");
    }

    StartupResult cannot_tell() {
        return decided(
            "refused", "no_candidate",
            "collection users is empty, other collections are not, and no backup in the folder can be read, so nobody "
            "can tell whether data are missing; put a whole backup there, or set the sentinel");
    }

    StartupResult without_candidate(const Candidates& candidates) {
        const bool empty = database_empty(client(), place_.database);
        if (candidates.sentinel_nowhere && !sentinel_.empty())
            return decided("refused", "sentinel_not_in_backups",
                           "no backup holds documents in the sentinel " + printable(sentinel_) +
                               "; check its spelling in the configuration");
        if (!candidates.data_elsewhere) {
            if (empty && remembered_highest(client(), place_) > highest_in_folder_) return backups_missing(place_);
            return nothing_to_restore(empty, sentinel_);
        }
        return decided("refused", "no_candidate",
                       "the data are missing and no backup in the folder may be restored by itself; restore one by name");
    }

    StartupResult restore_first_good(Candidates& candidates) {
        std::optional<Failure> last;
        for (const auto& item : candidates.files) {
            try {
                return restore_one(item);
            } catch (const Failure& failure) {
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
    bool is_past_return() {
        return load_record(client(), place_.database) || !says_empty(client(), place_.database, sentinel_);
    }

    StartupResult restore_one(const ShelfItem& item) {
        const std::int64_t before = attempts_.attempts;
        remember(before + 1, item.manifest->sequence);
        RestoreResult restored;
        try {
            restored = restore_within(operation_, place_, options_for(item), context_);
        } catch (const Failure&) {
            forget_attempt(before);
            throw;
        }
        if (says_empty(client(), place_.database, sentinel_)) give_up(item);
        attempts_.failed_sha256.clear();
        remember(0, item.manifest->sequence);
        auto out = decided("restored", "restored",
                           "restored " + std::to_string(restored.documents) + " documents from " + item.blob.name);
        out.file = item.blob.name;
        out.restore = std::move(restored);
        context_.log(Level::warning, out.message);
        return out;
    }

    RestoreOptions options_for(const ShelfItem& item) {
        RestoreOptions out;
        out.file = item.blob.name;
        out.startup = true;
        out.adopt = true;
        out.accept_unproven = item.manifest->legacy;
        for (const auto& info : list_collections(client(), place_.database, false))
            if (counts(info) && collection_empty(client(), place_.database, info.name)) out.expected_empty.push_back(info.name);
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
                      printable(item.blob.name) + " was restored, and the database is still empty by the rule (sentinel " +
                          (sentinel_.empty() ? "unset" : printable(sentinel_)) + "); this backup is not tried again by itself");
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
    const Context& context_;
    Operation operation_;
    Attempts attempts_;
    std::string sentinel_;
    std::int64_t highest_in_folder_ = 0;
};

StartupResult under_operation(const Place& place, const StartupOptions& options, const Context& context) {
    try {
        return Startup(place, options, context).run();
    } catch (const Failure& failure) {
        if (failure.code == Code::refused && failure.reason != "still_empty") return refused(failure);
        if (failure.code == Code::busy && (failure.reason == "lease_held" || failure.reason == "folder_locked"))
            return decided("in_progress", failure.reason.c_str(), failure.message);
        throw;
    }
}

}  // namespace

StartupResult start_up(const Place& quick, const std::function<Place()>& open_place, const StartupOptions& options,
                       const Context& context) {
    const std::int64_t begin = context.clock->boot_ms();
    StartupResult out;
    try {
        auto answer = ask_quickly(quick, options, context);
        out = answer ? std::move(*answer) : under_operation(open_place(), options, context);
    } catch (const Failure& failure) {
        if (failure.code != Code::refused || failure.reason == "still_empty") throw;
        out = refused(failure);
    }
    if (out.result == "refused") context.log(Level::error, "startup refused (" + out.reason + "): " + out.message);
    out.duration_ms = context.clock->boot_ms() - begin;
    return out;
}

}  // namespace reprise
