#include "service/actor.h"

namespace reprise {

KeyRule actor_rule() {
    KeyRule rule{"actor", KeyType::object, false, {}, 0, 0};
    rule.keys = {{"via", KeyType::text, false, {"library", "command", "schedule", "startup", "rest"}, 0, 0},
                 {"who", KeyType::text, false, {}, 0, 0},
                 {"from", KeyType::text, false, {}, 0, 0},
                 {"request", KeyType::text, false, {}, 0, 0}};
    return rule;
}

Actor actor_in(const Json& options) {
    const Json& given = object_or_empty(options, "actor");
    const Actor usual;
    return {text_or(given, "via", usual.via), text_or(given, "who", ""), text_or(given, "from", ""),
            text_or(given, "request", "")};
}

Json actor_to_json(const Actor& actor) {
    return Json::object({{"via", actor.via}, {"who", actor.who}, {"from", actor.from}, {"request", actor.request}});
}

}  // namespace reprise
