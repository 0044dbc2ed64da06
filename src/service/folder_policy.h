// What the host of a folder decided about its backups: `.reprise/policy`, the keys sentinel, startup, guard and retention as
// they stood in its configuration. Whoever works in the folder without such keys, a person with the command before an import,
// follows them, so that nothing is pruned or believed by rules that nobody chose for it.
#pragma once

#include <memory>

#include "base/context.h"
#include "service/actor.h"
#include "service/config.h"
#include "store/store.h"

namespace reprise {

Json policy_in(const Json& config);  // of a checked configuration: those of the keys that it has
// The configuration with the folder's rules where it has none of its own; a file that cannot be understood is passed over.
std::shared_ptr<const Config> with_folder_policy(const std::shared_ptr<const Config>& config, Store& store,
                                                 const Context& context);
// Remembers the rules of `config`, if it has any; those of the command line are one call's and are not. Never throws.
void remember_policy(const Config& config, const Actor& actor, Store& store, const Context& context);

}  // namespace reprise
