// Answers for monitors and for programs: health, metrics, the description of all this.
#include "admin/answers.h"
#include "admin/page/embedded.h"

namespace reprise {

Made answer_health(const Asked& asked) {
    const Json health = asked.service.health();
    return made(json_answer(health.at("healthy").as_bool() ? 200 : 503, health));
}

Made answer_metrics(const Asked& asked) {
    Answer out;
    out.headers = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}, {"cache-control", "no-store"}};
    out.text = asked.service.metrics();
    return made(std::move(out));
}

Made answer_openapi(const Asked&) {
    Answer out;
    out.headers = {{"content-type", "application/json"}};
    out.text = std::string(embedded_openapi());
    return made(std::move(out));
}

// The page holds no data: it asks for them with the token that it is given.
Made answer_page(const Asked& asked) {
    std::string ancestors;
    for (const auto& one : asked.service.admin_settings().frame_ancestors) ancestors += " " + one;
    Answer out;
    out.headers = {{"content-type", "text/html; charset=utf-8"},
                   {"content-security-policy",
                    "default-src 'none'; base-uri 'none'; form-action 'self'; connect-src 'self'; img-src data:; script-src " +
                        std::string(embedded_script_hash()) + "; style-src " + std::string(embedded_style_hash()) +
                        "; frame-ancestors" + (ancestors.empty() ? " 'none'" : ancestors)},
                   {"referrer-policy", "no-referrer"},
                   {"x-content-type-options", "nosniff"},
                   {"cache-control", "no-cache"}};
    out.text = std::string(embedded_page());
    return made(std::move(out));
}

}  // namespace reprise
