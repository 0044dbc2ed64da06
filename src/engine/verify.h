// verify: reads a file from first to last byte and checks everything that it says of itself. rehash: for a file that
// somebody edited on purpose.
#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/failure.h"
#include "engine/place.h"
#include "format/manifest.h"
#include "store/store.h"

namespace reprise {

struct VerifyResult {
    Manifest manifest;                  // as read; written to the store when `remember` was asked
    std::vector<std::string> warnings;  // a file of the replaced system: nothing proves it whole
    // There is no identity here to open it with; the stored bytes are those that were verified when they were written.
    bool intact_only = false;
};

enum class Trust {
    ask,   // a file that nobody signed whom we trust is refused, where signatures are asked for
    waive  // a person's word for this one file
};

// Failure{corrupt, …} as BackupReader says; {denied, "key_missing" | "key_wrong"} for an encrypted file; {refused,
// "signature_missing" | "signature_unknown" | "signature_wrong"}. What the manifest knows of the stored bytes (size, hash)
// makes a reason more exact: verify_file does so by itself, others ask explain_damage.
VerifyResult verify_file(Store& store, const std::string& name, bool remember, const Context& context,
                         Trust trust = Trust::ask);
VerifyResult verify_open(OpenBlob& blob, const Context& context, Trust trust = Trust::ask);
// What the guard and people decided about a file outlives a new check of it, and one that failed: true when its old manifest,
// whatever size and time that names, is of the same content, and its state, pin, label and time were taken over.
bool keep_decisions(Store& store, Manifest& manifest);
// Of a file that could not be read: file_truncated or file_damaged where the manifest shows that, else the failure itself.
Failure explain_damage(Store& store, OpenBlob& blob, const Failure& failure, const Context& context);

struct RehashResult {
    Manifest manifest;  // of the new file
    std::string path;
    std::vector<std::string> changes;  // "users: 12 → 11 documents", "absences: same count, other content"
};
// Writes a new backup (edited_from, fresh counts and hash) beside the edited one; startup never picks it by itself.
RehashResult rehash(const Place& place, const std::string& name, const Context& context);

}  // namespace reprise
