// Key files of the host: read whole, small, and secret ones only when nobody but their owner can read them.
#pragma once

#include <string>

namespace reprise {

enum class KeyFile { secret, open };

// Failure{not_found, "file_missing"}, {denied, "key_file_exposed"} for a secret that group or others can read, {invalid_config,
// "key_invalid"} for more than 256 KiB or something that is no file. The message names the file and never what it holds.
std::string read_key_file(const std::string& path, KeyFile kind);

}  // namespace reprise
