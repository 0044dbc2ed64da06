#include "admin/problem.h"

namespace reprise {
namespace {

struct Known {
    const char* reason;
    int status;
};

constexpr Known kKnown[] = {{"not_authenticated", 401},  {"not_admin", 403},     {"cross_site", 403},
                            {"too_many_failures", 429},  {"route_unknown", 404}, {"body_too_large", 413},
                            {"method_not_allowed", 405}, {"range_invalid", 416}, {"disk_full", 507},
                            {"job_running", 409},        {"state_locked", 503}};

bool is_about_access(int status) { return status == 401 || status == 403; }

}  // namespace

int status_for(const Failure& failure) {
    for (const auto& known : kKnown)
        if (failure.reason == known.reason) return known.status;
    switch (failure.code) {
        case Code::invalid_argument: return 400;
        case Code::not_found: return 404;
        case Code::busy: return 409;
        case Code::cancelled: return 409;
        case Code::timed_out: return 504;
        case Code::unavailable: return 503;
        // A key or a signature that is missing or another one's; rights that are missing are this side's trouble.
        case Code::denied: return failure.reason.rfind("key_", 0) == 0 ? 422 : 500;
        case Code::corrupt:
        case Code::refused: return 422;
        case Code::unsupported: return 501;
        case Code::server: return 502;
        default: return 500;
    }
}

Answer problem_answer(const Failure& failure, Language language, const Json& more) {
    const int status = status_for(failure);
    const std::string title = title_for(failure, language);
    Json json = Json::object({{"type", failure.reason}, {"title", title}, {"status", status}});
    if (!is_about_access(status)) json.set("detail", failure.message);
    json.set("success", false).set("message", title);
    for (const auto& [key, value] : more.as_object()) json.set(key, value);
    Answer out = json_answer(status, json);
    out.headers.front().second = "application/problem+json";
    out.headers.emplace_back("content-language", language_tag(language));
    if (status == 401) out.headers.emplace_back("www-authenticate", "Bearer realm=\"reprise\"");
    return out;
}

}  // namespace reprise
