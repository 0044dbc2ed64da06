// A rename inside the database that ends when the server's catalog says so, not when its command returned: one that ran out of
// time, or whose client went away, may still be carried out.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/context.h"
#include "base/failure.h"
#include "mongo/catalog.h"
#include "mongo/client.h"

namespace reprise {

constexpr std::int64_t kMaxRenameMs = 15 * 60 * 1000;  // the bound doubles up to this where a server needs longer
constexpr int kMaxTimeExpired = 50;                    // the server's code for "ran out of time"
constexpr int kNamespaceExists = 48;

// What goes away by waiting: locks, builds in progress, a server that steps down, a cut connection, a name that moved.
bool passes_by_itself(const Failure& failure);

struct RenamePlace {
    Client& client;
    const std::string& database;
    const Context& context;
    std::function<void()> check;  // throws when the lease is lost; before every try
};

// Renames `from` to `to`, a free name of ours. Tries again within a bound what passes by itself; throws what the last try said.
void rename_surely(const RenamePlace& place, const CollectionInfo& from, const std::string& to);

}  // namespace reprise
