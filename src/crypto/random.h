// Random bytes from OpenSSL's generator (seeded by the kernel, safe after fork).
#pragma once

#include <cstdint>
#include <string>

#include "base/secret.h"

namespace reprise {

std::string random_bytes(std::size_t count);
void random_secret(Secret& secret);         // fills it
std::string random_hex(std::size_t bytes);  // 2 × bytes lower-case hex digits

// Starts OpenSSL, where the host has not, with its own clean-up at exit().
void begin_crypto();
// Gives back what OpenSSL keeps for the calling thread, which uses it no more. OpenSSL does so itself when a thread exits,
// under a lock of the whole process; a fork at that moment would leave the lock held in the child for ever.
void leave_crypto();

}  // namespace reprise
