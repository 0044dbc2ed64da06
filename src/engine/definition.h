// Is what a restore would make of a collection or view, its type, options and indexes, what is there already? Pure.
#pragma once

#include "engine/plan.h"

namespace reprise {

// The order of indexes and of an option's or index's fields is no difference, nor is a number's type in an expiry.
bool same_definition(const Target& target, const CollectionInfo& live);
// Has it indexes besides that on _id that refuse a second document of the same value?
bool has_unique(const std::vector<std::string>& indexes);

}  // namespace reprise
