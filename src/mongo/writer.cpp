// Inserts as raw commands: the documents go out byte for byte, no _id is added, and a retry carries its own number.
#include "mongo/writer.h"

#include <algorithm>

#include "base/bytes.h"
#include "mongo/state.h"

namespace reprise {
namespace {

// A command may hold 16 MiB and 16 KiB; what is not documents (options, session, cluster time) stays well below the 16 KiB.
constexpr std::size_t kMaxArrayBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxKeptErrors = 100;
constexpr std::int32_t kDuplicateKey = 11000, kDocumentValidationFailure = 121;

// The server replaces a top-level Timestamp(0, 0) outside _id by its clock.
bool has_empty_timestamp(std::string_view document) {
    for (const BsonField& field : BsonView(document))
        if (field.type == BsonType::timestamp && load_le<std::uint64_t>(field.value.data()) == 0 && field.key != "_id")
            return true;
    return false;
}

bool keeps_empty_timestamps(const ServerInfo& server) {
    if (server.major == 7) return server.at_least(7, 0, 13);
    if (server.major == 6) return server.at_least(6, 0, 17);
    if (server.major == 5) return server.at_least(5, 0, 29);
    return server.major >= 8;
}

std::string name_of(std::int32_t code, const BsonView& error) {
    if (std::string name = plain_code_name(error); !name.empty()) return name;
    return code == kDuplicateKey ? "DuplicateKey" : code == kDocumentValidationFailure ? "DocumentValidationFailure" : "";
}

}  // namespace

struct BatchWriter::State {
    State(Client& client_, std::string database_, std::string collection_, InsertOptions options_)
        : client(client_), database(std::move(database_)), collection(std::move(collection_)), options(std::move(options_)) {}

    void begin(bool ordered);
    void append(std::string_view document);
    bool full_for(std::size_t bytes) const;
    void finish();
    void send(std::int64_t first_position);
    std::vector<std::size_t> take_errors(std::string_view reply, std::int64_t first_position, bool retried);
    void note(std::size_t index, std::int64_t first_position, const BsonView& error);
    bool stored_as_it_is(std::string_view document);
    void put_back(std::string_view document);
    std::string_view document(std::size_t index) const;

    Client& client;
    const std::string database, collection;
    const InsertOptions options;
    std::string command;              // {insert, ordered, …, documents: [ being filled
    std::size_t array_at = 0;         // offset of the array's length
    std::vector<std::size_t> starts;  // offset of each document in `command`
    std::vector<bool> empty_timestamp;
    bool ordered = true, any_empty_timestamp = false;
    std::int64_t positions = 0, inserted = 0, error_count = 0;
    std::vector<InsertError> errors;
};

void BatchWriter::State::begin(bool ordered_) {
    ordered = ordered_;
    BsonBuilder head;
    head.add("insert", collection).add("ordered", ordered);
    if (options.bypass_validation) head.add("bypassDocumentValidation", true);
    head.doc("writeConcern", options.write_concern.empty() ? BsonBuilder().add("w", 1).str() : options.write_concern);
    command.assign(head.str());
    command.pop_back();
    command.push_back(static_cast<char>(BsonType::array));
    command.append("documents").push_back('\0');
    array_at = command.size();
    command.append(4, '\0');
    starts.clear();
    empty_timestamp.clear();
    any_empty_timestamp = false;
}

void BatchWriter::State::append(std::string_view document) {
    command.push_back(static_cast<char>(BsonType::document));
    command.append(std::to_string(starts.size())).push_back('\0');
    starts.push_back(command.size());
    command.append(document);
    empty_timestamp.push_back(has_empty_timestamp(document));
    any_empty_timestamp = any_empty_timestamp || empty_timestamp.back();
}

std::string_view BatchWriter::State::document(std::size_t index) const {
    const char* at = command.data() + starts[index];
    return {at, static_cast<std::size_t>(load_le<std::int32_t>(at))};
}

bool BatchWriter::State::full_for(std::size_t bytes) const {
    const std::size_t limit = std::min(kMaxArrayBytes, static_cast<std::size_t>(std::max<std::int64_t>(options.max_bytes, 1)));
    const auto documents = static_cast<std::size_t>(std::clamp(options.max_documents, 1, 100000));
    return !starts.empty() && (starts.size() >= documents || command.size() - array_at + bytes + 16 > limit);
}

// Closes the array and the command.
void BatchWriter::State::finish() {
    command.push_back('\0');
    store_le(command.data() + array_at, static_cast<std::int32_t>(command.size() - array_at));
    std::string tail;
    if (any_empty_timestamp && keeps_empty_timestamps(client.server()))
        tail = BsonBuilder().add("bypassEmptyTsReplacement", true).str();
    if (client.state().sessions) {
        BsonBuilder number;
        if (!tail.empty()) number.add("bypassEmptyTsReplacement", true);
        tail = number.add("txnNumber", client.state().next_write()).str();
    }
    if (!tail.empty()) command.append(tail, 4, tail.size() - 5);
    command.push_back('\0');
    store_le(command.data(), static_cast<std::int32_t>(command.size()));
}

void BatchWriter::State::send(std::int64_t first_position) {
    Client::State& on = client.state();
    on.connect();
    finish();
    Reply reply;
    const Exchange exchange{database, command, on.sessions ? on.write_session.get() : nullptr};
    const bool retried = send_or_throw(on, exchange, on.sessions, reply);
    const std::vector<std::size_t> failed = take_errors(reply.bytes(), first_position, retried);
    const std::size_t reached = ordered && !failed.empty() ? failed.back() + 1 : starts.size();
    inserted += static_cast<std::int64_t>(reached - failed.size());
    if (any_empty_timestamp && !keeps_empty_timestamps(client.server())) {
        for (std::size_t i = 0; i < reached; ++i)
            if (empty_timestamp[i] && std::find(failed.begin(), failed.end(), i) == failed.end()) put_back(document(i));
    }
    if (reached == starts.size()) return;
    // The server stops at the first error of an ordered batch. What is left goes once more, unordered: it cannot stop again.
    const std::string whole = std::move(command);
    const std::vector<std::size_t> left(starts.begin() + static_cast<std::ptrdiff_t>(reached), starts.end());
    begin(false);
    for (const std::size_t start : left)
        append(std::string_view(whole).substr(start, static_cast<std::size_t>(load_le<std::int32_t>(whole.data() + start))));
    send(first_position + static_cast<std::int64_t>(reached));
}

// The indexes of the documents that are not in the collection, ascending.
std::vector<std::size_t> BatchWriter::State::take_errors(std::string_view reply, std::int64_t first_position, bool retried) {
    std::vector<std::size_t> failed;
    const auto list = BsonView(reply).find("writeErrors");
    if (!list || list->type != BsonType::array) return failed;
    for (const BsonField& one : BsonView(list->document())) {
        const BsonView error(one.document());
        const auto index_field = error.find("index"), code = error.find("code");
        const auto index =
            index_field && index_field->is_number() ? static_cast<std::size_t>(index_field->integer()) : starts.size();
        if (index >= starts.size())
            throw Failure(Code::server, "server_error", "the server's insert reply names a document that was not sent");
        const bool arrived =
            retried && code && code->is_number() && code->integer() == kDuplicateKey && stored_as_it_is(document(index));
        if (arrived && !ordered) continue;
        failed.push_back(index);
        if (arrived) {
            // Ordered: the batch stopped here although the document is in; it counts, and the rest is sent.
            ++inserted;
        } else {
            note(index, first_position, error);
        }
    }
    std::sort(failed.begin(), failed.end());
    return failed;
}

void BatchWriter::State::note(std::size_t index, std::int64_t first_position, const BsonView& error) {
    ++error_count;
    if (errors.size() >= kMaxKeptErrors) return;
    InsertError kept;
    kept.position = first_position + static_cast<std::int64_t>(index);
    kept.id = speak_id(document(index));
    if (const auto code = error.find("code"); code && code->is_number()) kept.code = static_cast<std::int32_t>(code->integer());
    kept.code_name = name_of(kept.code, error);
    errors.push_back(std::move(kept));
}

bool BatchWriter::State::stored_as_it_is(std::string_view document) {
    const auto id = BsonView(document).find("_id");
    if (!id) return false;
    const std::string query = BsonBuilder().doc("_id", BsonBuilder().field_as("$eq", *id).str()).str();
    bool same = false;
    for_each_result(client, database,
                    BsonBuilder().add("find", collection).doc("filter", query).add("limit", std::int64_t{1}).str(),
                    [&](std::string_view stored) { same = stored == document; });
    return same;
}

// Servers without bypassEmptyTsReplacement: the pipeline form of an update takes the document literally.
void BatchWriter::State::put_back(std::string_view document) {
    const auto id = BsonView(document).find("_id");
    if (!id)
        throw Failure(Code::unsupported, "empty_timestamp_unsupported",
                      "a document with an empty timestamp and no _id cannot be kept as it is on this server");
    const std::string query = BsonBuilder().doc("_id", BsonBuilder().field_as("$eq", *id).str()).str();
    const std::string root = BsonBuilder().doc("newRoot", BsonBuilder().doc("$literal", document).str()).str();
    const std::string pipeline = BsonArray().doc(BsonBuilder().doc("$replaceRoot", root).str()).str();
    const std::string update = BsonBuilder().doc("q", query).array("u", pipeline).str();
    CommandOptions once;
    once.retryable_write = true;
    client.command(database, BsonBuilder().add("update", collection).array("updates", BsonArray().doc(update).str()).str(),
                   once);
}

BatchWriter::BatchWriter(Client& client, const std::string& database, const std::string& collection, InsertOptions options)
    : state_(std::make_unique<State>(client, database, collection, std::move(options))) {
    state_->begin(true);
}

BatchWriter::~BatchWriter() = default;

void BatchWriter::add(std::string_view bson) {
    if (state_->full_for(bson.size())) flush();
    state_->append(bson);
    ++state_->positions;
    if (state_->full_for(0)) flush();
}

void BatchWriter::flush() {
    if (state_->starts.empty()) return;
    state_->client.state().connect();
    state_->send(state_->positions - static_cast<std::int64_t>(state_->starts.size()));
    state_->begin(true);
}

std::int64_t BatchWriter::inserted() const { return state_->inserted; }
const std::vector<InsertError>& BatchWriter::errors() const { return state_->errors; }
std::int64_t BatchWriter::error_count() const { return state_->error_count; }

}  // namespace reprise
