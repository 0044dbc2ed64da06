// keygen: a new key pair; the secret goes to a file that only its owner can read, the shared part to stdout.
#pragma once

#include "arguments.h"

namespace cli {

// Throws Problem, also when the file is there already: a key is never written over.
int keygen(const Arguments& arguments);

}  // namespace cli
