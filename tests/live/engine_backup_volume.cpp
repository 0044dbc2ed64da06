// Memory does not grow with the data. REPRISE_TEST_DOCUMENTS says how many documents (20 000 without; the long run takes
// 2 000 000).
#include <fstream>

#include "engine_backup_support.h"

using namespace backup_test;

namespace {

constexpr std::int64_t kPeakMib = 256;

[[maybe_unused]] std::int64_t peak_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6)) / 1024;
    return 0;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

}  // namespace

TEST_CASE("hazard 12: a backup of many documents, some of them large, keeps within 256 MiB") {
    const char* count = std::getenv("REPRISE_TEST_DOCUMENTS");
    Fixture on;
    on.fill("users", count == nullptr ? 20000 : std::atoi(count));
    BatchWriter writer(on.client, on.place.database, "large");
    const std::string payload(15 * 1024 * 1024, 'x');
    for (int i = 0; i < 12; ++i) writer.add(BsonBuilder().add("_id", i).add("text", payload).str());
    writer.flush();
    REQUIRE(writer.error_count() == 0);
    forget_peak();
    const BackupResult result = on.back_up();
    CHECK(result.became_latest);
    CHECK(result.manifest.summary.find("large")->documents == 12);
#ifndef __SANITIZE_ADDRESS__
    CHECK(peak_mib() > 0);
    CHECK(peak_mib() <= kPeakMib);
    MESSAGE("peak: ", peak_mib(), " MiB");
#endif
}
