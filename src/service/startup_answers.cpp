#include "service/startup_answers.h"

#include <algorithm>

#include "base/text.h"
#include "engine/owner.h"
#include "engine/record.h"
#include "service/attempts.h"

namespace reprise {
namespace {

// The highest sequence of the backups that this database has had, as itself or the folder remembers: a database that was
// dropped forgot even its id, which the folder's owner knows.
std::int64_t remembered_highest(Client& client, const Place& place) {
    Store& store = *place.store;
    const auto document = read_deployment(client, place.database);
    const auto owner = read_owner(store);
    std::int64_t highest = std::max({document.sequence, read_attempts(client, place.database, store).highest_sequence,
                                     published_sequence(store, document.value.value_or(std::string()))});
    if (owner && owner->database == place.database)
        highest = std::max(highest, published_sequence(store, owner->deployment.value_or(std::string())));
    return highest;
}

// Never restored by themselves, but no sign of a new deployment. Unknown ones may hold documents.
std::optional<std::string> newest_safety_backup(const Place& place) {
    for (const ShelfItem& item : read_shelf(*place.store, false, Context())) {
        if (item.name.kind != FileKind::before_restore) continue;
        if (!item.manifest || (item.manifest->database == place.database && item.manifest->summary.documents > 0))
            return item.blob.name;
    }
    return std::nullopt;
}

StartupResult backups_missing(const Place& place, const EmptyRule& rule) {
    return decided("refused", "backups_missing",
                   what_counts(rule) + " is empty and has had backups that are not in " + printable(place.folder) +
                       ": a folder that is not mounted, or another one, is no new deployment; bring it back, or drop "
                       "collection reprise and remove .reprise from the folder when this is to start anew");
}

// The folder has no backups, `users` is empty and the rest of the database is not: lost they are only where backups held them.
StartupResult without_files(Client& client, const Place& place, const WantedRule& wanted) {
    const EmptyRule usual = usual_rule(wanted);
    if (read_deployment(client, place.database).users.value_or(0) < usual.minimum) return not_needed(whole_rule(wanted));
    auto out = backups_missing(place, usual);
    out.rule = usual;
    return out;
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
    else if (const auto safety = newest_safety_backup(place))
        out = decided("refused", "no_candidate",
                      "the database holds " + too_few(rule) + " and the folder safety backups alone, such as " +
                          printable(*safety) + ": restore one by its name, or move them away when this is to start anew");
    else
        out = decided("no_backup", "no_backup",
                      "the database holds " + too_few(rule) + " and the folder no backup: a new deployment");
    out.rule = rule;
    return out;
}

std::optional<StartupResult> ask_quickly(const Place& place, const StartupOptions& options, const Context& context,
                                         QuickLook& look) {
    Client client(place.url, *context.cancel, place.connect_ms);
    if (load_record(client, place.database)) return std::nullopt;
    const WantedRule& wanted = options.empty;
    const EmptyRule whole = whole_rule(wanted), first = wanted.automatic ? usual_rule(wanted) : wanted.rule;
    // Documents in "users" answer the question whichever rule is in force.
    if (!says_empty(client, place.database, first)) return not_needed(first);
    const bool all_empty = wanted.automatic && says_empty(client, place.database, whole);
    if (!has_backup_files(*place.store)) {
        if (!wanted.automatic) return nothing_to_restore(client, place, first, 0);
        return all_empty ? nothing_to_restore(client, place, whole, 0) : without_files(client, place, wanted);
    }
    if (all_empty || !wanted.automatic) return std::nullopt;
    look.rest_holds_data = true;
    const auto rule = rule_in_force(read_shelf(*place.store, false, context), wanted, place.database,
                                    read_deployment(client, place.database).value);
    if (rule && rule->whole_database()) return not_needed(whole);
    return std::nullopt;
}

}  // namespace reprise
