#include "service/throttle.h"

#include <algorithm>
#include <vector>

#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"
#include "service/audit.h"
#include "store/local.h"

namespace reprise {
namespace {

constexpr const char* kKey = "authentication";
constexpr const char* kOthers = "others";
constexpr const char* kNotAuthenticated = "not_authenticated";

struct Counter {
    Refusal of;
    std::int64_t minute = 0, count = 0;
};

std::int64_t minute_of(std::int64_t now_us) { return now_us / kMinuteUs; }

// A file that cannot be read counts nothing: it is written anew at the next refusal.
std::vector<Counter> read_counters(Store& store) {
    std::vector<Counter> out;
    const auto text = store.read_state(kKey);
    if (!text) return out;
    try {
        const Json json = parse_json(*text);
        for (const auto& one : json.as_array())
            out.push_back({{one.at("address").as_string(), one.at("reason").as_string(), one.at("who").as_string()},
                           one.at("minute").as_int(),
                           one.at("count").as_int()});
    } catch (const Failure&) {
        out.clear();
    }
    return out;
}

void write_counters(Store& store, const std::vector<Counter>& counters) {
    Json json = Json::array();
    for (const auto& one : counters)
        json.push(Json::object({{"address", one.of.address},
                                {"reason", one.of.reason},
                                {"who", one.of.who},
                                {"minute", one.minute},
                                {"count", one.count}}));
    store.write_state(kKey, json.text() + "\n");
}

bool same(const Refusal& a, const Refusal& b) { return a.address == b.address && a.reason == b.reason && a.who == b.who; }

Counter& counter_for(std::vector<Counter>& counters, const Refusal& refusal, std::int64_t minute) {
    for (auto& one : counters)
        if (same(one.of, refusal)) return one;
    const std::size_t most = refusal.who.empty() ? kMaxAddresses : kMaxCounters;
    if (counters.size() >= most && refusal.address != kOthers)
        return counter_for(counters, {kOthers, refusal.reason, ""}, minute);
    counters.push_back({refusal, minute, 0});
    return counters.back();
}

AuditEntry entry_for(const Counter& counter) {
    AuditEntry entry;
    entry.actor = {"rest", counter.of.who, counter.of.address, ""};
    entry.what = "authentication";
    entry.result = "refused";
    entry.reason = counter.of.reason;
    entry.count = counter.count;
    entry.minute_us = counter.minute * kMinuteUs;
    return entry;
}

// Takes the counters of other minutes out (earlier ones, and later ones when the clock went back).
std::vector<Counter> take_over(std::vector<Counter>& counters, std::int64_t minute) {
    const auto split =
        std::stable_partition(counters.begin(), counters.end(), [&](const Counter& one) { return one.minute == minute; });
    std::vector<Counter> over(split, counters.end());
    counters.erase(split, counters.end());
    return over;
}

// Writes what was counted in other minutes to the audit log, and counts `told` in this one, where it is given.
void turn_over(Store& store, const std::string& folder, std::int64_t minute, const Refusal* told) {
    std::vector<Counter> over;
    {
        const StateLock lock(folder);
        auto counters = read_counters(store);
        over = take_over(counters, minute);
        if (told != nullptr) ++counter_for(counters, *told, minute).count;
        write_counters(store, counters);
    }
    for (const auto& one : over) audit_add(store, folder, entry_for(one));
}

}  // namespace

std::int64_t must_wait_s(Store& store, const std::string& address, std::int64_t now_us) {
    const std::int64_t minute = minute_of(now_us);
    const auto counters = read_counters(store);
    const auto over = [&](const std::string& who, std::int64_t most) {
        return std::any_of(counters.begin(), counters.end(), [&](const Counter& one) {
            return same(one.of, {who, kNotAuthenticated, ""}) && one.minute == minute && one.count >= most;
        });
    };
    if (!over(printable(address), kFailuresPerMinute) && !over(kOthers, kCountedMost)) return 0;
    return ((minute + 1) * kMinuteUs - now_us + 999999) / 1000000;
}

void count_refusal(Store& store, const std::string& folder, const Refusal& refusal, std::int64_t now_us) {
    const std::int64_t minute = minute_of(now_us);
    const Refusal told{printable(refusal.address), refusal.reason, printable(refusal.who)};
    for (const auto& one : read_counters(store))
        if ((same(one.of, told) || same(one.of, {kOthers, told.reason, ""})) && one.minute == minute &&
            one.count >= kCountedMost)
            return;
    turn_over(store, folder, minute, &told);
}

void flush_refusals(Store& store, const std::string& folder, std::int64_t now_us) {
    const std::int64_t minute = minute_of(now_us);
    const auto seen = read_counters(store);
    const auto is_over = [&](const Counter& one) { return one.minute != minute; };
    if (std::any_of(seen.begin(), seen.end(), is_over)) turn_over(store, folder, minute, nullptr);
}

}  // namespace reprise
