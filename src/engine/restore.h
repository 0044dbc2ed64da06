// restore: a file back into the database, all or nothing (mode replace), or document by document (mode merge).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/empty_rule.h"
#include "engine/operation.h"
#include "format/manifest.h"

namespace reprise {

enum class RestoreMode { replace, merge };

struct RestoreOptions {
    std::string file;  // a name in the store
    RestoreMode mode = RestoreMode::replace;
    bool exact = false;                         // collections that the backup does not know are retired too
    std::vector<std::string> include, exclude;  // exact names; empty: all that the file holds
    bool other_database = false;                // the file's database or deployment differs from the place's: restore anyway
    bool adopt = false;                         // take over the file's deployment id
    bool no_safety_backup = false;              // explicit word of a person; startup never has it
    bool allow_unsharded = false;
    bool non_unique = false;                  // build a unique index that cannot be built as a plain one, and say so
    bool without_majority = false;            // no write waits for a majority (place.h)
    bool accept_unsigned = false;             // a person's word for a file that no trusted key signed
    bool accept_unproven = false;             // startup: a file of the replaced system is wanted by rule
    bool startup = false;                     // called by startup: last look compares with "empty", indexes kept (restore.md)
    std::vector<std::string> expected_empty;  // startup: the collections that were empty when the rule was asked
    std::optional<EmptyRule> lost;            // startup: the rule, asked again before the swap
};

struct RestoredCollection {
    std::string name, type;
    std::int64_t documents = 0;
    std::int64_t inserted = 0, replaced = 0, unchanged = 0, conflicts = 0;  // merge only
};

struct RestoreResult {
    std::string file;
    std::string safety_file;          // the safety backup's name; empty when there was nothing to save
    std::vector<std::string> copies;  // partial safety copies of writes that arrived during the restore
    std::vector<RestoredCollection> collections;
    std::vector<std::string> left_alone;  // collections that the backup does not know
    std::int64_t documents = 0, swapped_ms = 0, duration_ms = 0;
    std::vector<std::string> warnings;
};

RestoreResult restore(const Place& place, const RestoreOptions& options, const Context& context);
RestoreResult restore_within(Operation& operation, const Place& place, const RestoreOptions& options, const Context& context);

}  // namespace reprise
