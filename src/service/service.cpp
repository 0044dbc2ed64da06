#include "service/service.h"

#include <algorithm>
#include <filesystem>

#include "base/failure.h"
#include "base/text.h"
#include "format/model.h"
#include "service/catalogue.h"
#include "service/fork.h"
#include "service/health.h"
#include "service/marking.h"
#include "service/options.h"
#include "service/registry.h"
#include "service/removing.h"
#include "service/ticker.h"
#include "service/work.h"
#include "store/local.h"

namespace reprise {

// What belongs to one process. shared_ptr: a caller that still waits in it, or a job, may outlive the Service's own share.
struct Service::Runtime {
    Runtime(const std::shared_ptr<const Config>& config, std::uint64_t made_in)
        : generation(made_in),
          events(std::make_shared<Events>(config->log_level)),
          jobs(std::make_shared<Jobs>(config->directory, events)),
          ticker(std::make_shared<Ticker>(config, jobs, events)) {}
    const std::uint64_t generation;
    std::shared_ptr<Events> events;
    std::shared_ptr<Jobs> jobs;
    std::shared_ptr<Ticker> ticker;

    bool shutdown(std::int64_t deadline_ms) {
        ticker->request_all();
        jobs->request_all();
        const std::int64_t until = system_clock().boot_ms() + deadline_ms;
        // The ticker ends its own job; then no new one comes.
        const bool ended = ticker->shutdown(deadline_ms);
        return jobs->shutdown(std::max<std::int64_t>(0, until - system_clock().boot_ms())) && ended;
    }
};

namespace {

std::int64_t clamp_wait(std::int64_t wait_ms) { return wait_ms < 0 ? kLongestWaitMs : std::min(wait_ms, kLongestWaitMs); }

AuditEntry entry_of(const Actor& actor, const char* what, const std::string& file) {
    AuditEntry entry;
    entry.actor = actor;
    entry.what = what;
    entry.file = file;
    return entry;
}

AuditEntry ended_as(AuditEntry entry, const Failure& failure) {
    entry.result = is_refusal(failure) ? "refused" : "failed";
    entry.reason = failure.reason;
    return entry;
}

Json result_of(JobRecord record) {
    if (record.state == JobState::running)
        throw Failure(Code::busy, "job_running", "job " + std::to_string(record.id) + " is still running; wait for its end")
            .may_retry();
    if (record.error) throw *record.error;
    return std::move(record.result);
}

}  // namespace

Service::Service(std::string_view config_json) : config_(std::make_shared<const Config>(parse_config(config_json))) {
    watch_forks();
}

Service::~Service() {
    Runtime* mine = runtime_.load();
    // The parent's runtime may be locked by threads that this child does not have.
    if (mine == nullptr || mine->generation != fork_generation() || forked_while_busy()) return;
    mine->shutdown(kCloseMs);
    mine->events->close();
    delete mine;
}

Service::Runtime& Service::runtime() {
    Runtime* seen = runtime_.load();
    while (seen == nullptr || seen->generation != fork_generation()) {
        auto* fresh = new Runtime(config_, fork_generation());
        fresh->events->set_hook({hook_call_.load(), hook_user_.load()});
        if (runtime_.compare_exchange_strong(seen, fresh)) {
            enlist(fresh->jobs);
            enlist(fresh->ticker);
            return *fresh;
        }
        delete fresh;
    }
    return *seen;
}

void Service::set_secret(const std::string& name, std::string_view bytes) { secrets_->set(name, bytes); }

std::uint64_t Service::start(std::string_view kind, std::string_view options) {
    const Kind known = parse_kind(kind);
    JobPlan plan = plan_job({config_, secrets_}, known, parse_options(known, options));
    prepare_for_exit();
    return runtime().jobs->start(std::move(plan));
}

JobRecord Service::wait(std::uint64_t job, std::int64_t wait_ms) { return runtime().jobs->wait(job, clamp_wait(wait_ms)); }

Json Service::result(std::uint64_t job) { return result_of(runtime().jobs->wait(job, 0)); }

void Service::cancel(std::uint64_t job, const Actor& actor) {
    runtime().jobs->cancel(job);
    AuditEntry entry = entry_of(actor, "cancel", "");
    entry.job = job;
    audit(entry);
}

std::shared_ptr<const void> Service::hold(std::uint64_t job) { return runtime().jobs->hold(job); }

Json Service::jobs() {
    Json all = Json::array();
    for (const auto& job : runtime().jobs->list()) all.push(job_to_json(job));
    return Json::object({{"jobs", std::move(all)}});
}

Json Service::run(std::string_view kind, std::string_view options) {
    return result_of(wait(start(kind, options), kLongestWaitMs));
}

void Service::start_service() {
    prepare_for_exit();
    Runtime& mine = runtime();
    mine.ticker->start([setup = Setup{config_, secrets_}, jobs = mine.jobs](Json options) {
        options.set("actor", actor_to_json({"schedule", "", "", ""}));
        return jobs->start(plan_job(setup, Kind::backup, std::move(options)));
    });
}

bool Service::stop_service(std::int64_t deadline_ms) { return runtime().ticker->shutdown(clamp_wait(deadline_ms)); }

Json Service::list() { return list_backups(*config_); }

Json Service::show(const std::string& file) { return show_backup({config_, secrets_}, file); }

Json Service::describe(const std::string& file) {
    const auto store = open_local_store(config_->directory, true);
    Json entry = list_entry(*config_, resolve_name(*store, config_->directory, file));
    return entry.at("state").as_string() == "unknown" ? entry : show(file);
}

Json Service::status() {
    Json running;
    for (const auto& job : runtime().jobs->list()) {
        if (job.state != JobState::running) continue;
        const bool reads = job.kind == "verify" || job.kind == "preview";  // in nobody's way
        if (running.is_null() || !reads) running = job_to_json(job);
        if (!reads) break;
    }
    Json out = folder_status(*config_, std::move(running));
    return out.set("schedule", schedule_status(*config_, runtime().ticker->running()));
}

Json Service::mark(const std::string& file, std::string_view options) {
    const Json asked = parse_checked(options, mark_schema());
    const char* what = yes_or(asked, "accept", false) ? "accept"
                       : asked.find("pin") == nullptr ? "label"
                       : yes_or(asked, "pin", false)  ? "pin"
                                                      : "unpin";
    return audited(entry_of(actor_in(asked), what, file), [&] { return mark_file({config_, secrets_}, file, asked); });
}

Json Service::remove(const std::string& file, std::string_view options) {
    const Json asked = parse_checked(options, delete_schema());
    return audited(entry_of(actor_in(asked), "delete", file), [&] { return remove_file(*config_, file, asked); });
}

Download Service::open_download(const std::string& file, const Actor& actor) {
    try {
        return Download(*config_, file);
    } catch (const Failure& failure) {
        audit(ended_as(entry_of(actor, "download", file), failure));
        throw;
    }
}

void Service::tell_download(const Download& file, const Actor& actor) { audit(entry_of(actor, "download", file.name())); }

Json Service::health() { return health_of(list(), status(), config_->admin.max_age_hours, system_clock().unix_us()); }

std::string Service::metrics() {
    const Json now = status();
    return metrics_of(health_of(list(), now, config_->admin.max_age_hours, system_clock().unix_us()), now);
}

void Service::warn(const std::string& message) { runtime().events->log(Level::warning, message); }

std::int64_t Service::must_wait_s(const std::string& address, std::int64_t now_us) {
    try {
        return reprise::must_wait_s(*open_local_store(config_->directory, true), address, now_us);
    } catch (const Failure& failure) {
        warn("refused requests are not limited: " + failure.message);
        return 0;
    }
}

void Service::count_refusal(const Refusal& refusal, std::int64_t now_us) {
    try {
        // A folder that is not there yet is not made by whoever guesses tokens.
        std::error_code error;
        if (!std::filesystem::is_directory(config_->directory, error)) return;
        reprise::count_refusal(*open_local_store(config_->directory), config_->directory, refusal, now_us);
    } catch (const Failure& failure) {
        runtime().events->log(Level::warning, "a refused request was not counted: " + failure.message);
    }
}

Json Service::read_audit(std::string_view options) {
    const Json asked = parse_checked(options, audit_schema());
    try {
        std::error_code error;
        if (std::filesystem::is_directory(config_->directory, error))
            flush_refusals(*open_local_store(config_->directory), config_->directory, system_clock().unix_us());
    } catch (const Failure& failure) {
        runtime().events->log(Level::debug, "counted refusals were not written: " + failure.message);
    }
    const auto store = open_local_store(config_->directory, true);
    Json lines = Json::array(), problems = Json::array();
    for (auto& line : audit_read(*store, static_cast<std::size_t>(number_or(asked, "limit", kAuditLines))))
        lines.push(std::move(line));
    const AuditCheck check = audit_check(*store);
    for (const auto& problem : check.problems) problems.push(problem);
    return Json::object({{"lines", std::move(lines)},
                         {"check", Json::object({{"whole", check.problems.empty()},
                                                 {"lines", check.lines},
                                                 {"first", check.first},
                                                 {"last", check.last},
                                                 {"last_hash", check.last_hash},
                                                 {"problems", std::move(problems)}})}});
}

void Service::add_audit(std::string_view line) {
    const AuditEntry entry = audit_entry_in(parse_checked(line, audit_line_schema()));
    std::error_code error;
    if (!std::filesystem::is_directory(config_->directory, error))
        throw Failure(Code::not_found, "folder_missing",
                      "there is no folder " + printable(config_->directory) + " yet, and so no log");
    Json event = audit_add(*open_local_store(config_->directory), config_->directory, entry);
    runtime().events->push(event.set("event", "audit"));
}

void Service::audit(const AuditEntry& entry) { write_audit(config_->directory, entry, *runtime().events); }

template <typename Call>
Json Service::audited(AuditEntry entry, Call&& call) {
    const std::int64_t began_ms = system_clock().boot_ms();
    std::optional<Failure> failed;
    Json result;
    try {
        result = call();
        if (const Json* name = result.find("filename")) entry.file = name->as_string();
    } catch (const Failure& failure) {
        failed = failure;
        entry = ended_as(std::move(entry), failure);
    }
    entry.duration_ms = system_clock().boot_ms() - began_ms;
    audit(entry);
    if (failed) throw *failed;
    return result;
}

std::unique_ptr<Source> Service::open_stream(std::string_view what, const std::string& file) {
    if (what == "download") {
        auto out = std::make_unique<Download>(open_download(file.empty() ? "latest" : file, {}));
        tell_download(*out, {});
        return out;
    }
    if (what != "cat")
        throw Failure(Code::invalid_argument, "stream_unknown",
                      "unknown kind of stream " + printable(what) + ": known are cat and download");
    auto out = std::make_unique<CatStream>(Setup{config_, secrets_}, file);
    audit(entry_of({}, "cat", file.empty() ? "latest" : file));
    return out;
}

std::optional<Json> Service::next_event(std::int64_t wait_ms) { return runtime().events->next(clamp_wait(wait_ms)); }

int Service::events_descriptor() { return runtime().events->descriptor(); }

void Service::set_log_hook(LogHook hook) {
    hook_call_.store(hook.call);
    hook_user_.store(hook.user);
    runtime().events->set_hook(hook);
}

bool Service::shutdown(std::int64_t deadline_ms) { return runtime().shutdown(clamp_wait(deadline_ms)); }

bool shutdown_all(std::int64_t deadline_ms) { return shutdown_enlisted(clamp_wait(deadline_ms)); }

const char* version_text() { return kVersion; }

Json describe_build() {
    Json kinds = Json::array(), options = Json::object();
    for (const Kind kind : all_kinds()) {
        kinds.push(kind_name(kind));
        options.set(kind_name(kind), describe_keys(options_schema(kind)));
    }
    return Json::object({{"version", kVersion},
                         {"driver", "libmongoc, " REPRISE_DRIVER_TEXT},
                         {"compiler", __VERSION__},
                         {"format", kFormat},
                         {"kinds", std::move(kinds)},
                         {"configuration", describe_keys(config_schema())},
                         {"options", std::move(options)},
                         {"mark", describe_keys(mark_schema())},
                         {"delete", describe_keys(delete_schema())},
                         {"audit", describe_keys(audit_schema())}});
}

}  // namespace reprise
