#include "engine/owner.h"

#include <algorithm>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "codec/json.h"
#include "mongo/lease.h"

namespace reprise {
namespace {

constexpr const char* kOwnerKey = "owner";
constexpr const char *kSequenceKey = "sequence", *kPublished = "published";
constexpr std::size_t kIdDigits = 32;

std::string filter() { return BsonBuilder().add("_id", "deployment").str(); }

bool is_id(std::string_view text) { return text.size() == kIdDigits && from_hex(text).has_value(); }

std::optional<std::string> id_or_null(const Json* json) {
    if (json == nullptr || json->is_null()) return std::nullopt;
    if (!is_id(json->as_string())) throw Failure(Code::corrupt, "owner_invalid", "an id that is not 32 hex digits");
    return json->as_string();
}

// One update of the deployment's document; a server that loses the answer is asked again (the update can be repeated).
void update(Client& client, const std::string& database, const std::string& change, bool upsert) {
    BsonBuilder statement;
    statement.doc("q", filter()).doc("u", change).add("upsert", upsert);
    BsonBuilder command;
    command.add("update", kOwnCollection).array("updates", BsonArray().doc(statement.str()).str());
    CommandOptions options;
    options.concern = Concern::majority;
    options.retryable_write = true;
    client.command(database, command.str(), options);
}

std::string key_of(const std::string& deployment) { return deployment.empty() ? "none" : deployment; }

Json sequences_or_none(Store& store) {
    const auto text = store.read_state(kSequenceKey);
    try {
        if (Json json = text ? parse_json(*text) : Json(); json.is_object()) return json;
    } catch (const Failure&) {
    }
    return Json::object();
}

std::int64_t number_of(const Json& json, const std::string& key) {
    const Json* found = json.find(key);
    return found != nullptr && found->is_int() ? found->as_int() : 0;
}

void raise(Json& json, const std::string& key, std::int64_t published) {
    const Json* known = json.find(kPublished);
    Json changed = known != nullptr && known->is_object() ? *known : Json::object();
    changed.set(key, std::max(published, number_of(changed, key)));
    json.set(kPublished, std::move(changed));
}

}  // namespace

std::optional<Owner> read_owner(Store& store) {
    const auto text = store.read_state(kOwnerKey);
    if (!text) return std::nullopt;
    try {
        const Json json = parse_json(*text);
        Owner owner;
        owner.database = json.at("database").as_string();
        owner.deployment = id_or_null(json.find("deployment"));
        owner.adopting = id_or_null(json.find("adopting"));
        return owner;
    } catch (const Failure& failure) {
        throw Failure(Code::corrupt, "owner_invalid",
                      "the file .reprise/owner of the backup folder cannot be read (" + failure.message +
                          "); repair it, or remove it when the folder is surely this database's");
    }
}

void write_owner(Store& store, const Owner& owner) {
    Json json = Json::object({{"database", owner.database}});
    json.set("deployment", owner.deployment ? Json(*owner.deployment) : Json());
    if (owner.adopting) json.set("adopting", *owner.adopting);
    store.write_state(kOwnerKey, json.text(2) + "\n");
}

std::optional<Owner> owner_for(Store& store, const std::string& database) {
    auto owner = read_owner(store);
    if (owner) check_owner(*owner, database, std::nullopt);
    return owner;
}

void check_owner(const Owner& owner, const std::string& database, const std::optional<std::string>& deployment) {
    if (owner.database != database)
        throw Failure(Code::refused, "folder_of_other",
                      "this backup folder belongs to database " + printable(owner.database) + ", not to " +
                          printable(database) + "; give every database a folder of its own");
    if (!deployment || !owner.deployment) return;
    if (deployment == owner.deployment || deployment == owner.adopting) return;
    throw Failure(Code::refused, "folder_of_other",
                  "this backup folder belongs to deployment " + *owner.deployment + ", while the database says " + *deployment +
                      "; give it a folder of its own");
}

DeploymentDocument read_deployment(Client& client, const std::string& database) {
    BsonBuilder command;
    command.add("find", kOwnCollection).doc("filter", filter()).add("limit", std::int32_t{1}).add("singleBatch", true);
    const std::string reply = client.command(database, command.str());
    DeploymentDocument found;
    const auto batch = BsonView(reply).at_path("cursor.firstBatch");
    if (!batch) return found;
    const auto first = BsonView(batch->document()).find("0");
    if (!first) return found;
    const BsonView document(first->document());
    if (const auto value = document.find("value"); value && value->type == BsonType::string) {
        if (!is_id(value->text()))
            throw Failure(Code::corrupt, "deployment_invalid",
                          "document \"deployment\" of collection reprise holds no id of 32 hex digits; repair or remove it");
        found.value = std::string(value->text());
    }
    if (const auto sequence = document.find("sequence"); sequence && sequence->is_number())
        found.sequence = sequence->integer();
    if (const auto users = document.find("users"); users && users->is_number()) found.users = users->integer();
    return found;
}

std::string make_deployment(Client& client, const std::string& database, const std::string& value) {
    update(client, database, BsonBuilder().doc("$setOnInsert", BsonBuilder().add("value", value).str()).str(), true);
    const auto found = read_deployment(client, database).value;
    if (found) return *found;
    replace_deployment(client, database, value);  // a document without a value: made by nobody we know
    return value;
}

void replace_deployment(Client& client, const std::string& database, const std::string& value) {
    update(client, database, BsonBuilder().doc("$set", BsonBuilder().add("value", value).str()).str(), true);
}

void raise_sequence(Client& client, const std::string& database, std::int64_t sequence,
                    const std::optional<std::int64_t>& users) {
    BsonBuilder change;
    change.doc("$max", BsonBuilder().add("sequence", sequence).str());
    if (users) change.doc("$set", BsonBuilder().add("users", *users).str());
    update(client, database, change.str(), false);
}

std::int64_t remembered_sequence(Store& store, const std::string& deployment) {
    return number_of(sequences_or_none(store), key_of(deployment));
}

void remember_sequence(Store& store, const std::string& deployment, std::int64_t sequence) {
    Json json = sequences_or_none(store);
    const std::string key = key_of(deployment);
    // The first number that this file knows of: whatever was given out before it was made, and this one not yet.
    if (json.find(key) == nullptr) raise(json, key, sequence - 1);
    json.set(key, std::max(sequence, number_of(json, key)));
    store.write_state(kSequenceKey, json.text(2) + "\n");
}

std::int64_t published_sequence(Store& store, const std::string& deployment) {
    const auto text = store.read_state(kSequenceKey);
    if (!text) return 0;
    try {
        const Json json = parse_json(*text);
        const std::string key = key_of(deployment);
        const Json* published = json.find(kPublished);
        const bool told = published != nullptr && published->find(key) != nullptr;
        return told ? published->at(key).as_int() : number_of(json, key);  // not told: written before there was a difference
    } catch (const Failure& failure) {
        throw Failure(Code::corrupt, "sequence_invalid",
                      "the file .reprise/sequence of the backup folder cannot be read (" + failure.message +
                          "); remove it when the folder is surely the right one");
    }
}

void remember_published(Store& store, const std::string& deployment, std::int64_t sequence) {
    Json json = sequences_or_none(store);
    raise(json, key_of(deployment), sequence);
    store.write_state(kSequenceKey, json.text(2) + "\n");
}

}  // namespace reprise
