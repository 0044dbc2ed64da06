// Refused requests, counted per address across all workers on a folder: whoever guesses tokens is told to wait, and the audit
// log gets one counted line per address, reason, subject and minute.
#pragma once

#include <cstdint>
#include <string>

#include "store/store.h"

namespace reprise {

constexpr std::int64_t kFailuresPerMinute = 10;  // of one address; the next is told to wait
constexpr std::int64_t kCountedMost = 100;       // in one counter; whoever floods makes us write no more
constexpr std::size_t kMaxAddresses = 20;        // told apart in a minute; all others share one counter of kCountedMost
constexpr std::size_t kMaxCounters = 200;        // with those of people who are known
constexpr std::int64_t kMinuteUs = 60 * 1000000LL;

struct Refusal {
    std::string address, reason, who;  // who: known when the token was good and its bearer no administrator
};

// Seconds until this address is heard again after too many failed authentications; 0: now. Reads one small file.
std::int64_t must_wait_s(Store& store, const std::string& address, std::int64_t now_us);
// Counts one. Minutes that are over are written to the audit log and forgotten.
void count_refusal(Store& store, const std::string& folder, const Refusal& refusal, std::int64_t now_us);
// Writes what was counted in minutes that are over.
void flush_refusals(Store& store, const std::string& folder, std::int64_t now_us);

}  // namespace reprise
