// Creating, indexing, renaming and dropping collections: majority where there is one, bounded, said again where it is safe.
#include <algorithm>

#include "base/text.h"
#include "crypto/digest.h"
#include "mongo/state.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr std::int32_t kNamespaceNotFound = 26;
constexpr int kBusyAttempts = 20;
constexpr std::int64_t kBusyWaitMs = 250;

CommandOptions durable(std::int64_t max_time_ms = 0) {
    CommandOptions options;
    options.concern = Concern::majority;
    options.max_time_ms = max_time_ms;
    return options;
}

// LockTimeout, LockBusy, WriteConflict, ConflictingOperationInProgress, BackgroundOperationInProgressForNamespace/Database.
bool is_busy(const Failure& failure) {
    constexpr std::int32_t codes[] = {24, 46, 112, 117, 12586, 12587};
    return failure.origin == Origin::server &&
           std::find(std::begin(codes), std::end(codes), failure.origin_code) != std::end(codes);
}

void run_when_free(Client& client, std::string_view database, const std::string& command, const CommandOptions& options) {
    for (int attempt = 1;; ++attempt) {
        try {
            client.command(database, command, options);
            return;
        } catch (const Failure& failure) {
            if (!is_busy(failure) || attempt >= kBusyAttempts) throw;
        }
        if (client.state().cancel.wait_ms(kBusyWaitMs)) client.state().cancel.check();
    }
}

std::string spoken_uuid(std::string_view bytes) {
    std::string hex = to_hex(bytes);
    for (const std::size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
    return "UUID " + hex;
}

}  // namespace

std::string speak_id(std::string_view document) {
    const auto id = BsonView(document).find("_id");
    if (!id) return "no _id";
    if (id->type == BsonType::oid) return "ObjectId " + to_hex(id->value);
    if (id->type == BsonType::int32 || id->type == BsonType::int64) return std::to_string(id->integer());
    const bool uuid = id->type == BsonType::binary && id->value.size() == 21 && (id->value[4] == 4 || id->value[4] == 3);
    if (uuid) return spoken_uuid(id->value.substr(5));
    return "sha256:" + sha256_hex(std::string(1, static_cast<char>(id->type)) + std::string(id->value)).substr(0, 12);
}

void create_collection(Client& client, const std::string& database, const std::string& name, std::string_view options) {
    BsonBuilder command;
    command.add("create", name);
    if (!options.empty())
        for (const BsonField& field : BsonView(options)) command.field(field);
    run_when_free(client, database, command.str(), durable());
}

void create_indexes(Client& client, const std::string& database, const std::string& name,
                    const std::vector<std::string>& indexes) {
    if (indexes.empty()) return;
    BsonArray list;
    for (const std::string& index : indexes) list.doc(index);
    const std::string command = BsonBuilder().add("createIndexes", name).array("indexes", list.str()).str();
    try {
        run_when_free(client, database, command, durable());
    } catch (const Failure& failure) {
        // The build goes on at the server when the connection is cut; the same command again waits for it.
        if (failure.code != Code::unavailable || !client.state().wait_for_primary()) throw;
        run_when_free(client, database, command, durable());
    }
}

void rename_collection(Client& client, const std::string& database, const std::string& from, const std::string& to,
                       const std::string& uuid, std::int64_t bound_ms) {
    BsonBuilder command;
    command.add("renameCollection", database + "." + from).add("to", database + "." + to);
    if (!uuid.empty() && client.server().at_least(6)) command.binary("collectionUUID", 4, uuid);
    run_when_free(client, "admin", command.str(), durable(bound_ms));
}

void drop_collection(Client& client, const std::string& database, const std::string& name) {
    try {
        run_when_free(client, database, BsonBuilder().add("drop", name).str(), durable());
    } catch (const Failure& failure) {
        if (failure.origin != Origin::server || failure.origin_code != kNamespaceNotFound) throw;
    }
}

}  // namespace reprise
