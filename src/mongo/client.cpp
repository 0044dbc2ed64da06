#include "mongo/client.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "base/text.h"
#include "mongo/state.h"

namespace reprise {
namespace {

constexpr std::int64_t kRetryEveryMs = 300;  // between two attempts to find a server
constexpr std::int64_t kHelloBoundMs = 20000;
constexpr std::int32_t kCommandNotFound = 59;

Handle<mongoc_uri_t> parse(const Secret& url) {
    init_driver();
    bson_error_t error{};
    const std::string_view text = url.reveal();
    Handle<mongoc_uri_t> uri;
    if (text.find('\0') == std::string_view::npos) uri.reset(mongoc_uri_new_with_error(text.data(), &error));
    if (uri == nullptr)  // libmongoc's own text may repeat parts of the string
        throw Failure(
            Code::invalid_config, "mongo_url_invalid",
            "mongo_url is not a valid connection string: expected mongodb://[user:password@]host:port/[database][?options], "
            "with %-escapes in user and password");
    return uri;
}

std::string hosts_in(const mongoc_uri_t* uri) {
    std::string hosts;
    if (const char* service = mongoc_uri_get_srv_hostname(uri)) return printable(service);
    std::size_t count = 0;
    for (const mongoc_host_list_t* host = mongoc_uri_get_hosts(uri); host != nullptr && count < 8; host = host->next, ++count)
        hosts += (hosts.empty() ? "" : ",") + printable(host->host_and_port);
    return hosts;
}

std::string text_option(const mongoc_uri_t* uri, const char* name) {
    const char* text = mongoc_uri_get_option_as_utf8(uri, name, nullptr);
    return text == nullptr ? "" : text;
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

int part_of_version(std::string_view version, int part) {
    for (; part > 0; --part) version.remove_prefix(std::min(version.size(), version.find('.') + 1));
    int value = 0;
    for (const char c : version.substr(0, 5)) {
        if (c < '0' || c > '9') break;
        value = value * 10 + (c - '0');
    }
    return value;
}

// The driver's counters lie in shared memory under the process's id, and would stay there after its end, for it is never
// cleaned up. Its mapping needs no name. One that was there before is somebody else's: the host's own driver.
void start_driver() {
    const std::string counters = "/mongoc-" + std::to_string(::getpid());
    const int others = ::shm_open(counters.c_str(), O_RDONLY | O_CLOEXEC, 0);
    mongoc_init();
    if (others < 0)
        ::shm_unlink(counters.c_str());
    else
        ::close(others);
}

}  // namespace

void init_driver() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Its log goes to standard error and may carry the server's text; a host's streams are not ours to write to. Set
        // before the start, which already complains where a killed process of the same id left its counters in /dev/shm.
        mongoc_log_set_handler(nullptr, nullptr);
        start_driver();
    });
}

void check_mongo_url(const Secret& url) { parse(url); }
std::string hosts_of(const Secret& url) { return hosts_in(parse(url).get()); }

bool ServerInfo::at_least(int major_, int minor_, int patch_) const {
    if (major != major_) return major > major_;
    if (minor != minor_) return minor > minor_;
    return patch >= patch_;
}

bson_t* Reply::fresh() {
    bson_destroy(&bson_);
    bson_init(&bson_);
    return &bson_;
}

Client::State::State(const Secret& url, Cancel& cancel_, std::int64_t connect_ms_)
    : cancel(cancel_),
      connect_ms(std::max<std::int64_t>(connect_ms_, 1)),
      owner(::getpid()),
      uri(parse(url)),
      hosts(hosts_in(uri.get())) {
    const auto bound = static_cast<std::int32_t>(std::min<std::int64_t>(connect_ms, std::numeric_limits<std::int32_t>::max()));
    const std::int32_t given = mongoc_uri_get_option_as_int32(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, 10000);
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, given > 0 ? std::min(given, bound) : bound);
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, bound);
    // Waiting for a server is done here, where a cancel is heard; libmongoc looks once.
    mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_SERVERSELECTIONTRYONCE, true);
    // 0 means "do not block" to libmongoc's streams; silence is noticed by keep-alive.
    mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, std::numeric_limits<std::int32_t>::max());
    if (!mongoc_uri_get_tls(uri.get())) return;
    tls = *mongoc_ssl_opt_get_default();
    const char* const names[] = {MONGOC_URI_TLSCERTIFICATEKEYFILE, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD,
                                 MONGOC_URI_TLSCAFILE};
    for (std::size_t i = 0; i < 3; ++i) tls_files[i] = text_option(uri.get(), names[i]);
    tls.pem_file = or_null(tls_files[0]);
    tls.pem_pwd = or_null(tls_files[1]);
    tls.ca_file = or_null(tls_files[2]);
    const bool insecure = mongoc_uri_get_option_as_bool(uri.get(), MONGOC_URI_TLSINSECURE, false);
    tls.weak_cert_validation =
        insecure || mongoc_uri_get_option_as_bool(uri.get(), MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, false);
    tls.allow_invalid_hostname =
        insecure || mongoc_uri_get_option_as_bool(uri.get(), MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, false);
}

Client::State::~State() {
    if (in_child()) {
        // The connection belongs to the parent: libmongoc would end its sessions on it. Only the descriptors are given back.
        write_session.release();
        client.release();
        for (const int fd : sockets) ::close(fd);
        return;
    }
    fence = nullptr;
    const BoundedIo bound(*this, 1000);  // endSessions is a courtesy
    write_session.reset();
    client.reset();
}

void Client::State::check() {
    cancel.check();
    if (fence) fence();
}

bool Client::State::fenced() {
    try {
        if (fence) fence();
        return false;
    } catch (const Failure&) {
        return true;
    }
}

bool Client::State::in_child() const { return ::getpid() != owner; }

void Client::State::open_client() {
    write_session.reset();
    client.reset();
    bson_error_t error{};
    client.reset(mongoc_client_new_from_uri_with_error(uri.get(), &error));
    if (client == nullptr)
        throw Failure(Code::invalid_config, "mongo_url_invalid", "mongo_url names options that do not go together");
    mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_stream_initiator(client.get(), open_stream, this);
}

bool Client::State::try_select(bson_error_t& error) {
    const Handle<mongoc_server_description_t> found(mongoc_client_select_server(client.get(), true, nullptr, &error));
    check();
    return found != nullptr;
}

Failure Client::State::unreachable() const {
    const char* why = obstacle == Obstacle::name      ? "its name cannot be resolved"
                      : obstacle == Obstacle::refused ? "the connection was refused"
                      : obstacle == Obstacle::tls
                          ? "the tls handshake failed: check tlsCAFile and the host name in the certificate"
                          : "no answer, or no primary";
    return Failure(Code::unavailable, "server_unreachable",
                   "no usable mongodb server at " + hosts + " within " + std::to_string(connect_ms) + " ms (" + why +
                       "); check that it runs and that mongo_url is right")
        .may_retry();
}

void Client::State::connect() {
    check();
    if (in_child())
        throw Failure(Code::internal, "used_after_fork", "a connection of the parent process cannot be used after fork");
    if (connected) return;
    const std::int64_t until = system_clock().boot_ms() + connect_ms;
    bson_error_t error{};
    for (;;) {  // ends at `until`
        {
            const BoundedIo bound(*this, std::max<std::int64_t>(until - system_clock().boot_ms(), 1));
            open_client();  // anew: a client remembers a failed server for 5 s and would not try it again
            if (try_select(error)) break;
        }
        if (system_clock().boot_ms() + kRetryEveryMs >= until) throw unreachable();
        if (cancel.wait_ms(kRetryEveryMs)) cancel.check();
    }
    const BoundedIo bound(*this, std::max(kHelloBoundMs, connect_ms));
    read_hello();
    connected = true;
}

bool Client::State::wait_for_primary() {
    const std::int64_t until = system_clock().boot_ms() + connect_ms;
    bson_error_t error{};
    while (!try_select(error)) {
        if (system_clock().boot_ms() + kRetryEveryMs >= until) return false;
        if (cancel.wait_ms(kRetryEveryMs)) cancel.check();
    }
    return true;
}

std::uint32_t Client::State::select_server(const mongoc_read_prefs_t* preference) {
    bson_error_t error{};
    Handle<mongoc_server_description_t> found(mongoc_client_select_server(client.get(), false, preference, &error));
    check();
    if (found == nullptr && !wait_for_primary()) throw unreachable();
    if (found == nullptr) found.reset(mongoc_client_select_server(client.get(), false, preference, &error));
    if (found == nullptr) throw unreachable();
    return mongoc_server_description_id(found.get());
}

void Client::State::read_hello() {
    const auto ask = [this](const char* name, Reply& reply) {
        const std::string command = BsonBuilder().add(name, 1).str();
        const Exchange exchange{"admin", command};
        bson_error_t error{};
        if (!send(exchange, reply, error)) throw failure_of(exchange, reply, error);
    };
    Reply reply;
    try {
        ask("hello", reply);
    } catch (const Failure& failure) {
        if (failure.origin_code != kCommandNotFound) throw;
        ask("isMaster", reply);  // before 4.4.2
    }
    const BsonView hello(reply.bytes());
    const auto truthy = [&hello](std::string_view key) { return hello.find(key) && hello.find(key)->truthy(); };
    info.replica_set = hello.find("setName").has_value();
    info.mongos = hello.find("msg") && hello.find("msg")->type == BsonType::string && hello.find("msg")->text() == "isdbgrid";
    if (const auto wire = hello.find("maxWireVersion"); wire && wire->is_number())
        info.max_wire_version = static_cast<int>(wire->integer());
    sessions = (info.replica_set || info.mongos) && hello.find("logicalSessionTimeoutMinutes").has_value();
    if (!truthy("isWritablePrimary") && !truthy("ismaster"))
        throw Failure(Code::denied, "not_primary",
                      "the server at " + hosts +
                          " is not the primary; name the whole replica set in mongo_url "
                          "and leave directConnection out");
    ask("buildInfo", reply);
    if (const auto version = BsonView(reply.bytes()).find("version"); version && version->type == BsonType::string)
        info.version = printable(version->text());
    info.major = part_of_version(info.version, 0);
    info.minor = part_of_version(info.version, 1);
    info.patch = part_of_version(info.version, 2);
}

Handle<mongoc_client_session_t> Client::State::new_session() {
    if (!sessions) return nullptr;
    // Without causal consistency, or libmongoc would add its own fields to our read concern.
    mongoc_session_opt_t* options = mongoc_session_opts_new();
    mongoc_session_opts_set_causal_consistency(options, false);
    bson_error_t error{};
    Handle<mongoc_client_session_t> session(mongoc_client_start_session(client.get(), options, &error));
    mongoc_session_opts_destroy(options);
    return session;
}

std::int64_t Client::State::next_write() {
    if (write_session == nullptr) write_session = new_session();
    if (write_session == nullptr) throw Failure(Code::internal, "driver_refused", "the driver has no session to give");
    return ++write_number;
}

Client::Client(const Secret& url, Cancel& cancel, std::int64_t connect_ms)
    : state_(std::make_unique<State>(url, cancel, connect_ms)) {}
Client::~Client() = default;

const ServerInfo& Client::server() {
    state_->connect();
    return state_->info;
}

}  // namespace reprise
