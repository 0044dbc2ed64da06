// One opened configuration: what the C ABI's handle holds. Opening starts nothing: no thread, no connection, no file.
// Thread-safe; after fork it works in the child, on state of its own (see fork.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/audit.h"
#include "service/cat.h"
#include "service/config.h"
#include "service/download.h"
#include "service/events.h"
#include "service/jobs.h"
#include "service/throttle.h"

namespace reprise {

class Service {
public:
    explicit Service(std::string_view config_json);
    ~Service();  // cancels, waits at most kCloseMs, leaves what is stuck
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    Json config() const { return config_to_json(*config_); }
    void set_secret(const std::string& name, std::string_view bytes);

    std::uint64_t start(std::string_view kind, std::string_view options);
    JobRecord wait(std::uint64_t job, std::int64_t wait_ms);
    Json result(std::uint64_t job);  // throws the job's own failure when it failed; {busy, "job_running"} while it runs
    void cancel(std::uint64_t job, const Actor& actor = {});
    std::shared_ptr<const void> hold(std::uint64_t job);  // see Jobs
    Json jobs();
    Json run(std::string_view kind, std::string_view options);

    void start_service();                         // the schedule's thread, where one is configured
    bool stop_service(std::int64_t deadline_ms);  // false when it has not ended

    Json list();
    Json show(const std::string& file);
    Json describe(const std::string& file);  // show, but of a file that was never verified only what list says: bounded
    Json status();
    Json mark(const std::string& file, std::string_view options);
    Json remove(const std::string& file, std::string_view options);  // one file of a person's choice (removing.h)
    // A refusal stands in the audit log; that it was sent is told by tell_download, by whoever sends it.
    Download open_download(const std::string& file, const Actor& actor);
    void tell_download(const Download& file, const Actor& actor);
    Json health();
    std::string metrics();

    const AdminSettings& admin_settings() const { return config_->admin; }
    const PushedSecrets& secrets() const { return *secrets_; }
    void warn(const std::string& message);  // a line of the log
    // Seconds until this address is heard again, after too many failed authentications with any worker; 0: now.
    std::int64_t must_wait_s(const std::string& address, std::int64_t now_us);
    void count_refusal(const Refusal& refusal, std::int64_t now_us);  // never throws

    Json read_audit(std::string_view options);  // {"lines": […newest first], "check": {…}}; options: limit
    void add_audit(std::string_view line);      // a line of the host's own: what, result, reason, file, actor
    void audit(const AuditEntry& entry);        // into the log and to the host as an event; never throws

    // what: "cat", the plain JSON that is checked as it is read, or "download", the stored bytes.
    std::unique_ptr<Source> open_stream(std::string_view what, const std::string& file);

    std::optional<Json> next_event(std::int64_t wait_ms);
    int events_descriptor();
    void set_log_hook(LogHook hook);

    bool shutdown(std::int64_t deadline_ms);  // false when something still runs

private:
    struct Runtime;
    Runtime& runtime();
    template <typename Call>
    Json audited(AuditEntry entry, Call&& call);

    const std::shared_ptr<const Config> config_;
    const std::shared_ptr<PushedSecrets> secrets_ = std::make_shared<PushedSecrets>();
    std::atomic<Runtime*> runtime_{nullptr};  // of this process; the parent's is left behind after fork
    std::atomic<decltype(LogHook::call)> hook_call_{nullptr};
    std::atomic<void*> hook_user_{nullptr};
};

constexpr std::int64_t kCloseMs = 2000;

// Every Service of this process: cancels their jobs, waits until deadline_ms have passed; false when something still runs.
bool shutdown_all(std::int64_t deadline_ms);
const char* version_text();
Json describe_build();

}  // namespace reprise
