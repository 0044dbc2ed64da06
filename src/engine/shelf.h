// What lies in the folder: files and their manifests. A file without a manifest, or whose size or time changed, is
// verified again before it counts (verify.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/failure.h"
#include "format/manifest.h"
#include "policy/guard.h"
#include "store/store.h"

namespace reprise {

struct ShelfItem {
    Blob blob;
    FileName name;
    std::optional<Manifest> manifest;  // nullopt: not yet known (no manifest, or the file changed since)
    std::string problem;               // why a manifest could not be made, a sentence; empty when fine
    std::string problem_reason;        // its reason word
    Code problem_code = Code::ok;      // its code: `corrupt` and `unsupported` are about the file, others about the moment
};

// All backup_…, before_restore_… and suspect_… files, newest first by sequence, unknown ones last.
// examine: files without a manifest are verified and judged by the guard now and their manifest is written, and a regular
// file of the old system under the pointer's name gets a name of its own (needs the operation's lock).
std::vector<ShelfItem> read_shelf(Store& store, bool examine, const Context& context, const GuardRules& rules = GuardRules());

// The name that `latest` resolves to, or the newest good backup when there is no pointer; nullopt when there is neither.
std::optional<std::string> latest_name(Store& store);
// What the pointers point to, whatever it is.
std::vector<std::string> pointed_names(Store& store);
// Points backup_latest<suffix> at `name`; a regular file of the old system under that name is renamed to
// backup_<its date>.json first, never replaced.
void set_latest(Store& store, const std::string& name);
// A name from outside (a file name, "latest", or an absolute path inside the folder) to a name in the store; anything
// else is refused: Failure{invalid_argument, "name_invalid"} or {not_found, "file_missing"} (S11).
std::string resolve_name(Store& store, const std::string& folder, const std::string& wanted);
// A free name of `kind` for the second in which reading began: after the highest number of that second, up to _99.
std::string free_name(Store& store, FileKind kind, std::int64_t unix_us, const std::string& suffix);
// The highest sequence of the deployment's files (empty: of those without one), and of `.reprise/sequence`.
std::int64_t highest_sequence(Store& store, const std::string& deployment);

void write_manifest(Store& store, const Manifest& manifest);  // of the file that it names
// What is remembered of a file, whether it still describes it or not; one that cannot be understood is as good as none.
std::optional<Manifest> manifest_of(Store& store, const std::string& name);

// Writes or renews what is remembered of a file that cannot be read, so that it is not read again at every start. Its manifest
// describes it no more, and keeps what people decided (pin, label, accept) for when it is whole again.
void remember_problem(Store& store, const Blob& blob, const Failure& failure);
void forget_problem(Store& store, const std::string& name);

}  // namespace reprise
