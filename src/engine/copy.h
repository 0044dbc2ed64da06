// A partial safety copy: one collection, often a retired one, saved into the folder under its live name before it is
// dropped, so that no acknowledged write is in neither the database nor a file.
#pragma once

#include <optional>
#include <string>

#include "base/context.h"
#include "engine/place.h"
#include "format/manifest.h"
#include "mongo/client.h"
#include "store/store.h"
#include "stream/packing.h"

namespace reprise {

struct CopySource {
    std::string collection;  // where the documents are
    std::string name;        // what the file calls them
    const Packing& packing;  // how the file is stored
};

// Writes before_restore_….json (scope partial), reads it back, writes its manifest, which it returns.
Manifest save_copy(Client& client, const std::string& database, const CopySource& source, Store& store, const Context& context);

}  // namespace reprise
