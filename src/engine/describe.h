// A manifest made of what a file says of itself.
#pragma once

#include <string>

#include "format/manifest.h"
#include "format/reader.h"
#include "store/store.h"

namespace reprise {

// Header, summary and hash of a file that was read whole; name, kind, size and time are the blob's.
Manifest describe(const Header& header, const Summary& summary, const std::string& sha256);
void describe_blob(Manifest& manifest, const std::string& name, std::int64_t size_bytes, std::int64_t modified_us);

}  // namespace reprise
