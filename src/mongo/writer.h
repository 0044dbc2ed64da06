// Batched inserts (bounded by count and bytes), and the small administrative writes that a restore needs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mongo/client.h"

namespace reprise {

struct InsertError {
    std::int64_t position = 0;  // 0-based, in the order of add()
    std::string id;             // its _id for messages: ObjectId, UUID or integer in words, else "sha256:" and 12 digits (S10)
    std::int32_t code = 0;      // the server's
    std::string code_name;
};

struct InsertOptions {
    bool bypass_validation = false;  // only ever for documents that failed validation without it, see restore.md
    std::int32_t max_documents = 100000;
    std::int64_t max_bytes = 4 * 1000 * 1000;  // and never more than one command holds: 16 MiB
    std::string write_concern;                 // BSON; empty: w 1
};

// Ordered inserts of whole documents as they are (top-level Timestamp(0,0) kept: bypassEmptyTsReplacement, or insert and
// then a pipeline update on older servers). Retryable where the server can; a duplicate key after a retry is success only
// when the stored document is the same.
class BatchWriter {
public:
    BatchWriter(Client& client, const std::string& database, const std::string& collection, InsertOptions options = {});
    ~BatchWriter();
    void add(std::string_view bson);  // copies it; may send a batch
    void flush();                     // sends what is left
    std::int64_t inserted() const;
    const std::vector<InsertError>& errors() const;  // at most 100 kept; error_count() counts all
    std::int64_t error_count() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A document's _id in words that may be logged (S10): "ObjectId 65…", "UUID …", "5", else "sha256:0123456789ab".
std::string speak_id(std::string_view document);

void create_collection(Client& client, const std::string& database, const std::string& name, std::string_view options);
void create_indexes(Client& client, const std::string& database, const std::string& name,
                    const std::vector<std::string>& indexes);
// Renames inside one database without dropTarget, majority where there is one. `uuid` (16 bytes) is sent as
// collectionUUID on servers ≥ 6.0 when given. Failure{server, …} with origin_code 48 (target exists), 26 (source missing).
// bound_ms: how long the server may take over it; one that copies what it renames needs longer for a large collection.
constexpr std::int64_t kRenameBoundMs = 10000;
void rename_collection(Client& client, const std::string& database, const std::string& from, const std::string& to,
                       const std::string& uuid = {}, std::int64_t bound_ms = kRenameBoundMs);
void drop_collection(Client& client, const std::string& database, const std::string& name);  // a missing one is fine

}  // namespace reprise
