#include "service/startup_answers.h"

#include <algorithm>

#include "base/text.h"
#include "engine/owner.h"
#include "engine/record.h"
#include "service/attempts.h"

namespace reprise {
namespace {

// The highest sequence of the backups that this database has had.
std::int64_t remembered_highest(Client& client, const Place& place) {
    const auto document = read_deployment(client, place.database);
    return std::max({document.sequence, read_attempts(client, place.database, *place.store).highest_sequence,
                     remembered_sequence(*place.store, document.value.value_or(std::string()))});
}

StartupResult backups_missing(const Place& place, const EmptyRule& rule) {
    return decided("refused", "backups_missing",
                   what_counts(rule) + " is empty and has had backups that are not in " + printable(place.folder) +
                       ": a folder that is not mounted, or another one, is no new deployment; bring it back, or drop "
                       "collection reprise and remove .reprise from the folder when this is to start anew");
}

bool has_backup_files(Store& store) {
    const auto blobs = store.list();
    return std::any_of(blobs.begin(), blobs.end(), [](const Blob& blob) {
        const auto name = parse_file_name(blob.name);
        return (name && name->kind != FileKind::before_restore) || blob.name.rfind(kLatest, 0) == 0;
    });
}

}  // namespace

StartupResult decided(const char* result, const char* reason, const std::string& message) {
    StartupResult out;
    out.result = result;
    out.reason = reason;
    out.message = message;
    return out;
}

StartupResult refused(const Failure& failure) { return decided("refused", failure.reason.c_str(), failure.message); }

StartupResult not_needed(const EmptyRule& rule) {
    auto out = decided("not_needed", "holds_data",
                       what_counts(rule) + (rule.collections.size() > 1 ? " hold" : " holds") +
                           (rule.minimum > 1 ? " at least " + std::to_string(rule.minimum) + " documents" : " data"));
    out.rule = rule;
    return out;
}

StartupResult nothing_to_restore(Client& client, const Place& place, const EmptyRule& rule, std::int64_t highest_in_folder) {
    StartupResult out;
    if (!rest_is_empty(client, place.database, rule))
        out = decided("refused", "no_candidate",
                      what_counts(rule) + " holds " + too_few(rule) +
                          ", other collections are not empty, and the folder holds no backup; if that is as it should be, "
                          "choose another sentinel or rule");
    else if (remembered_highest(client, place) > highest_in_folder)
        out = backups_missing(place, rule);
    else
        out = decided("no_backup", "no_backup",
                      "the database holds " + too_few(rule) + " and the folder no backup: a new deployment");
    out.rule = rule;
    return out;
}

std::optional<StartupResult> ask_quickly(const Place& place, const StartupOptions& options, const Context& context) {
    Client client(place.url, *context.cancel, place.connect_ms);
    if (load_record(client, place.database)) return std::nullopt;
    const WantedRule& wanted = options.empty;
    const EmptyRule whole = whole_rule(wanted), first = wanted.automatic ? usual_rule(wanted) : wanted.rule;
    // Documents in "users" answer the question whichever rule is in force.
    if (!says_empty(client, place.database, first)) return not_needed(first);
    const bool all_empty = wanted.automatic && says_empty(client, place.database, whole);
    if (!has_backup_files(*place.store)) {
        if (!wanted.automatic) return nothing_to_restore(client, place, first, 0);
        return all_empty ? nothing_to_restore(client, place, whole, 0) : not_needed(whole);
    }
    if (all_empty || !wanted.automatic) return std::nullopt;
    const auto rule = rule_in_force(read_shelf(*place.store, false, context), wanted, place.database,
                                    read_deployment(client, place.database).value);
    if (rule && rule->whole_database()) return not_needed(whole);
    return std::nullopt;
}

}  // namespace reprise
