// What a file may ask of the server: the options of a collection by its type, and the fields of an index. Everything else
// is refused by name. Lists: MongoDB's documentation of create, listCollections and createIndexes, up to 8.2.
#pragma once

#include <string_view>

#include "format/model.h"

namespace reprise {

bool type_known(std::string_view type);                             // collection, view, timeseries
bool option_known(std::string_view type, std::string_view option);  // as listCollections shows it
bool index_field_known(std::string_view field);                     // as listIndexes shows it

// Failure{corrupt, "name_invalid" | "type_unknown" | "option_unknown" | "catalog_invalid"}. `place` is for the message.
void check_entry(const std::string& database, const CatalogEntry& entry, const std::string& place);

}  // namespace reprise
