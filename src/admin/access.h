// Who may: a subject that the host has verified, or a token in the header Authorization, in the configured cookie, or in the
// form of a download.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "admin/jwt.h"
#include "admin/message.h"
#include "service/admin_settings.h"
#include "service/service.h"

namespace reprise {

struct Permit {
    std::string subject;            // also of somebody who was refused, where it is known
    const char* refusal = nullptr;  // nullptr: welcome; "not_authenticated" (401), "not_admin", "cross_site" (403)
    bool tried = true;              // false: nothing was shown that could have been a token
};

class Access {
public:
    // Reads the key files. Failure{invalid_config | denied, …} naming key or file. The service outlives it.
    explicit Access(Service& service);

    // An administrator.
    Permit need_admin(const Request& request, std::int64_t now_s) const;
    // For the form of a download, whose token stands in its body; cookies are not looked at.
    Permit need_admin_by_form(const Request& request, std::int64_t now_s) const;
    // An administrator, or the bearer of the monitor's token.
    Permit need_monitor(const Request& request, std::int64_t now_s) const;

private:
    struct Keys;
    Permit by_token(const std::string& token, std::int64_t now_s) const;
    // Read anew when a file changed or the host pushed another secret: keys are rotated without a restart. What cannot be
    // read then is said in the log, and the keys that were good stay in force.
    std::shared_ptr<const Keys> keys() const;

    Service& service_;
    const AdminSettings& settings_;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const Keys> keys_;
};

// The value of a field of an application/x-www-form-urlencoded text; empty when there is none.
std::string form_field(std::string_view form, std::string_view name);

}  // namespace reprise
