#include "mongo/cursor.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "mongo/state.h"

namespace reprise {
namespace {

constexpr std::int64_t kKillBoundMs = 1000;
// Batches of about 4 MiB: measured, the server's 16 MiB cost three times the processor time here (fresh pages for every
// reply) and four times the memory, for no gain.
constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;
constexpr std::size_t kMinBatchDocuments = 100, kMaxBatchDocuments = 1000000;

[[noreturn]] void bad_reply() { throw Failure(Code::server, "server_error", "the server's cursor reply is not well-formed"); }

std::string find_command(const std::string& collection, const FindOptions& options) {
    BsonBuilder command;
    command.add("find", collection);
    if (!options.filter.empty()) command.doc("filter", options.filter);
    if (!options.projection.empty()) command.doc("projection", options.projection);
    if (!options.sort.empty()) command.doc("sort", options.sort);
    const bool hinted = options.sort.empty() && options.order != Order::unhinted;
    if (hinted) command.doc("hint", BsonBuilder().add(options.order == Order::natural ? "$natural" : "_id", 1).str());
    if (options.limit > 0) command.add("limit", options.limit);
    if (options.batch_documents > 0) command.add("batchSize", options.batch_documents);
    BsonBuilder concern;
    concern.add("level", options.snapshot ? "snapshot" : "local");
    if (options.snapshot && options.at) concern.timestamp("atClusterTime", options.at->first, options.at->second);
    return command.doc("readConcern", concern.str()).str();
}

std::optional<ClusterTime> time_in(const BsonView& cursor) {
    const auto at = cursor.find("atClusterTime");
    if (!at || at->type != BsonType::timestamp) return std::nullopt;
    return ClusterTime{load_le<std::uint32_t>(at->value.data() + 4), load_le<std::uint32_t>(at->value.data())};
}

}  // namespace

struct Cursor::State {
    State(Client::State& on, std::string database_) : client(on), database(std::move(database_)) {}
    ~State();
    void take(const char* batch_name);
    void fetch();
    std::int32_t next_batch_documents() const;

    Client::State& client;
    std::string database, collection;  // collection: as the reply's ns names it (a time series or view may differ)
    Handle<mongoc_client_session_t> session;
    Handle<mongoc_read_prefs_t> preference;
    std::uint32_t server_id = 0;
    std::int32_t batch_documents = 0;
    std::int64_t id = 0;
    bool broken = false;
    std::optional<ClusterTime> at;  // what was asked for, or the first reply's
    bool agreed = false;
    Reply reply;
    const char* position = nullptr;  // in the reply's batch
    const char* end = nullptr;
    std::size_t batch_bytes = 0, batch_count = 0;  // of the batch being read
};

// Reads the reply's envelope and sets position and end to its batch.
void Cursor::State::take(const char* batch_name) {
    const auto field = BsonView(reply.bytes()).find("cursor");
    if (!field || field->type != BsonType::document) bad_reply();
    const BsonView cursor(field->document());
    const auto batch = cursor.find(batch_name), number = cursor.find("id"), ns = cursor.find("ns");
    if (!batch || batch->type != BsonType::array || !number || !number->is_number() || !ns || ns->type != BsonType::string)
        bad_reply();
    id = number->integer();
    const std::string_view name = ns->text();
    collection = std::string(name.substr(std::min(name.find('.'), name.size() - 1) + 1));
    const std::string_view array = batch->document();
    position = array.data() + 4;
    end = array.data() + array.size() - 1;
    batch_bytes = array.size();
    batch_count = 0;
    const std::optional<ClusterTime> told = time_in(cursor);
    const bool first = std::strcmp(batch_name, "firstBatch") == 0;
    if (first) {
        agreed = told && (!at || *at == *told);
        at = told;
    } else if (told && (!at || *told != *at)) {
        agreed = false;
    }
}

// As many documents as would fill a batch if they were like those of the last one.
std::int32_t Cursor::State::next_batch_documents() const {
    if (batch_documents > 0) return batch_documents;
    if (batch_count == 0) return 0;
    const std::size_t average = std::max<std::size_t>(batch_bytes / batch_count, 1);
    return static_cast<std::int32_t>(std::clamp(kBatchBytes / average, kMinBatchDocuments, kMaxBatchDocuments));
}

void Cursor::State::fetch() {
    client.cancel.check();
    BsonBuilder command;
    command.add("getMore", id).add("collection", collection);
    if (const std::int32_t wanted = next_batch_documents(); wanted > 0) command.add("batchSize", wanted);
    const std::string bytes = command.str();
    const Exchange exchange{database, bytes, session.get(), server_id, preference.get()};
    bson_error_t error{};
    broken = true;  // until the answer is read
    if (!client.send(exchange, reply, error)) throw client.failure_of(exchange, reply, error);
    take("nextBatch");
    broken = false;
}

Cursor::State::~State() {
    if (client.in_child()) {
        session.release();  // the parent's
        return;
    }
    if (id == 0 || broken || client.cancel.requested()) return;
    try {
        const BoundedIo bound(client, kKillBoundMs);
        const std::string command =
            BsonBuilder().add("killCursors", collection).array("cursors", BsonArray().add(id).str()).str();
        Reply ignored;
        bson_error_t error{};
        client.send(Exchange{database, command, session.get(), server_id, preference.get()}, ignored, error);
    } catch (const std::exception&) {
        // The server ends an idle cursor by itself.
    }
}

Cursor::Cursor(Client& client, const std::string& database, const std::string& collection, const FindOptions& options) {
    Client::State& on = client.state();
    on.connect();
    state_ = std::make_unique<State>(on, database);
    State& state = *state_;
    if (options.use_read_preference) state.preference.reset(mongoc_read_prefs_copy(mongoc_uri_get_read_prefs_t(on.uri.get())));
    state.session = on.new_session();
    state.server_id = on.select_server(state.preference.get());
    state.batch_documents = options.batch_documents;
    state.at = options.snapshot ? options.at : std::nullopt;
    const std::string command = find_command(collection, options);
    const Exchange exchange{state.database, command, state.session.get(), state.server_id, state.preference.get()};
    bson_error_t error{};
    if (!on.send(exchange, state.reply, error)) throw on.failure_of(exchange, state.reply, error);
    state.take("firstBatch");
}

Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;

bool Cursor::next(std::string_view& document) {
    State& state = *state_;
    while (state.position == state.end) {
        if (state.id == 0) return false;
        state.fetch();
    }
    // An array element: type, key ("0", "1", …), then the document whose first four bytes are its length.
    const char* at = state.position;
    const auto left = static_cast<std::size_t>(state.end - at);
    const void* zero = left < 2 || *at != static_cast<char>(BsonType::document)
                           ? nullptr
                           : std::memchr(at + 1, 0, std::min<std::size_t>(left - 1, 16));
    if (zero == nullptr) bad_reply();
    at = static_cast<const char*>(zero) + 1;
    if (state.end - at < 5) bad_reply();
    const auto size = load_le<std::int32_t>(at);
    if (size < 5 || size > state.end - at || at[size - 1] != 0) bad_reply();
    document = std::string_view(at, static_cast<std::size_t>(size));
    state.position = at + size;
    ++state.batch_count;
    return true;
}

std::optional<ClusterTime> Cursor::at_cluster_time() const { return state_->agreed ? state_->at : std::nullopt; }

// SnapshotTooOld, SnapshotUnavailable, InvalidOptions, IllegalOperation, OperationNotSupportedInTransaction, NotAReplicaSet.
bool is_snapshot_refusal(std::int32_t server_code) {
    constexpr std::int32_t codes[] = {239, 246, 72, 20, 263, 123};
    return std::find(std::begin(codes), std::end(codes), server_code) != std::end(codes);
}

}  // namespace reprise
