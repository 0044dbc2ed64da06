// The routes: which request is answered by what. Every answer is made on the caller's thread from files, or by a job whose end
// the response waits for; nothing here waits.
#pragma once

#include <memory>

#include "admin/access.h"
#include "admin/message.h"
#include "admin/words.h"
#include "service/service.h"

namespace reprise {

class Handler {
public:
    // Failure{invalid_config | denied | not_found, …} when key `admin` of the configuration cannot be used.
    explicit Handler(Service& service);
    // What is wrong with a request is a response. Any thread; the Service outlives what this returns.
    std::unique_ptr<Response> handle(const Request& request) const;

private:
    std::unique_ptr<Response> routed(const Request& request, Language language) const;
    std::unique_ptr<Response> refused(const Permit& permit, const Request& request, Language language,
                                      std::int64_t now_us) const;

    Service& service_;
    Access access_;
};

}  // namespace reprise
