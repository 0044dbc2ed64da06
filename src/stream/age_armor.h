// Takes the armor off an age file (PEM-like text, strict). Only for reading: we never write it.
#pragma once

#include <memory>
#include <string>

#include "stream/sink.h"

namespace reprise {

// `head`: bytes of `inner` that were read already. Failure{corrupt, "armor_invalid"} naming the line; {corrupt,
// "file_truncated"} when the end line never comes.
std::unique_ptr<Source> make_armor_source(Source& inner, std::string head = {});

}  // namespace reprise
