// What went wrong, as a response: RFC 9457 problem details whose type is the reason word.
#pragma once

#include "admin/message.h"
#include "admin/words.h"
#include "base/failure.h"

namespace reprise {

int status_for(const Failure& failure);
// {"type", "title", "status", "detail", "success": false, "message"} and what `more` holds. The detail is the library's own
// English sentence; 401 and 403 have none, because it would help who guesses.
Answer problem_answer(const Failure& failure, Language language, const Json& more = Json::object());

}  // namespace reprise
