#include "engine/mark.h"

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/measure.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/shelf.h"
#include "engine/verify.h"

namespace reprise {
namespace {

void check_acceptable(const Manifest& m, const std::string& database, const std::optional<std::string>& deployment) {
    const char* problem = nullptr;
    if (m.kind == "before_restore") problem = "is a safety backup: restore it by its name";
    if (m.scope == "partial") problem = "holds only a part of the database: restore it by its name";
    if (!m.edited_from.empty()) problem = "was edited: restore it by its name";
    if (m.legacy) problem = "is of the replaced system: restore it by its name";
    if (!m.legacy && !is_own(m, database, deployment)) problem = "is of another database or deployment";
    if (m.untrusted) problem = "is signed by nobody whom this host trusts: restore it by its name";
    if (problem != nullptr)
        throw Failure(Code::refused, "not_acceptable", printable(m.name) + " " + problem + "; it cannot be accepted");
}

// Under its new name the file is known and good before it is there, so no moment shows it without a manifest.
void rename_suspect(Store& store, const ShelfItem& item, Manifest& manifest) {
    const std::string old = manifest.name;
    manifest.name = free_name(store, FileKind::backup, manifest.backup_date_us, item.name.suffix);
    write_manifest(store, manifest);
    REPRISE_STEP("engine.accept.manifest.after");
    store.rename(old, manifest.name);
    REPRISE_STEP("engine.accept.rename.after");
    store.remove_state(manifest_key(old));
}

bool newest_good_is(Store& store, const Manifest& manifest, const Context& context) {
    for (const ShelfItem& item : read_shelf(store, false, context)) {
        if (!item.manifest || item.name.kind != FileKind::backup || !is_good(*item.manifest)) continue;
        if (is_own(*item.manifest, manifest.database, manifest.deployment) && older(manifest, *item.manifest)) return false;
    }
    return true;
}

void accept(Store& store, const ShelfItem& item, Manifest& manifest, const Context& context) {
    manifest.state = "good";
    manifest.suspect_reason.clear();
    if (item.name.kind == FileKind::suspect)
        rename_suspect(store, item, manifest);
    else
        write_manifest(store, manifest);
    accept_measure(store, manifest);
    REPRISE_STEP("engine.accept.measure.after");
    if (newest_good_is(store, manifest, context)) set_latest(store, manifest.name);
    context.log(Level::info, printable(manifest.name) + " was accepted: it is good, and later backups are judged by it");
}

}  // namespace

Manifest mark(const Place& place, const std::string& name, const MarkWish& wish, const Context& context) {
    const auto lock = hold_folder(place, context);
    Store& store = *place.store;
    const auto owner = owner_for(store, place.database);
    for (ShelfItem& item : read_shelf(store, false, context)) {
        if (item.blob.name != name) continue;
        if (!item.manifest)
            throw Failure(Code::refused, "not_verified",
                          "what " + printable(name) + " holds is not known" +
                              (item.problem.empty() ? "; verify it first" : ": " + item.problem));
        Manifest manifest = *item.manifest;
        if (wish.accept) {
            const auto deployment = owner ? owner->deployment : std::nullopt;
            check_acceptable(manifest, place.database, deployment);
            manifest = verify_file(store, name, true, context).manifest;  // `latest` never points to what was not read (S2)
            check_acceptable(manifest, place.database, deployment);
        }
        if (wish.pin) manifest.pinned = *wish.pin;
        if (wish.label) manifest.label = *wish.label;
        if (wish.accept)
            accept(store, item, manifest, context);
        else
            write_manifest(store, manifest);
        return manifest;
    }
    throw Failure(Code::not_found, "file_missing",
                  "no backup named " + printable(name) + " is in the folder; `list` shows them");
}

}  // namespace reprise
