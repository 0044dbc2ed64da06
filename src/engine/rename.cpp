#include "engine/rename.h"

#include <algorithm>

#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr int kMaxTries = 20;
constexpr std::int64_t kPauseMs = 100;

// The new name is one that only a restore gives, so its being there and the old one's being gone is proof.
bool moved(const RenamePlace& place, const CollectionInfo& from, const std::string& to) {
    if (!find_collection(place.client, place.database, to, false)) return false;
    const auto still = find_collection(place.client, place.database, from.name, false);
    return !still || still->uuid != from.uuid;
}

}  // namespace

bool passes_by_itself(const Failure& failure) {
    if (failure.retryable || failure.code == Code::timed_out) return true;
    if (failure.origin != Origin::server) return false;
    switch (failure.origin_code) {
        case 24:                // LockTimeout
        case 46:                // LockBusy
        case kNamespaceExists:  // a writer recreated the name
        case 26:                // NamespaceNotFound: it went away between looking and renaming
        case 361:               // CollectionUUIDMismatch
        case kMaxTimeExpired:
        case 112:    // WriteConflict
        case 117:    // ConflictingOperationInProgress
        case 12587:  // BackgroundOperationInProgressForNamespace
        case 91:
        case 189:
        case 10107:
        case 11600:
        case 11602:
        case 13435:
        case 13436: return true;  // elections
        default: return false;
    }
}

void rename_surely(const RenamePlace& place, const CollectionInfo& from, const std::string& to) {
    std::int64_t bound_ms = kRenameBoundMs;
    for (int tries = 1;; ++tries) {
        place.check();
        try {
            rename_collection(place.client, place.database, from.name, to, from.uuid, bound_ms);
            return;
        } catch (const Failure& failure) {
            if (!passes_by_itself(failure)) throw;
            if (moved(place, from, to)) return;
            if (tries >= kMaxTries || failure.origin_code == kNamespaceExists) throw;
            if (failure.origin_code == kMaxTimeExpired) bound_ms = std::min(bound_ms * 2, kMaxRenameMs);
        }
        if (place.context.cancel->wait_ms(kPauseMs * tries)) place.context.cancel->check();
    }
}

}  // namespace reprise
