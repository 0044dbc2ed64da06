// A time series cannot be renamed: its documents wait in an ordinary staging collection, each wrapped as {_id: n, d: …}
// because a measurement need not have an _id, and keeps its place and bytes that way.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/context.h"
#include "format/model.h"
#include "mongo/client.h"

namespace reprise {

std::string wrap_measurement(std::int64_t number, std::string_view document);

struct UnwrapNames {
    std::string staging, target;
};
// Inserts every wrapped document of `staging` into `target`, in order. Failure names the document that was refused.
void unwrap_into(Client& client, const std::string& database, const UnwrapNames& names, const std::function<void()>& check);
// Count, bytes and sorted digest of what is wrapped.
CollectionSummary measure_wrapped(Client& client, const std::string& database, const std::string& staging,
                                  const Context& context);

}  // namespace reprise
