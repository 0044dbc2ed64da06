// Our own sockets under libmongoc: connected here with a bound, known to the job's Cancel while they are open, watched by
// TCP keep-alive instead of a socket timeout. libmongoc's buffered stream is left out: it copies every reply once more.
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>

#include "base/leaving.h"
#include "base/thread.h"
#include "mongo/state.h"

namespace reprise {
namespace {

constexpr int kStreamType = 77;                                    // none of libmongoc's own
constexpr std::int64_t kSliceMs = 50;                              // how late a cancel may reach a connect or a name look-up
constexpr int kKeepIdleS = 60, kKeepEveryS = 15, kKeepProbes = 6;  // a silent peer is noticed after 2.5 minutes
constexpr std::size_t kMaxAddresses = 16;
constexpr nfds_t kMaxPolled = 64;  // members of a replica set: at most 50

struct Socket {
    mongoc_stream_t stream;  // first: libmongoc casts
    int fd;
    int error;
    Client::State* owner;
};

Socket* self(mongoc_stream_t* stream) { return reinterpret_cast<Socket*>(stream); }

std::int64_t now_ms() { return system_clock().boot_ms(); }

// Milliseconds that poll may wait: by the caller's timeout and by the client's own deadline. -1: for ever.
int patience_ms(const Socket& socket, std::int64_t until) {
    const std::int64_t own = socket.owner->deadline_ms;
    if (own > 0 && (until < 0 || own < until)) until = own;
    if (until < 0) return -1;
    return static_cast<int>(std::clamp<std::int64_t>(until - now_ms(), 0, 1000000000));
}

int poll_idly(pollfd* polled, nfds_t count, int timeout_ms) {
    const IdleSpan idle;
    return ::poll(polled, count, timeout_ms);
}

bool await(Socket& socket, short events, std::int64_t until, bool at_once) {
    for (;;) {
        pollfd one{socket.fd, events, 0};
        const int ready = poll_idly(&one, 1, at_once ? 0 : patience_ms(socket, until));
        if (ready > 0) return true;
        if (ready < 0 && errno == EINTR) continue;
        socket.error = ready < 0 ? errno : at_once ? EAGAIN : ETIMEDOUT;
        return false;
    }
}

// libmongoc's meaning of a timeout: negative is its default of an hour (here: no bound), 0 is "do not block".
std::int64_t until_of(std::int32_t timeout_msec) { return timeout_msec < 0 ? -1 : now_ms() + timeout_msec; }

ssize_t receive(Socket& socket, mongoc_iovec_t& into, std::int64_t until, bool at_once) {
    for (;;) {
        const ssize_t got = ::recv(socket.fd, into.iov_base, into.iov_len, MSG_DONTWAIT);
        if (got >= 0) {
            socket.error = 0;
            return got;
        }
        socket.error = errno;
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        if (!await(socket, POLLIN, until, at_once)) return -1;
    }
}

ssize_t read_vectors(mongoc_stream_t* stream, mongoc_iovec_t* vectors, size_t count, size_t min_bytes,
                     std::int32_t timeout_msec) {
    Socket& socket = *self(stream);
    park_if_leaving();
    const std::int64_t until = until_of(timeout_msec);
    size_t total = 0, at = 0;
    while (at < count) {
        mongoc_iovec_t rest = vectors[at];
        const ssize_t got = receive(socket, rest, until, timeout_msec == 0);
        if (got <= 0) {
            errno = socket.error;
            return total >= min_bytes && (got == 0 || total > 0) ? static_cast<ssize_t>(total) : -1;
        }
        total += static_cast<size_t>(got);
        vectors[at].iov_base = static_cast<char*>(rest.iov_base) + got;
        vectors[at].iov_len -= static_cast<size_t>(got);
        if (vectors[at].iov_len == 0) ++at;
        if (total >= min_bytes) break;
    }
    return static_cast<ssize_t>(total);
}

// How many bytes went out; a short count only with socket.error set.
ssize_t write_vectors(mongoc_stream_t* stream, mongoc_iovec_t* vectors, size_t count, std::int32_t timeout_msec) {
    Socket& socket = *self(stream);
    park_if_leaving();
    const std::int64_t until = until_of(timeout_msec);
    ssize_t total = 0;
    socket.error = 0;
    while (count > 0) {
        if (socket.owner->fenced()) {  // as late as can be: nothing lies between this and the kernel
            socket.error = ECANCELED;
            break;
        }
        msghdr message{};
        message.msg_iov = vectors;
        message.msg_iovlen = std::min<size_t>(count, 64);
        ssize_t sent = ::sendmsg(socket.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            socket.error = errno;
            return -1;
        }
        if (sent < 0) {
            if (!await(socket, POLLOUT, until, timeout_msec == 0)) break;
            continue;
        }
        total += sent;
        for (; count > 0 && static_cast<size_t>(sent) >= vectors->iov_len; --count)
            sent -= static_cast<ssize_t>((vectors++)->iov_len);
        if (count > 0) {
            vectors->iov_base = static_cast<char*>(vectors->iov_base) + sent;
            vectors->iov_len -= static_cast<size_t>(sent);
        }
    }
    if (total == 0 && socket.error != 0) {
        errno = socket.error;
        return -1;
    }
    return total;
}

int close_socket(mongoc_stream_t* stream) {
    Socket& socket = *self(stream);
    if (socket.fd < 0) return 0;
    socket.owner->cancel.remove_socket(socket.fd);
    auto& open = socket.owner->sockets;
    open.erase(std::remove(open.begin(), open.end(), socket.fd), open.end());
    const int result = ::close(socket.fd);
    socket.fd = -1;
    return result;
}

void destroy_socket(mongoc_stream_t* stream) {
    close_socket(stream);
    delete self(stream);
}

int flush_socket(mongoc_stream_t*) { return 0; }

int set_option(mongoc_stream_t* stream, int level, int name, void* value, mongoc_socklen_t length) {
    return ::setsockopt(self(stream)->fd, level, name, value, length);
}

bool check_closed(mongoc_stream_t* stream) {
    char byte;
    const ssize_t got = ::recv(self(stream)->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

ssize_t poll_sockets(mongoc_stream_poll_t* streams, size_t count, std::int32_t timeout) {
    pollfd polled[kMaxPolled];
    if (count > kMaxPolled) {
        errno = EINVAL;
        return -1;
    }
    for (size_t i = 0; i < count; ++i) polled[i] = {self(streams[i].stream)->fd, static_cast<short>(streams[i].events), 0};
    const int ready = poll_idly(polled, static_cast<nfds_t>(count), timeout);
    for (size_t i = 0; i < count; ++i) streams[i].revents = polled[i].revents;
    return ready;
}

bool timed_out(mongoc_stream_t* stream) { return self(stream)->error == ETIMEDOUT; }
bool should_retry(mongoc_stream_t* stream) {
    const int error = self(stream)->error;
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

mongoc_stream_t* wrap(int fd, Client::State& state) {
    auto* socket = new Socket{};
    socket->fd = fd;
    socket->owner = &state;
    mongoc_stream_t& stream = socket->stream;
    stream.type = kStreamType;
    stream.destroy = destroy_socket;
    stream.failed = destroy_socket;
    stream.close = close_socket;
    stream.flush = flush_socket;
    stream.writev = write_vectors;
    stream.readv = read_vectors;
    stream.setsockopt = set_option;
    stream.check_closed = check_closed;
    stream.poll = poll_sockets;
    stream.timed_out = timed_out;
    stream.should_retry = should_retry;
    state.sockets.push_back(fd);
    state.cancel.add_socket(fd);
    return &stream;
}

// A descriptor that is closed unless it is handed on.
struct Descriptor {
    int fd = -1;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int release() { return std::exchange(fd, -1); }
};

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

// A name look-up cannot be interrupted, so it runs on a thread of its own that is left behind when nobody waits any more.
struct Lookup {
    std::mutex mutex;
    std::condition_variable wake;
    bool done = false;
    int result = EAI_AGAIN;
    AddressList addresses;
};

int look_up(const std::string& host, const std::string& port, int flags, AddressList& into) {
    const IdleSpan idle;
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    return ::getaddrinfo(host.c_str(), port.c_str(), &hints, &into.first);
}

bool resolve(const std::string& host, const std::string& port, std::int64_t until, Client::State& state, AddressList& into) {
    if (look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV, into) == 0) return true;
    auto lookup = std::make_shared<Lookup>();
    Thread thread("reprise-dns", [lookup, host, port] {
        AddressList found;
        const int result = look_up(host, port, AI_NUMERICSERV, found);
        const std::lock_guard<std::mutex> hold(lookup->mutex);
        lookup->result = result;
        std::swap(lookup->addresses.first, found.first);
        lookup->done = true;
        lookup->wake.notify_all();
    });
    thread.detach();
    std::unique_lock<std::mutex> hold(lookup->mutex);
    while (!lookup->done && !state.cancel.requested() && now_ms() < until)
        lookup->wake.wait_for(hold, std::chrono::milliseconds(kSliceMs));
    if (!lookup->done || lookup->result != 0) return false;
    std::swap(into.first, lookup->addresses.first);
    return true;
}

void tune(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kKeepIdleS, sizeof kKeepIdleS);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kKeepEveryS, sizeof kKeepEveryS);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kKeepProbes, sizeof kKeepProbes);
    // Data that stays unacknowledged is silence too; keep-alive alone does not notice it.
    const unsigned int unacknowledged_ms = 1000U * (kKeepIdleS + kKeepEveryS * kKeepProbes);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

// A connected descriptor, or -1 with state.obstacle set.
int connect_to(const sockaddr* address, socklen_t length, int family, std::int64_t until, Client::State& state) {
    Descriptor socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    state.obstacle = Obstacle::refused;
    if (socket.fd < 0) return -1;
    if (family != AF_UNIX) tune(socket.fd);
    if (::connect(socket.fd, address, length) == 0) return socket.release();
    if (errno != EINPROGRESS) return -1;
    while (!state.cancel.requested() && now_ms() < until) {
        pollfd one{socket.fd, POLLOUT, 0};
        if (poll_idly(&one, 1, static_cast<int>(kSliceMs)) <= 0) continue;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == ETIMEDOUT) state.obstacle = Obstacle::silent;
        return error == 0 ? socket.release() : -1;
    }
    state.obstacle = Obstacle::silent;
    return -1;
}

int connect_unix(const mongoc_host_list_t& host, std::int64_t until, Client::State& state) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(host.host) >= sizeof address.sun_path) return -1;
    std::strcpy(address.sun_path, host.host);
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, AF_UNIX, until, state);
}

int connect_tcp(const mongoc_host_list_t& host, std::int64_t until, Client::State& state) {
    AddressList addresses;
    state.obstacle = Obstacle::name;
    if (!resolve(host.host, std::to_string(host.port), until, state, addresses)) return -1;
    std::size_t tried = 0;
    for (const addrinfo* one = addresses.first; one != nullptr && tried < kMaxAddresses; one = one->ai_next, ++tried) {
        const int fd = connect_to(one->ai_addr, one->ai_addrlen, one->ai_family, until, state);
        if (fd >= 0) return fd;
    }
    return -1;
}

mongoc_stream_t* add_tls(mongoc_stream_t* plain, const mongoc_host_list_t& host, std::int32_t timeout_ms, Client::State& state,
                         bson_error_t* error) {
    mongoc_stream_t* secure = mongoc_stream_tls_new_with_hostname(plain, host.host, &state.tls, 1);
    if (secure == nullptr) {
        mongoc_stream_destroy(plain);
    } else if (mongoc_stream_tls_handshake_block(secure, host.host, timeout_ms, error)) {
        return secure;
    } else {
        mongoc_stream_destroy(secure);
    }
    state.obstacle = Obstacle::tls;
    return nullptr;
}

}  // namespace

mongoc_stream_t* open_stream(const mongoc_uri_t* uri, const mongoc_host_list_t* host, void* user_data, bson_error_t* error) {
    auto& state = *static_cast<Client::State*>(user_data);
    const std::int32_t timeout_ms = mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 10000);
    std::int64_t until = now_ms() + timeout_ms;
    if (state.deadline_ms > 0) until = std::min(until, state.deadline_ms);
    try {
        const int fd = host->family == AF_UNIX ? connect_unix(*host, until, state) : connect_tcp(*host, until, state);
        mongoc_stream_t* stream = fd < 0 ? nullptr : wrap(fd, state);
        if (stream != nullptr && mongoc_uri_get_tls(uri)) stream = add_tls(stream, *host, timeout_ms, state, error);
        if (stream != nullptr) {
            state.obstacle = Obstacle::none;
            return stream;
        }
    } catch (const std::exception&) {
        state.obstacle = Obstacle::name;  // no thread or memory for the look-up; nothing may be thrown through libmongoc
    }
    bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "cannot connect");
    return nullptr;
}

}  // namespace reprise
