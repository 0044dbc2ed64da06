// rekey: the same content under a new file key, for the recipients of today.
#pragma once

#include <string>
#include <vector>

#include "engine/verify.h"

namespace reprise {

struct RekeyResult {
    Manifest manifest;  // of the new file; id, sequence and content hash are the old one's
    std::string path;
    std::string replaced;  // the old file, which is gone
    std::vector<std::string> warnings;
};

// Opens and verifies the file, writes it again encrypted (compressed as it was, or not), reads that back, moves `latest` and
// what people decided to it, and only then removes the old one: whoever could open that opens it no more. Failure{refused,
// "encryption_not_configured"} without recipients or passphrase; otherwise as verify_file.
RekeyResult rekey(const Place& place, const std::string& name, const Context& context);

}  // namespace reprise
