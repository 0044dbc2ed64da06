// Reads a collection with raw find and getMore commands, batch by batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mongo/client.h"

namespace reprise {

using ClusterTime = std::pair<std::uint32_t, std::uint32_t>;  // t, i

// hint {_id: 1} (never one _id twice), $natural (capped, clustered, snapshot), or no hint (time series have no _id index)
enum class Order { by_id, natural, unhinted };

struct FindOptions {
    Order order = Order::by_id;
    bool snapshot = false;             // read concern snapshot …
    std::optional<ClusterTime> at;     // … at this time; the first read leaves it out and takes the reply's
    bool use_read_preference = false;  // a backup's document reads follow the connection string; all else the primary
    std::string filter;                // BSON; empty: everything
    std::string projection;            // BSON; empty: whole documents
    std::string sort;                  // BSON; empty: none
    std::int64_t limit = 0;
    std::int32_t batch_documents = 0;  // 0: as many as make batches of about 4 MiB
};

class Cursor {
public:
    // Sends find. Failure as Client::command; a server without snapshot reads answers server_error with origin_code 246,
    // 239 (SnapshotTooOld), 72, 20 or 263: see is_snapshot_refusal.
    Cursor(Client& client, const std::string& database, const std::string& collection, const FindOptions& options);
    ~Cursor();
    Cursor(Cursor&&) noexcept;

    // The next document, a view into the reply; false at the end. A cursor killed by the server or a lost
    // connection is a Failure, never an end. `document` is valid until the next call.
    bool next(std::string_view& document);
    // What the replies said their time was: set only when every reply so far agreed with `at` (or with the first).
    std::optional<ClusterTime> at_cluster_time() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

bool is_snapshot_refusal(std::int32_t server_code);

}  // namespace reprise
