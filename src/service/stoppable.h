// Something with threads of its own that the end of the process, or reprise_shutdown, stops.
#pragma once

#include <cstdint>

namespace reprise {

class Stoppable {
public:
    virtual ~Stoppable() = default;
    virtual void request_all() = 0;  // asks everything to stop
    // Asks, waits until deadline_ms have passed; false when something still runs.
    virtual bool shutdown(std::int64_t deadline_ms) = 0;
};

}  // namespace reprise
