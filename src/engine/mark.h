// What people decide about one file: pinned or not, its label, and that a suspect backup is right after all. Under the
// folder's lock, without the server.
#pragma once

#include <optional>
#include <string>

#include "base/context.h"
#include "engine/place.h"
#include "format/manifest.h"

namespace reprise {

struct MarkWish {
    std::optional<bool> pin;
    std::optional<std::string> label;
    bool accept = false;
};

// `name` is one in the store (resolve_name). accept: the file is read to its end first (S2), as verify does and with its
// failures; then it is good and the new measure, what it lost against older ones is
// not missed any more; a suspect_… file is renamed to backup_…, and `latest` moves when it is the newest good one. Cut off at
// any point, the file is what it was or accepted, and accepting again ends it. Returns the manifest under the name that the
// file has now. Failure{busy, "folder_locked"}; {not_found, "file_missing"}; {refused, "not_verified"}: verify the file first;
// {refused, "not_acceptable"}: a safety backup, partial, edited, of the replaced system, of another database or deployment, or
// signed by nobody whom this host trusts.
Manifest mark(const Place& place, const std::string& name, const MarkWish& wish, const Context& context);

}  // namespace reprise
