// Inside of Client, shared by the files of this room and by nobody else: libmongoc's handles in RAII, our own streams,
// one place that sends a command and one that turns an answer into a Failure.
#pragma once

#include <mongoc/mongoc.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bson.h"
#include "base/clock.h"
#include "base/failure.h"
#include "mongo/client.h"

namespace reprise {

struct Destroy {
    void operator()(mongoc_uri_t* it) const { mongoc_uri_destroy(it); }
    void operator()(mongoc_client_t* it) const { mongoc_client_destroy(it); }
    void operator()(mongoc_client_session_t* it) const { mongoc_client_session_destroy(it); }
    void operator()(mongoc_server_description_t* it) const { mongoc_server_description_destroy(it); }
    void operator()(mongoc_read_prefs_t* it) const { mongoc_read_prefs_destroy(it); }
};
template <typename T>
using Handle = std::unique_ptr<T, Destroy>;

// A reply that libmongoc filled. Movable by swapping its place on the heap.
class Reply {
public:
    Reply() { bson_init(&bson_); }
    ~Reply() { bson_destroy(&bson_); }
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;
    bson_t* fresh();  // emptied, ready to be handed to libmongoc as an uninitialized bson_t
    std::string_view bytes() const { return {reinterpret_cast<const char*>(bson_get_data(&bson_)), bson_.len}; }

private:
    bson_t bson_;
};

// One exchange with the server.
struct Exchange {
    std::string_view database;
    std::string_view command;                         // BSON, as it goes out
    mongoc_client_session_t* session = nullptr;       // its lsid is added
    std::uint32_t server_id = 0;                      // 0: the primary, chosen anew
    const mongoc_read_prefs_t* preference = nullptr;  // null: primary
};

// Why the last attempt to open a socket failed, for the message.
enum class Obstacle { none, name, refused, silent, tls };

struct Client::State {
    State(const Secret& url, Cancel& cancel, std::int64_t connect_ms);
    ~State();
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    void connect();  // until a primary answered and its hello is read, or connect_ms passed; a no-op when done
    // Sends it and fills `reply`. True: the server answered with ok: 1 and no writeConcernError. Throws only what check() does.
    bool send(const Exchange& exchange, Reply& reply, bson_error_t& error);
    // Waits until a primary can be chosen again after a lost connection; false when connect_ms passed.
    bool wait_for_primary();
    std::uint32_t select_server(const mongoc_read_prefs_t* preference);  // throws server_unreachable
    Handle<mongoc_client_session_t> new_session();                       // null where the server has no sessions
    std::int64_t next_write();  // a number for a retryable write, to be sent with write_session
    Failure failure_of(const Exchange& exchange, const Reply& reply, const bson_error_t& error) const;
    Failure unreachable() const;
    void check();           // throws what the cancel or the fence says
    bool fenced();          // the fence is down: nothing may be sent
    bool in_child() const;  // after fork, in the child: nothing here may touch the sockets any more
    // No read or write blocks beyond this moment of CLOCK_BOOTTIME; 0: no bound. Used while connecting and by the lease.
    std::int64_t deadline_ms = 0;

    Cancel& cancel;
    std::function<void()> fence;
    const std::int64_t connect_ms;
    const pid_t owner;
    Handle<mongoc_uri_t> uri;
    std::string hosts;
    mongoc_ssl_opt_t tls{};
    std::string tls_files[3];  // what `tls` points to: certificate key file, its password, CA file
    ServerInfo info;
    bool connected = false, sessions = false;
    bool primary_alone = false;  // Client::without_majority()
    Obstacle obstacle = Obstacle::none;
    std::vector<int> sockets;  // open ones
    Handle<mongoc_client_t> client;
    Handle<mongoc_client_session_t> write_session;  // lsid of retryable writes; goes before its client
    std::int64_t write_number = 0;

private:
    void open_client();
    void read_hello();
    bool try_select(bson_error_t& error);
};

// For the time of one command or a few: a bound on every read and write of the client. Nested ones only tighten.
class BoundedIo {
public:
    BoundedIo(Client::State& state, std::int64_t ms) : state_(state), before_(state.deadline_ms) {
        const std::int64_t until = system_clock().boot_ms() + ms;
        if (before_ == 0 || until < before_) state.deadline_ms = until;
    }
    ~BoundedIo() { state_.deadline_ms = before_; }
    BoundedIo(const BoundedIo&) = delete;
    BoundedIo& operator=(const BoundedIo&) = delete;

private:
    Client::State& state_;
    std::int64_t before_;
};

void init_driver();  // mongoc_init, once in the process; never cleaned up (the host may use the driver too)
// The stream initiator: resolves, connects and, where the connection string asks, wraps in TLS. user_data: Client::State.
mongoc_stream_t* open_stream(const mongoc_uri_t* uri, const mongoc_host_list_t* host, void* user_data, bson_error_t* error);

// Sends a whole command; when it may be retried (its txnNumber and write_session with it) once more after a lost connection
// or primary. True: it was sent twice.
bool send_or_throw(Client::State& state, const Exchange& exchange, bool retryable, Reply& reply);
// The server's complaint in its three shapes (ok: 0, writeErrors, writeConcernError), as a Failure without its free text.
std::optional<Failure> complaint_of(std::string_view reply, std::string_view database, std::string_view command);
std::string_view command_name(std::string_view command);
std::string plain_code_name(const BsonView& error);  // its codeName when that is letters and digits (S10), else empty
std::string namespace_of(std::string_view database, std::string_view command);  // "db.coll", or "db"
bool is_lost_primary(std::int32_t server_code);  // not primary, shutting down, …: worth another try

// Runs a command that answers with a cursor, to its end. visit: one document, valid during the call.
void for_each_result(Client& client, std::string_view database, std::string_view command,
                     const std::function<void(std::string_view)>& visit);

}  // namespace reprise
