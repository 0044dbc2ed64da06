// Built in place of deflate_isal.cpp where ISA-L is not there.
#include "stream/deflate.h"

namespace reprise {

bool has_isal() { return false; }
std::unique_ptr<Deflater> isal_deflater(int) { return nullptr; }
std::unique_ptr<Inflater> isal_inflater() { return nullptr; }
std::uint32_t isal_crc32(std::uint32_t before, std::string_view) { return before; }

}  // namespace reprise
