// Pointers of the local store (`latest`): a relative symbolic link; where links do not exist a hard link or a copy, told
// from a file of its own by `.reprise/pointers`. Private to the room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/files.h"
#include "store/local.h"

namespace reprise {

// The lines of `.reprise/pointers`: what stands under `name` with that inode, size and time is a hard link to, or copy of,
// `target`. (An inode alone is soon given to another file.)
class PointerTable {
public:
    struct Line {
        std::string identity, name, target;
    };
    bool empty() const { return lines.empty(); }
    std::optional<std::string> target_of(const Folder& folder, const std::string& name) const;
    std::vector<Line> lines;
};

PointerTable read_pointers(const Folder& folder);
// Failure{busy, "name_taken"} when a plain file stands there; {not_found, "file_missing"} without the target.
void point(const Folder& folder, const std::string& name, const std::string& target, Pointers first);
std::optional<std::string> pointer_target(const Folder& folder, const std::string& name);
void drop_pointer(const Folder& folder, const std::string& name);  // only when it is a pointer
bool is_plain_file(const Folder& folder, const std::string& name);

}  // namespace reprise
