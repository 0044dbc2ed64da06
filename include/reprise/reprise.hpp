// reprise for C++17 hosts: the C interface of reprise.h with owners instead of pointers. Header only, nothing is added to
// the ABI. Compiles with -fno-exceptions -fno-rtti: whatever can fail returns a result<T>, and with exceptions switched on
// result<T>::or_throw() gives the value or throws failure.
//
//   auto opened = reprise::engine::open(config_json);
//   if (!opened) return complain(opened.error().message());
//   auto done = opened->run("backup", R"({"label":"nightly"})");
//   if (!done) return complain(done.error().message());
//   use(done->view());
#ifndef REPRISE_HPP
#define REPRISE_HPP

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "reprise/reprise.h"

#if defined(__cpp_exceptions)
#include <stdexcept>
#include <string>
#endif

namespace reprise {

// What went wrong; a value. Views are valid as long as it is.
class error {
public:
    error() noexcept : raw_{} {}
    explicit error(const reprise_error& raw) noexcept : raw_(raw) {}
    std::int32_t code() const noexcept { return raw_.code; }
    std::string_view code_name() const noexcept { return reprise_code_name(raw_.code); }
    std::string_view reason() const noexcept { return raw_.reason; }
    std::string_view message() const noexcept { return raw_.message; }
    std::int32_t origin() const noexcept { return raw_.origin; }
    std::int32_t origin_code() const noexcept { return raw_.origin_code; }
    bool retryable() const noexcept { return (raw_.flags & REPRISE_FLAG_RETRYABLE) != 0; }
    const reprise_error& raw() const noexcept { return raw_; }

private:
    reprise_error raw_;
};

#if defined(__cpp_exceptions)
class failure : public std::runtime_error {
public:
    explicit failure(const reprise::error& why) : std::runtime_error(std::string(why.message())), why_(why) {}
    const reprise::error& why() const noexcept { return why_; }

private:
    reprise::error why_;
};
#endif

// A value, or why there is none. Looking at the value of a failed one is the caller's bug, as with std::optional.
template <typename T>
class [[nodiscard]] result {
public:
    result(T value) noexcept : value_(std::move(value)) {}
    result(const reprise::error& why) noexcept : error_(why) {}
    bool ok() const noexcept { return value_.has_value(); }
    explicit operator bool() const noexcept { return ok(); }
    T& value() & noexcept { return *value_; }
    T&& value() && noexcept { return std::move(*value_); }
    T& operator*() noexcept { return *value_; }
    T* operator->() noexcept { return &*value_; }
    const reprise::error& error() const noexcept { return error_; }
#if defined(__cpp_exceptions)
    T or_throw() && {
        if (!ok()) throw failure(error_);
        return std::move(*value_);
    }
#endif

private:
    std::optional<T> value_;
    reprise::error error_;
};

template <>
class [[nodiscard]] result<void> {
public:
    result() noexcept = default;
    result(const reprise::error& why) noexcept : failed_(true), error_(why) {}
    bool ok() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return ok(); }
    const reprise::error& error() const noexcept { return error_; }
#if defined(__cpp_exceptions)
    void or_throw() const {
        if (failed_) throw failure(error_);
    }
#endif

private:
    bool failed_ = false;
    reprise::error error_;
};

// A string that reprise gave out, mostly JSON; ends with NUL. Empty when there was none (events, after a wait in vain).
class text {
public:
    text() noexcept = default;
    text(char* owned, std::size_t size) noexcept : data_(owned), size_(size) {}
    text(text&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    text& operator=(text&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    text(const text&) = delete;
    text& operator=(const text&) = delete;
    ~text() { reprise_free(data_); }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return {data_ == nullptr ? "" : data_, size_}; }
    const char* c_str() const noexcept { return data_ == nullptr ? "" : data_; }

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

namespace detail {

// An absent view (data() == nullptr) is "not given" in C as well.
template <typename Call>
result<text> text_from(Call&& call) noexcept {
    char* json = nullptr;
    std::size_t size = 0;
    reprise_error raw{};
    if (call(&json, &size, &raw) != REPRISE_OK) return error(raw);
    return text(json, size);
}

template <typename Call>
result<void> nothing_from(Call&& call) noexcept {
    reprise_error raw{};
    if (call(&raw) != REPRISE_OK) return error(raw);
    return {};
}

}  // namespace detail

// Bytes being read. One thread at a time.
class stream {
public:
    explicit stream(reprise_stream* owned) noexcept : handle_(owned) {}
    stream(stream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    stream& operator=(stream&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    ~stream() { reprise_stream_close(handle_); }

    // 0 only at the proven end.
    result<std::size_t> read(char* buffer, std::size_t capacity) noexcept {
        std::size_t size = 0;
        reprise_error raw{};
        if (reprise_stream_read(handle_, buffer, capacity, &size, &raw) != REPRISE_OK) return error(raw);
        return size;
    }

private:
    reprise_stream* handle_;
};

// An opened configuration: see reprise.h. Closing waits at most 2 s for what it cancelled.
class engine {
public:
    static result<engine> open(std::string_view config) noexcept {
        reprise_engine* handle = nullptr;
        reprise_error raw{};
        if (reprise_open(config.data(), config.size(), &handle, &raw) != REPRISE_OK) return reprise::error(raw);
        return engine(handle);
    }
    engine(engine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    engine& operator=(engine&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() { reprise_close(handle_); }
    reprise_engine* get() const noexcept { return handle_; }

    result<text> config() const noexcept {
        return detail::text_from([&](auto... out) { return reprise_config(handle_, out...); });
    }
    result<std::uint64_t> start(std::string_view kind, std::string_view options = {}) const noexcept {
        std::uint64_t job = 0;
        reprise_error raw{};
        if (reprise_job_start(handle_, kind.data(), kind.size(), options.data(), options.size(), &job, &raw) != REPRISE_OK)
            return reprise::error(raw);
        return job;
    }
    // Where the job stands when it has ended, or when wait_ms have passed.
    result<reprise_job_status> wait(std::uint64_t job, std::int64_t wait_ms) const noexcept {
        reprise_job_status status{};
        status.struct_size = sizeof status;
        reprise_error raw{};
        if (reprise_job_wait(handle_, job, wait_ms, &status, &raw) != REPRISE_OK) return reprise::error(raw);
        return status;
    }
    result<text> job_result(std::uint64_t job) const noexcept {
        return detail::text_from([&](auto... out) { return reprise_job_result(handle_, job, out...); });
    }
    result<void> cancel(std::uint64_t job) const noexcept {
        return detail::nothing_from([&](reprise_error* raw) { return reprise_job_cancel(handle_, job, raw); });
    }
    result<text> jobs() const noexcept {
        return detail::text_from([&](auto... out) { return reprise_job_list(handle_, out...); });
    }
    // Starts, waits, gives the result.
    result<text> run(std::string_view kind, std::string_view options = {}) const noexcept {
        return detail::text_from([&](auto... out) {
            return reprise_run(handle_, kind.data(), kind.size(), options.data(), options.size(), out...);
        });
    }
    result<text> list() const noexcept {
        return detail::text_from([&](auto... out) { return reprise_list(handle_, out...); });
    }
    result<text> show(std::string_view file = {}) const noexcept {
        return detail::text_from([&](auto... out) { return reprise_show(handle_, file.data(), file.size(), out...); });
    }
    result<text> remove(std::string_view file, std::string_view options = {}) const noexcept {
        return detail::text_from([&](auto... out) {
            return reprise_delete(handle_, file.data(), file.size(), options.data(), options.size(), out...);
        });
    }
    result<text> metrics() const noexcept {
        return detail::text_from([&](auto... out) { return reprise_metrics(handle_, out...); });
    }
    result<text> audit(std::string_view options = {}) const noexcept {
        return detail::text_from(
            [&](auto... out) { return reprise_audit_read(handle_, options.data(), options.size(), out...); });
    }
    result<text> status() const noexcept {
        return detail::text_from([&](auto... out) { return reprise_status(handle_, out...); });
    }
    // "identity", "passphrase" or "signing_key"; empty bytes take it away.
    result<void> set_secret(std::string_view name, std::string_view bytes) const noexcept {
        return detail::nothing_from([&](reprise_error* error) {
            return reprise_secret_set(handle_, name.data(), name.size(), bytes.data(), bytes.size(), error);
        });
    }

    result<text> mark(std::string_view file, std::string_view options) const noexcept {
        return detail::text_from([&](auto... out) {
            return reprise_mark(handle_, file.data(), file.size(), options.data(), options.size(), out...);
        });
    }
    result<stream> open_stream(std::string_view what, std::string_view file = {}) const noexcept {
        reprise_stream* opened = nullptr;
        reprise_error raw{};
        if (reprise_stream_open(handle_, what.data(), what.size(), file.data(), file.size(), &opened, &raw) != REPRISE_OK)
            return reprise::error(raw);
        return stream(opened);
    }
    // An empty text when wait_ms passed without an event.
    result<text> next_event(std::int64_t wait_ms) const noexcept {
        return detail::text_from([&](auto... out) { return reprise_events_next(handle_, wait_ms, out...); });
    }
    result<int> events_fd() const noexcept {
        int fd = -1;
        reprise_error raw{};
        if (reprise_events_fd(handle_, &fd, &raw) != REPRISE_OK) return reprise::error(raw);
        return fd;
    }
    result<void> set_log_hook(reprise_log_hook hook, void* user) const noexcept {
        return detail::nothing_from([&](reprise_error* raw) { return reprise_log_hook_set(handle_, hook, user, raw); });
    }
    result<void> start_service() const noexcept {
        return detail::nothing_from([&](reprise_error* raw) { return reprise_service_start(handle_, raw); });
    }
    result<void> stop_service(std::int64_t deadline_ms) const noexcept {
        return detail::nothing_from([&](reprise_error* raw) { return reprise_service_stop(handle_, deadline_ms, raw); });
    }
    result<void> shutdown(std::int64_t deadline_ms) const noexcept {
        return detail::nothing_from([&](reprise_error* raw) { return reprise_shutdown(handle_, deadline_ms, raw); });
    }

private:
    explicit engine(reprise_engine* owned) noexcept : handle_(owned) {}
    reprise_engine* handle_;
};

struct key_pair {
    text secret;  // wiped when it goes
    text shared;
};
// kind: "age" or "signing".
inline result<key_pair> new_key(std::string_view kind) noexcept {
    char *secret = nullptr, *shared = nullptr;
    std::size_t secret_size = 0, shared_size = 0;
    reprise_error raw{};
    if (reprise_key_new(kind.data(), kind.size(), &secret, &secret_size, &shared, &shared_size, &raw) != REPRISE_OK)
        return error(raw);
    return key_pair{text(secret, secret_size), text(shared, shared_size)};
}
// The shared part of a secret: recipients, one a line, or PEM.
inline result<text> key_recipient(std::string_view secret) noexcept {
    return detail::text_from([&](auto... out) { return reprise_key_recipient(secret.data(), secret.size(), out...); });
}

inline result<text> build() noexcept {
    return detail::text_from([](auto... out) { return reprise_build(out...); });
}

// Every engine of the process.
inline result<void> shutdown(std::int64_t deadline_ms) noexcept {
    return detail::nothing_from([&](reprise_error* raw) { return reprise_shutdown(nullptr, deadline_ms, raw); });
}

}  // namespace reprise

#endif
