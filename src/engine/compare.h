// A live collection read and measured the same way as a backup does: count, bytes, digest.
#pragma once

#include <string>

#include "base/context.h"
#include "format/model.h"
#include "mongo/client.h"

namespace reprise {

// `sorted`: top-level fields sorted before hashing (time series). A missing collection measures as zero documents.
CollectionSummary measure_collection(Client& client, const std::string& database, const std::string& collection, bool sorted,
                                     const Context& context);

}  // namespace reprise
