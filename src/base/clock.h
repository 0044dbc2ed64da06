// Time, behind an interface so that tests can turn it.
#pragma once

#include <cstdint>

namespace reprise {

class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t unix_us() const = 0;      // UTC wall clock, microseconds since 1970
    virtual std::int64_t boot_ms() const = 0;      // CLOCK_BOOTTIME: monotonic, counts a suspended machine's sleep
};

const Clock& system_clock();  // lives as long as the process

}  // namespace reprise
