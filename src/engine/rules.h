// What of a catalog entry goes back to the server: closed lists of options and index fields (design/mongodb.md "Objects").
// Pure; an unknown field is refused by name, never passed on and never dropped silently.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reprise {

struct CreateRules {
    std::string options;                   // for `create`, without any expiry
    std::string options_with_expiry;       // the same with the real expiry
    std::optional<std::string> collation;  // the collection's default
    bool validator = false, capped = false, clustered = false, expires = false;
};

// Failure{unsupported, "collection_encrypted"}, {corrupt, "option_unknown"} naming collection and option.
CreateRules create_rules(const std::string& type, const std::string& name, std::string_view options);

struct IndexRules {
    std::vector<std::string> plain, unique, ttl;  // as createIndexes takes them; ttl with the largest expiry
    std::vector<std::string> ttl_real;            // the same indexes as `ttl` with their real expiry
    std::vector<std::string> warnings;
};

// Sorts a collection's indexes into the order in which they are built; _id_ and the clustered index are left out.
// Failure{corrupt, "option_unknown"} naming collection, index and field.
IndexRules index_rules(const std::string& collection, const std::vector<std::string>& indexes, const CreateRules& rules);

std::string index_name(std::string_view index);
std::string index_key(std::string_view index);  // its key document, old values made new
std::string without_field(std::string_view document, std::string_view key);
std::string without_collation_version(std::string_view document);  // for a version that the server refuses

}  // namespace reprise
