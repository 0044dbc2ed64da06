// Time zones by their IANA names, from the system's time zone database.
#pragma once

#include <string>

#include "policy/time_zone.h"

namespace reprise {

// "Europe/Paris"; "UTC" needs no database. Failure{invalid_config, "time_zone_unknown"}: no such name, or no database;
// {invalid_config, "time_zone_invalid"}: its file cannot be used. The name is checked before it becomes part of a path.
TimeZone load_zone(const std::string& name);

}  // namespace reprise
