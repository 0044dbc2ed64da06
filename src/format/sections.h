// The header and the summary as JSON, both ways. Private to the room; FORMAT.md describes every key.
#pragma once

#include <string>
#include <string_view>

#include "codec/json.h"
#include "format/model.h"

namespace reprise {

Json header_to_json(const Header& header);  // the object under "reprise"
// Into all of `header` but date and database. Failure{unsupported, "format_unknown" | "kind_unknown" |
// "requirement_unknown"} before anything else is looked at, {corrupt, "header_invalid"}.
void header_from_json(const Json& json, Header& header);

Json summary_to_json(const Summary& summary);
Summary summary_from_json(const Json& json);  // Failure{corrupt, "summary_invalid"}

// "signature":{…}, as it stands before the hash. What is no signature of ours reads as one that fits no key.
std::string signature_to_text(const FileSignature& signature);
FileSignature signature_from_json(const Json& json);

bool is_lower_hex(std::string_view text, std::size_t digits);

}  // namespace reprise
