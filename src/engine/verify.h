// verify: reads a file from first to last byte and checks everything that it says of itself. rehash: for a file that
// somebody edited on purpose.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "engine/place.h"
#include "format/manifest.h"
#include "store/store.h"

namespace reprise {

struct VerifyResult {
    Manifest manifest;                  // as read; written to the store when `remember` was asked
    std::vector<std::string> warnings;  // a file of the replaced system: nothing proves it whole
};

// Failure{corrupt, …} as BackupReader says. `expected`, when given, is compared too (read back after a backup).
VerifyResult verify_file(Store& store, const std::string& name, bool remember, const Context& context);
VerifyResult verify_open(OpenBlob& blob, const Context& context);

struct RehashResult {
    Manifest manifest;                  // of the new file
    std::string path;
    std::vector<std::string> changes;   // "users: 12 → 11 documents", "absences: same count, other content"
};
// Writes a new backup (edited_from, fresh counts and hash) beside the edited one; startup never picks it by itself.
RehashResult rehash(const Place& place, const std::string& name, const Context& context);

}  // namespace reprise
