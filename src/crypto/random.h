// Random bytes from OpenSSL's generator (seeded by the kernel, safe after fork).
#pragma once

#include <cstdint>
#include <string>

namespace reprise {

std::string random_bytes(std::size_t count);
std::string random_hex(std::size_t bytes);  // 2 × bytes lower-case hex digits

}  // namespace reprise
