#include "admin/route.h"

#include "admin/answers.h"
#include "admin/problem.h"
#include "base/clock.h"
#include "base/failure.h"

namespace reprise {
namespace {

enum class Who { anybody, admin, form, monitor };

// `name` is the whole path, or its beginning when `more` says that one component follows.
struct Route {
    const char* method;
    const char* name;
    bool more;
    const char* end;  // what stands behind that component, or ""
    Who who;
    Made (*answer)(const Asked&);
};

constexpr Route kRoutes[] = {
    {"GET", "/", false, "", Who::anybody, answer_page},
    {"GET", "/openapi.json", false, "", Who::anybody, answer_openapi},
    {"POST", "/create", false, "", Who::admin, answer_create},
    {"GET", "/list", false, "", Who::admin, answer_list},
    {"POST", "/restore", false, "", Who::admin, answer_restore},
    {"GET", "/status", false, "", Who::admin, answer_status},
    {"GET", "/jobs", false, "", Who::admin, answer_jobs},
    {"GET", "/jobs/", true, "", Who::admin, answer_job},
    {"POST", "/jobs/", true, "/cancel", Who::admin, answer_cancel},
    {"POST", "/verify", false, "", Who::admin, answer_verify},
    {"POST", "/pin", false, "", Who::admin, answer_pin},
    {"POST", "/accept", false, "", Who::admin, answer_accept},
    {"GET", "/download/", true, "", Who::admin, answer_download},
    {"POST", "/download/", true, "", Who::form, answer_download},
    {"GET", "/files/", true, "", Who::admin, answer_show},
    {"DELETE", "/files/", true, "", Who::admin, answer_delete},
    {"GET", "/health", false, "", Who::monitor, answer_health},
    {"GET", "/metrics", false, "", Who::monitor, answer_metrics},
};

// The component that the route leaves open, or nullopt when the path is another one.
std::optional<std::string> matched(const Route& route, std::string_view path) {
    const std::string_view name = route.name, end = route.end;
    if (!route.more) return path == name ? std::optional<std::string>("") : std::nullopt;
    if (path.size() <= name.size() + end.size() || path.substr(0, name.size()) != name) return std::nullopt;
    if (path.substr(path.size() - end.size()) != end) return std::nullopt;
    const std::string_view rest = path.substr(name.size(), path.size() - name.size() - end.size());
    // A slash in the rest is a path of its own, whatever it was in the address.
    if (rest.empty() || rest.find('/') != std::string_view::npos) return std::nullopt;
    return std::string(rest);
}

Permit permit_for(Who who, const Access& access, const Request& request, std::int64_t now_s) {
    switch (who) {
        case Who::anybody: return {"", nullptr, true};
        case Who::admin: return access.need_admin(request, now_s);
        case Who::form: return access.need_admin_by_form(request, now_s);
        case Who::monitor: return access.need_monitor(request, now_s);
    }
    return {"", nullptr, true};
}

// Relative, because only the host knows where it is mounted: the last component of the address, and a slash.
Made redirect_to_page(const Request& request) {
    Answer out;
    out.status = 308;
    const std::size_t slash = request.base_path.rfind('/');
    const std::string last = slash == std::string::npos ? request.base_path : request.base_path.substr(slash + 1);
    // "./": a colon in the name would be read as the end of a scheme.
    out.headers = {
        {"location", (last.find(':') != std::string::npos ? "./" : "") + (last.empty() ? std::string(".") : last) + "/"}};
    return made(std::move(out));
}

Made wrong_method(std::string allowed, Language language) {
    if (allowed.find("GET") != std::string::npos) allowed += ", HEAD";
    Answer out = problem_answer(Failure(Code::invalid_argument, "method_not_allowed", "only " + allowed + " is answered here"),
                                language);
    out.headers.emplace_back("allow", allowed);
    return made(std::move(out));
}

Made wait_first(std::int64_t wait_s, Language language) {
    Answer out = problem_answer(Failure(Code::denied, "too_many_failures",
                                        "too many failed authentications from this address; wait until the minute is over"),
                                language);
    out.headers.emplace_back("retry-after", std::to_string(wait_s));
    return made(std::move(out));
}

Made answered(const Route& route, const Asked& asked) {
    try {
        return route.answer(asked);
    } catch (const Failure& failure) {
        return made(problem_answer(failure, asked.language, busy_with(asked.service, failure)));
    }
}

}  // namespace

// A good token is always heard, so that nobody can lock administrators out from behind their own proxy; what is limited is how
// often somebody may be wrong.
std::unique_ptr<Response> Handler::refused(const Permit& permit, const Request& request, Language language,
                                           std::int64_t now_us) const {
    const bool guess = permit.tried && std::string_view(permit.refusal) == "not_authenticated";
    const std::int64_t wait_s = guess ? service_.must_wait_s(request.remote_address, now_us) : 0;
    if (wait_s > 0) return wait_first(wait_s, language);
    service_.count_refusal({request.remote_address, permit.tried ? permit.refusal : "no_token", permit.subject}, now_us);
    return made(
        problem_answer(Failure(Code::denied, permit.refusal, "this needs a valid token of an administrator"), language));
}

Handler::Handler(Service& service) : service_(service), access_(service) {}

std::unique_ptr<Response> Handler::handle(const Request& request) const {
    const Language language = choose_language(request.header("accept-language"));
    try {
        return routed(request, language);
    } catch (const Failure& failure) {  // the folder cannot be looked at; where it is, is nobody's business yet
        service_.warn(failure.message);
        return made(problem_answer(Failure(failure.code, failure.reason, "see the log"), language));
    }
}

std::unique_ptr<Response> Handler::routed(const Request& request, Language language) const {
    if (request.path.empty()) return redirect_to_page(request);
    if (request.body.size() > kMaxBodyBytes)
        return made(
            problem_answer(Failure(Code::invalid_argument, "body_too_large", "the body is larger than 64 KiB"), language));
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    std::string allowed;
    for (const auto& route : kRoutes) {
        auto rest = matched(route, request.path);
        if (!rest) continue;
        if (method != route.method) {
            allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
            continue;
        }
        const std::int64_t now_us = system_clock().unix_us();
        const Permit permit = permit_for(route.who, access_, request, now_us / 1000000);
        if (permit.refusal != nullptr) return refused(permit, request, language, now_us);
        return answered(route, {service_, request, permit, language, *rest});
    }
    if (!allowed.empty()) return wrong_method(allowed, language);
    return made(problem_answer(Failure(Code::not_found, "route_unknown", "there is no such route"), language));
}

}  // namespace reprise
