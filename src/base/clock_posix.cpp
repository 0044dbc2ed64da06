#include <ctime>

#include "base/clock.h"

namespace reprise {
namespace {

class SystemClock final : public Clock {
public:
    std::int64_t unix_us() const override { return read(CLOCK_REALTIME) / 1000; }
    std::int64_t boot_ms() const override { return read(CLOCK_BOOTTIME) / 1000000; }

private:
    static std::int64_t read(clockid_t id) {
        timespec now{};
        clock_gettime(id, &now);
        return static_cast<std::int64_t>(now.tv_sec) * 1000000000 + now.tv_nsec;
    }
};

}  // namespace

const Clock& system_clock() {
    static const SystemClock* clock = new SystemClock;  // never destroyed: a thread may outlive main()
    return *clock;
}

}  // namespace reprise
