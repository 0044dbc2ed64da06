#include "service/removing.h"

#include <algorithm>

#include "base/failure.h"
#include "base/leaving.h"
#include "base/text.h"
#include "engine/needed.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/shelf.h"
#include "service/actor.h"
#include "service/file_work.h"
#include "service/options.h"

namespace reprise {
namespace {

Failure protected_file(const std::string& name, const std::string& why) {
    return Failure(Code::refused, "file_protected", printable(name) + " is not deleted: " + why);
}

// The first good one in the order of the shelf is the newest.
void check_removable(Store& store, const Config& config, const std::vector<ShelfItem>& shelf, const ShelfItem& wanted) {
    const std::string& name = wanted.blob.name;
    if (wanted.manifest && !wanted.manifest->database.empty() && wanted.manifest->database != config.database)
        throw protected_file(name, "it belongs to the database " + printable(wanted.manifest->database));
    if (latest_name(store) == name) throw protected_file(name, "it is the latest backup; make a newer one first");
    if (wanted.manifest && wanted.manifest->pinned) throw protected_file(name, "it is pinned; unpin it first");
    const auto needed = needed_files(store, system_clock().unix_us());
    if (std::count(needed.begin(), needed.end(), name) > 0)
        throw protected_file(name, "an unfinished restore needs it; the next backup or restore finishes that one first");
    for (const auto& item : shelf) {
        if (!item.manifest || item.name.kind != FileKind::backup || !is_good(*item.manifest)) continue;
        if (item.blob.name == name) throw protected_file(name, "it is the newest good backup; make a newer one first");
        return;
    }
}

}  // namespace

const Schema& delete_schema() {
    static const Schema& schema = lasting(Schema{Code::invalid_argument,
                                                 "options of delete",
                                                 {{"wait_ms", KeyType::number, false, {}, 0, kLongestWaitMs}, actor_rule()}});
    return schema;
}

Json remove_file(const Config& config, const std::string& file, const Json& options) {
    if (file.empty()) throw Failure(Code::invalid_argument, "argument_null", "delete needs the name of a file");
    FileWork work(config, file, "0 (a deletion)", options);
    Store& store = *work.store;
    const std::string& name = work.name;
    const auto lock = hold_folder(work.place, work.context);
    owner_for(store, config.database);  // as everything that writes: not in another database's folder
    const auto shelf = read_shelf(store, false, work.context);
    for (const auto& item : shelf) {
        if (item.blob.name != name) continue;
        check_removable(store, config, shelf, item);
        // The file first: a manifest without one counts for nothing and is swept.
        store.remove(name);
        store.remove_state(manifest_key(name));
        forget_problem(store, name);
        return Json::object({{"filename", name}, {"freed_bytes", item.blob.size_bytes}});
    }
    throw Failure(Code::not_found, "file_missing", "no backup named " + printable(name) + " is in the folder");
}

}  // namespace reprise
