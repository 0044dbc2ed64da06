#include "service/attempts.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "codec/json.h"
#include "mongo/cursor.h"
#include "mongo/lease.h"

namespace reprise {
namespace {

constexpr const char* kStateKey = "startup";
constexpr const char* kDocument = "startup";

std::int64_t integer_of(BsonView document, const char* key) {
    const auto field = document.find(key);
    return field && field->is_number() ? field->integer() : 0;
}

Attempts from_database(Client& client, const std::string& database) {
    FindOptions options;
    options.filter = BsonBuilder().add("_id", kDocument).str();
    options.limit = 1;
    Cursor cursor(client, database, kOwnCollection, options);
    std::string_view found;
    Attempts out;
    if (!cursor.next(found)) return out;
    const BsonView document(found);
    out.attempts = integer_of(document, "attempts");
    out.highest_sequence = integer_of(document, "highest_sequence");
    out.written = integer_of(document, "written");
    if (const auto field = document.find("failed_sha256"); field && field->type == BsonType::string)
        out.failed_sha256 = std::string(field->text());
    return out;
}

// A damaged mirror counts as none: the database's own document is still there, or the data were lost with it and the worst
// that follows is one attempt more.
Attempts from_store(Store& store) {
    Attempts out;
    const auto text = store.read_state(kStateKey);
    if (!text) return out;
    try {
        const Json json = parse_json(*text);
        out.attempts = json.at("attempts").as_int();
        out.failed_sha256 = json.at("failed_sha256").as_string();
        out.highest_sequence = json.at("highest_sequence").as_int();
        out.written = json.at("written").as_int();
        return out;
    } catch (const Failure&) {
        return Attempts();
    }
}

void to_database(Client& client, const std::string& database, const Attempts& attempts) {
    const std::string document = BsonBuilder()
                                     .add("_id", kDocument)
                                     .add("attempts", attempts.attempts)
                                     .add("failed_sha256", attempts.failed_sha256)
                                     .add("highest_sequence", attempts.highest_sequence)
                                     .add("written", attempts.written)
                                     .str();
    const std::string update =
        BsonBuilder().doc("q", BsonBuilder().add("_id", kDocument).str()).doc("u", document).add("upsert", true).str();
    const std::string command =
        BsonBuilder().add("update", kOwnCollection).array("updates", BsonArray().doc(update).str()).str();
    CommandOptions options;
    options.concern = Concern::majority;
    options.retryable_write = true;
    client.command(database, command, options);
}

void to_store(Store& store, const Attempts& attempts) {
    const Json json = Json::object({{"attempts", attempts.attempts},
                                    {"failed_sha256", attempts.failed_sha256},
                                    {"highest_sequence", attempts.highest_sequence},
                                    {"written", attempts.written}});
    store.write_state(kStateKey, json.text() + "\n");
}

}  // namespace

Attempts read_attempts(Client& client, const std::string& database, Store& store) {
    const Attempts in_database = from_database(client, database), in_store = from_store(store);
    Attempts newer = in_store.written > in_database.written ? in_store : in_database;
    newer.highest_sequence = std::max(in_store.highest_sequence, in_database.highest_sequence);
    return newer;
}

void write_attempts(Client& client, const std::string& database, Store& store, Attempts& attempts) {
    ++attempts.written;
    to_store(store, attempts);
    to_database(client, database, attempts);
}

void raise_highest(Client* client, const std::string& database, Store& store, std::int64_t sequence) {
    Attempts attempts = client != nullptr ? read_attempts(*client, database, store) : from_store(store);
    if (sequence <= attempts.highest_sequence) return;
    attempts.highest_sequence = sequence;
    if (client != nullptr) return write_attempts(*client, database, store, attempts);
    ++attempts.written;
    to_store(store, attempts);
}

void clear_attempts(Client& client, const std::string& database, Store& store) {
    Attempts attempts = read_attempts(client, database, store);
    if (attempts.clean()) return;
    attempts.attempts = 0;
    attempts.failed_sha256.clear();
    write_attempts(client, database, store, attempts);
}

}  // namespace reprise
