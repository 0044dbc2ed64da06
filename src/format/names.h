// Names of files and of what stands in them: backup_YYYYMMDD_HHMMSS[_NN].json and its kin. Pure text, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reprise {

enum class FileKind { backup, before_restore, suspect };  // backup_… · before_restore_… · suspect_…

struct FileName {
    FileKind kind = FileKind::backup;
    std::string stamp;   // "20251012_162721", UTC
    int number = 1;      // 1, or the NN of _NN (2…99)
    std::string suffix;  // ".json", later ".json.zst.age", …

    std::string text() const;
};

std::optional<FileName> parse_file_name(std::string_view name);  // nullopt: not one of ours (backup_latest… included)
constexpr std::string_view kLatest = "backup_latest";            // + suffix

// Our own collections: "reprise" and everything that begins with "reprise_" and 8 hex digits and "_".
bool is_own_collection(std::string_view name);
// Why a collection name from outside cannot be trusted, or nullopt when it is fine: empty, NUL, '$', leading '.' or
// "system." (system.js allowed when asked), our own prefix, not UTF-8, over 255 bytes together with the database.
std::optional<std::string> collection_name_problem(std::string_view database, std::string_view collection);
std::optional<std::string> database_name_problem(std::string_view database);

}  // namespace reprise
