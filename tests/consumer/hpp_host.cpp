// A C++ host without exceptions and without type information, over reprise.hpp.
#include "reprise/reprise.hpp"

#include "check.h"

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile this with -fno-exceptions -fno-rtti"
#endif

