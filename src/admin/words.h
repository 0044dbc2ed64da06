// What administrators read, in French and English.
#pragma once

#include <string>
#include <string_view>

#include "base/failure.h"

namespace reprise {

enum class Language { french, english };

// The best of the two for a header Accept-Language (RFC 9110 §12.5.4); French without it, as in the replaced system.
Language choose_language(const std::string* accept_language);
const char* language_tag(Language language);  // "fr", "en"

// One sentence for what went wrong, by reason word, else by code.
std::string title_for(const Failure& failure, Language language);

enum class Phrase {
    backup_created,
    backup_restored,
    backup_verified,
    merged,
    cancelled,
    marked,
    deleted,
    accepted_job,
    preview
};
std::string phrase(Phrase which, Language language);

}  // namespace reprise
