// Failed authentications, counted per address across all workers on a folder: who guesses is slowed down, and the audit log
// gets one counted line per address and minute.
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

namespace reprise {

constexpr std::int64_t kFailuresPerMinute = 10;  // of one address; the next is told to wait
constexpr std::size_t kMaxAddresses = 1000;      // counted at once; past that all others share one counter
constexpr std::int64_t kMinuteUs = 60 * 1000000LL;

// Seconds until this address may try again; 0: now. Reads one small file.
std::int64_t must_wait_s(Store& store, const std::string& address, std::int64_t now_us);
// Counts a failure. Minutes that are over are written to the audit log and forgotten.
void count_failure(Store& store, const std::string& folder, const std::string& address, std::int64_t now_us);

}  // namespace reprise
