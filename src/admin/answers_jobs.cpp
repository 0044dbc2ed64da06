// Answers that take a job: started here, ended later; the response waits for it, or 202 says where to look.
#include <algorithm>

#include "admin/answers.h"
#include "admin/body.h"
#include "admin/problem.h"
#include "base/failure.h"
#include "base/text.h"

namespace reprise {
namespace {

using Finish = Json (*)(const Json& result, Language language);

bool wants_async(const Request& request) {
    const auto preferences = request.elements("prefer", ',');  // RFC 7240
    return std::any_of(preferences.begin(), preferences.end(), [](std::string_view one) {
        const std::string_view token = one.substr(0, one.find_first_of(" ;="));
        return same_word(token, "respond-async");
    });
}

// The path back to the prefix is "" below it and "../" below "jobs/": links are relative, and resolve against the request.
Answer started(const Asked& asked, std::uint64_t job) {
    const std::string id = std::to_string(job);
    Answer out = json_answer(202, Json::object({{"success", true},
                                                {"message", phrase(Phrase::accepted_job, asked.language)},
                                                {"job", job},
                                                {"href", "jobs/" + id}}));
    out.headers.emplace_back("location", "jobs/" + id);
    out.headers.emplace_back("preference-applied", "respond-async");
    return out;
}

std::optional<Answer> ended(Service& service, std::uint64_t job, Language language, Finish finish, std::int64_t wait_ms) {
    try {
        if (service.wait(job, wait_ms).state == JobState::running) return std::nullopt;
        return json_answer(200, finish(service.result(job), language).set("job", job));
    } catch (const Failure& failure) {
        return problem_answer(failure, language, busy_with(service, failure).set("job", job));
    }
}

Made run(const Asked& asked, const char* kind, Json options, Finish finish) {
    options.set("actor", actor_to_json(actor_of(asked)));
    const std::uint64_t job = asked.service.start(kind, options.text());
    if (wants_async(asked.request)) return made(started(asked, job));
    Service& service = asked.service;
    return std::make_unique<Response>([&service, job, finish, held = service.hold(job), language = asked.language](
                                          std::int64_t wait_ms) { return ended(service, job, language, finish, wait_ms); });
}

// The replaced system's keys first, then everything that the job found.
Json answer_of(bool success, const std::string& message, const Json& result) {
    Json out = Json::object({{"success", success}, {"message", message}});
    for (const auto& [key, value] : result.as_object()) out.set(key, value);
    return out;
}

Json created(const Json& result, Language language) {
    Json out = answer_of(true, phrase(Phrase::backup_created, language), result);
    return out.set("backup_file", result.at("path"));
}

Json restored(const Json& result, Language language) {
    const bool merge = result.at("mode").as_string() == "merge";
    Json out = answer_of(true, phrase(merge ? Phrase::merged : Phrase::backup_restored, language), result);
    return out.set("backup_file", result.at("file"));
}

Json verified(const Json& result, Language language) {
    return answer_of(true, phrase(Phrase::backup_verified, language), result);
}

Json previewed(const Json& result, Language language) { return answer_of(true, phrase(Phrase::preview, language), result); }

std::uint64_t job_of(const Asked& asked) {
    std::uint64_t id = 0;
    for (const char c : asked.rest) {
        if (c < '0' || c > '9' || id > (1ULL << 53) / 10)
            throw Failure(Code::not_found, "job_unknown", "job " + printable(asked.rest) + " is not known in this folder");
        id = id * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return id;
}

}  // namespace

Json busy_with(Service& service, const Failure& failure) {
    if (failure.code != Code::busy) return Json::object();
    return Json::object({{"running", service.status().at("running")}});
}

Made answer_create(const Asked& asked) {
    const Json body = read_body(asked.request, {"label", "accept_smaller", "include", "exclude", "reason"});
    if (body.find("reason") != nullptr) return run(asked, "before", body, created);
    return run(asked, "backup", body, created);
}

Made answer_restore(const Asked& asked) {
    const Json body = read_body(asked.request, {"filename", "mode", "collections", "dry_run", "exact", "other_database"});
    Json options = Json::object();
    if (const Json* name = body.find("filename")) options.set("file", file_name_in(*name));
    for (const char* key : {"mode", "exact", "other_database"})
        if (const Json* value = body.find(key)) options.set(key, *value);
    if (const Json* names = body.find("collections")) options.set("include", *names);
    const Json* dry = body.find("dry_run");
    if (dry != nullptr && dry->is_bool() && dry->as_bool()) return run(asked, "preview", options, previewed);
    if (dry != nullptr && !dry->is_bool())
        throw Failure(Code::invalid_argument, "key_type_wrong", "key dry_run of the body must be true or false");
    return run(asked, "restore", options, restored);
}

Made answer_verify(const Asked& asked) {
    const Json body = read_body(asked.request, {"filename"});
    Json options = Json::object();
    if (const Json* name = body.find("filename")) options.set("file", file_name_in(*name));
    return run(asked, "verify", options, verified);
}

Made answer_job(const Asked& asked) {
    const JobRecord job = asked.service.wait(job_of(asked), 0);
    Json out = job_to_json(job);
    if (job.state == JobState::done) out.set("result", job.result);
    if (job.error) out.set("error", failure_to_json(*job.error).set("title", title_for(*job.error, asked.language)));
    return made(json_answer(200, out));
}

Made answer_jobs(const Asked& asked) { return made(json_answer(200, asked.service.jobs())); }

Made answer_cancel(const Asked& asked) {
    asked.service.cancel(job_of(asked), actor_of(asked));
    return made(json_answer(202, Json::object({{"success", true}, {"message", phrase(Phrase::cancelled, asked.language)}})));
}

}  // namespace reprise
