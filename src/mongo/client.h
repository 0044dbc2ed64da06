// One connection to a MongoDB deployment, for one thread. mongo is the only room that includes libmongoc; documents come
// and go as BSON bytes. Sockets are opened by our own stream initiator and registered with the job's Cancel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/secret.h"

namespace reprise {

// Parses and checks a connection string without touching the network: Failure{invalid_config, "mongo_url_invalid"} that
// never repeats the string. `directConnection` to a secondary is refused when connected ("not_primary").
void check_mongo_url(const Secret& url);
// "host:port,host:port" of a connection string, for people; no user, password or option.
std::string hosts_of(const Secret& url);

struct ServerInfo {
    std::string version;  // "7.0.12"
    int major = 0, minor = 0, patch = 0;
    bool replica_set = false, mongos = false;
    int max_wire_version = 0;
    bool at_least(int major_, int minor_ = 0, int patch_ = 0) const;
};

enum class Concern {
    read,      // primary, read concern local
    majority,  // writes: w majority, journaled (w 1, journaled, on a standalone); reads: read concern majority where there is
               // one
    none,      // the command as it is
};

struct CommandOptions {
    Concern concern = Concern::read;
    std::int64_t max_time_ms = 0;  // sent as maxTimeMS when > 0
    bool retryable_write = false;  // adds lsid and txnNumber and sends it once more after a network error
};

class Client {
public:
    // Does not connect. `connect_ms`: bound on finding a usable server (10 000 by default).
    Client(const Secret& url, Cancel& cancel, std::int64_t connect_ms = 10000);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Runs `command` on the primary and returns its reply. A reply with ok: 0, writeErrors or writeConcernError throws
    // Failure with origin server, its code, and a message made of code, code name, index and namespace only (S10):
    //   unavailable "server_unreachable" | "server_lost" (retryable) · denied "not_authorized" | "authentication_failed"
    //   server "server_error" (origin_code is the server's) · timed_out "server_timeout" · cancelled "cancelled"
    std::string command(std::string_view database, std::string_view command, CommandOptions options = {});
    // As command(), but a reply with ok: 1 and writeErrors is returned for the caller to look into.
    std::string write_command(std::string_view database, std::string_view command, CommandOptions options = {});

    // From here on `fence` is asked before every write to a socket. When it throws a Failure nothing is sent, and the command
    // throws that: so a process that was stopped between its last look at the lease and its next command sends nothing when it
    // wakes. Empty: no fence. It is called on this client's thread, and is outlived by the client only when taken away.
    void fence_with(std::function<void()> fence);

    // A person's word: from here on this client's writes that would wait for a majority wait for the primary's journal alone.
    void without_majority();

    const ServerInfo& server();  // connects at the first call
    // Microseconds since 1970 by the server's clock are never used: clocks are not compared.

    struct State;
    State& state() { return *state_; }  // for the other files of this room

private:
    std::unique_ptr<State> state_;
};

}  // namespace reprise
