// Files of the local store: opened for reading by name, or being written under a temporary one. Private to the room.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/files.h"
#include "store/store.h"

namespace reprise {

std::int64_t modified_us_of(const struct stat& info);

// Follows links inside the folder only. Failure as Store::open says.
std::unique_ptr<OpenBlob> open_blob(const Folder& folder, const std::string& name);
std::unique_ptr<StagedBlob> create_blob(Folder folder);

void unlink_in(const Folder& folder, const std::string& name);
// Atomic and durable. False when the temporary file was swept away meanwhile; with `last` that is a Failure.
bool replace_file(const Folder& folder, const std::string& name, std::string_view bytes, bool last);

}  // namespace reprise
