// The lease: one operation at a time per database, in document {_id: "lease"} of collection "reprise", with a fencing term.
// Protocol: design/restore.md "Lease (S8)"; what is decided here is written down in this room's notes (lease.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/context.h"
#include "mongo/client.h"

namespace reprise {

constexpr const char* kOwnCollection = "reprise";
constexpr std::int64_t kLeaseTtlMs = 30000;
constexpr std::int64_t kLeaseCommandBoundMs = 5000;  // no command is begun with less than this left (a sixth of a shorter ttl)

struct LeaseHolder {
    std::string job;   // the holder's job id
    std::string text;  // for people: "job 123 (process 4711 on this machine)"
};

class Lease {
public:
    // Takes the lease, waiting up to wait_ms (0: one attempt, but a dead holder is replaced at once). Renewal runs on a
    // thread and client of its own. Failure{busy, "lease_held"} names the holder; {denied, "not_authorized"} when the user
    // may not write. on_wait is called when a wait begins and every ttl/3. A shorter ttl_ms is for tests. without_majority: as
    // Client::without_majority(), for the lease's own clients.
    static std::unique_ptr<Lease> acquire(const Secret& url, const std::string& database, const std::string& job,
                                          std::int64_t wait_ms, const Context& context,
                                          const std::function<void(const LeaseHolder&)>& on_wait = {},
                                          std::int64_t ttl_ms = kLeaseTtlMs, bool without_majority = false);
    virtual ~Lease() = default;  // releases cleanly (unsets holder and beat), bounded by 2 s; after fork it does nothing

    virtual const std::string& op() const = 0;  // 8 hex digits, new for every acquisition
    virtual std::int64_t term() const = 0;
    // Throws Failure{busy, "lease_lost"} when the lease is lost or less than kLeaseCommandBoundMs remains. Called before
    // every command that writes.
    virtual void check() const = 0;
    // The same, but only when it has run out: what every command is held to until its last byte is sent (Client::fence_with).
    virtual void check_held() const = 0;
    virtual const std::string& previous_op() const = 0;  // op of the holder that was taken over; empty after a clean release
};

}  // namespace reprise
