// The routes' answers, one function each; called by route.cpp after it has checked who asks.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "admin/access.h"
#include "admin/message.h"
#include "admin/words.h"
#include "base/text.h"
#include "service/service.h"

namespace reprise {

struct Asked {
    Service& service;
    const Request& request;
    Permit permit;
    Language language;
    std::string rest;  // the path behind the route's own name: "" or a file's name or a job's number
};

using Made = std::unique_ptr<Response>;

inline Made made(Answer answer) { return std::make_unique<Response>(std::move(answer)); }
// Bytes as they came are made text first: options are JSON.
inline Actor actor_of(const Asked& asked) {
    return {"rest", printable(asked.permit.subject), printable(asked.request.remote_address),
            printable(asked.request.request_id)};
}

// {"running": the job that is in the way} when the failure says that there is one; else {}.
Json busy_with(Service& service, const Failure& failure);

Made answer_create(const Asked& asked);
Made answer_restore(const Asked& asked);
Made answer_verify(const Asked& asked);
Made answer_pin(const Asked& asked);
Made answer_accept(const Asked& asked);
Made answer_show(const Asked& asked);
Made answer_delete(const Asked& asked);
Made answer_list(const Asked& asked);
Made answer_status(const Asked& asked);
Made answer_job(const Asked& asked);
Made answer_jobs(const Asked& asked);
Made answer_cancel(const Asked& asked);
Made answer_download(const Asked& asked);
Made answer_health(const Asked& asked);
Made answer_metrics(const Asked& asked);
Made answer_openapi(const Asked& asked);
Made answer_page(const Asked& asked);

}  // namespace reprise
