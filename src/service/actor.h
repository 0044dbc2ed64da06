// On whose behalf something happens: key `actor` of the options of jobs, marks and deletions; told in the audit log.
#pragma once

#include <string>

#include "codec/json.h"
#include "service/schema.h"

namespace reprise {

// All of it text from outside; the audit log keeps it printable and short.
struct Actor {
    std::string via = "library";  // library, command, schedule, startup, rest
    std::string who;              // a subject, a user's name; empty: not known
    std::string from;             // an address, when the host says
    std::string request;          // the host's name for the request, by which its own log tells of it
};

KeyRule actor_rule();
Actor actor_in(const Json& options);  // of checked options
Json actor_to_json(const Actor& actor);

}  // namespace reprise
