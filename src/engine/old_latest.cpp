#include "engine/old_latest.h"

#include "base/failure.h"
#include "base/step.h"
#include "engine/shelf.h"
#include "format/reader.h"

namespace reprise {
namespace {

// The date that the file says of itself, else the time of its last change.
std::int64_t date_of(Store& store, const std::string& name) {
    const auto blob = store.open(name);
    try {
        const BackupReader reader(*blob, name);
        if (reader.header().backup_date_us > 0) return reader.header().backup_date_us;
    } catch (const Failure& failure) {
        if (failure.code != Code::corrupt) throw;
    }
    return blob->modified_us();
}

}  // namespace

void rename_old_latest(Store& store) {
    if (!store.is_regular(kLatestJson)) return;
    const std::string name = free_name(store, FileKind::backup, date_of(store, kLatestJson), ".json");
    REPRISE_STEP("engine.old_latest.rename.before");
    store.rename(kLatestJson, name);
    REPRISE_STEP("engine.old_latest.rename.after");
}

}  // namespace reprise
