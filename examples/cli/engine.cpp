#include "engine.h"

#include <csignal>
#include <cstdio>
#include <memory>

namespace cli {
namespace {

constexpr std::int64_t slice_ms = 200;
constexpr std::size_t chunk_bytes = 1 << 18;
constexpr int events_at_once = 1024;

volatile std::sig_atomic_t interrupted = 0;

void count_interrupt(int) { interrupted = interrupted + 1; }

const char* origin_name(std::int32_t origin) {
    static const char* const names[] = {"own", "server", "system", "http", "tls"};
    return origin >= 0 && origin < 5 ? names[origin] : "own";
}

void check(std::int32_t code, const reprise_error& error) {
    if (code == REPRISE_OK) return;
    Problem problem(code, error.reason[0] == '\0' ? "unknown" : error.reason, error.message);
    problem.origin = origin_name(error.origin);
    problem.origin_code = error.origin_code;
    problem.retryable = (error.flags & REPRISE_FLAG_RETRYABLE) != 0;
    throw problem;
}

// Takes over a string of the library's.
std::string taken(char* text, std::size_t size) {
    const std::unique_ptr<char, void (*)(char*)> owner(text, reprise_free);
    return text == nullptr ? std::string() : std::string(text, size);
}

// The option "given" by pointer and length: nothing for an empty name.
const char* pointer_of(const std::string& file) { return file.empty() ? nullptr : file.data(); }

}  // namespace

int interrupts() { return interrupted; }

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = count_interrupt;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

Engine::Engine(const std::string& config) {
    reprise_error error{};
    check(reprise_open(config.data(), config.size(), &handle_, &error), error);
}

std::string Engine::list() {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_list(handle_, &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::show(const std::string& file) {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_show(handle_, file.data(), file.size(), &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::status() {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_status(handle_, &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::mark(const std::string& file, const std::string& options) {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_mark(handle_, file.data(), file.size(), options.data(), options.size(), &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::remove(const std::string& file, const std::string& options) {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_delete(handle_, file.data(), file.size(), options.data(), options.size(), &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::audit(const std::string& options) {
    reprise_error error{};
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_audit_read(handle_, options.data(), options.size(), &json, &size, &error), error);
    return taken(json, size);
}

std::string Engine::run(const std::string& kind, const std::string& options, const Tick& tick, const Say& say) {
    reprise_error error{};
    std::uint64_t job = 0;
    check(reprise_job_start(handle_, kind.data(), kind.size(), options.data(), options.size(), &job, &error), error);
    wait(job, tick, say);
    char* json = nullptr;
    std::size_t size = 0;
    check(reprise_job_result(handle_, job, &json, &size, &error), error);
    return taken(json, size);
}

void Engine::wait(std::uint64_t job, const Tick& tick, const Say& say) {
    reprise_error error{};
    bool asked = false;
    for (;;) {
        reprise_job_status status{};
        status.struct_size = sizeof status;
        check(reprise_job_wait(handle_, job, slice_ms, &status, &error), error);
        drain(say);
        if (status.state != REPRISE_JOB_RUNNING) return;
        tick(status);
        if (interrupts() > 1) throw Problem(REPRISE_E_CANCELLED, "cancelled", "interrupted twice: the job was left");
        if (interrupts() > 0 && !asked) {
            asked = true;
            check(reprise_job_cancel(handle_, job, &error), error);
        }
    }
}

void Engine::drain(const Say& say) {
    for (int i = 0; i < events_at_once; ++i) {
        char* json = nullptr;
        std::size_t size = 0;
        if (reprise_events_next(handle_, 0, &json, &size, nullptr) != REPRISE_OK || json == nullptr) return;
        const std::string event = taken(json, size);
        if (say) say(event);
    }
}

void Engine::cat(const std::string& file) {
    reprise_error error{};
    reprise_stream* opened = nullptr;
    check(reprise_stream_open(handle_, "cat", 3, pointer_of(file), file.size(), &opened, &error), error);
    const std::unique_ptr<reprise_stream, void (*)(reprise_stream*)> stream(opened, reprise_stream_close);
    std::string chunk(chunk_bytes, '\0');
    for (;;) {
        std::size_t size = 0;
        check(reprise_stream_read(stream.get(), chunk.data(), chunk.size(), &size, &error), error);
        if (size == 0) break;
        if (std::fwrite(chunk.data(), 1, size, stdout) != size) break;
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw Problem(REPRISE_E_IO, "io_error", "cannot write to stdout");
}

}  // namespace cli
