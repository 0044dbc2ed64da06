// The application's own data: people, by MongoDB's C driver. (The driver inside reprise is another one, and they never meet.)
#pragma once

#include <string>

namespace people {

// Inserts the rows "name,email,department" of a CSV text into `users`, and says how many. std::runtime_error for a row that is
// none; the rows before it stay, as they would in a real import that breaks off.
int import_csv(const std::string& mongo_url, const std::string& database, const std::string& csv);

}  // namespace people
