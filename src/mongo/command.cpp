// Sending a command: explicit concerns whatever the connection string says, one more try where that is safe.
#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "mongo/state.h"

namespace reprise {
namespace {

constexpr std::int64_t kMajorityTimeoutMs = 30000;  // a majority that cannot be reached is an error, not a wait for ever
constexpr int kAttempts = 2;

bool any_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool takes_read_concern(std::string_view name) { return any_of(name, {"find", "aggregate", "count", "distinct"}); }

bool takes_write_concern(std::string_view name) {
    return any_of(name, {"insert", "update", "delete", "findAndModify", "findandmodify", "create", "createIndexes", "drop",
                         "dropIndexes", "dropDatabase", "renameCollection", "collMod", "createUser", "updateUser"});
}

bool has_majority(const Client::State& on) { return (on.info.replica_set || on.info.mongos) && !on.primary_alone; }

std::string write_concern(Concern concern, const Client::State& on) {
    BsonBuilder built;
    if (concern == Concern::read) return built.add("w", 1).str();
    if (!has_majority(on)) return built.add("w", 1).add("j", true).str();
    return built.add("w", "majority").add("j", true).add("wtimeout", kMajorityTimeoutMs).str();
}

std::string read_concern(Concern concern, const Client::State& on) {
    const bool majority = concern == Concern::majority && has_majority(on);
    return BsonBuilder().add("level", majority ? "majority" : "local").str();
}

// The command's own bytes without the closing 0, so that fields can follow.
std::string dressed(std::string_view command, const CommandOptions& options, const Client::State& on) {
    const BsonView view(command);
    const std::string_view name = command_name(command);
    BsonBuilder built;
    if (options.max_time_ms > 0 && !view.find("maxTimeMS")) built.add("maxTimeMS", options.max_time_ms);
    if (options.concern != Concern::none && takes_write_concern(name) && !view.find("writeConcern"))
        built.doc("writeConcern", write_concern(options.concern, on));
    if (options.concern != Concern::none && takes_read_concern(name) && !view.find("readConcern"))
        built.doc("readConcern", read_concern(options.concern, on));
    return built.str();
}

std::string joined(std::string_view command, std::string_view more) {
    std::string whole;
    whole.reserve(command.size() + more.size());
    whole.append(command.substr(0, command.size() - 1)).append(more.substr(4));
    store_le(whole.data(), static_cast<std::int32_t>(whole.size()));
    return whole;
}

bool is_network(const bson_error_t& error, const Reply& reply) {
    return BsonView(reply.bytes()).find("ok") == std::nullopt &&
           (error.domain == MONGOC_ERROR_STREAM || error.domain == MONGOC_ERROR_SERVER_SELECTION ||
            (error.domain == MONGOC_ERROR_COMMAND && error.code == MONGOC_ERROR_COMMAND_INVALID_ARG) ||
            (error.domain == MONGOC_ERROR_PROTOCOL && error.code == MONGOC_ERROR_PROTOCOL_INVALID_REPLY));
}

bool worth_retrying(const bson_error_t& error, const Reply& reply, const Failure& failure) {
    if (is_network(error, reply)) return true;
    const BsonView view(reply.bytes());
    if (const auto labels = view.find("errorLabels"); labels && labels->type == BsonType::array) {
        for (const BsonField& label : BsonView(labels->document()))
            if (label.type == BsonType::string && label.text() == "RetryableWriteError") return true;
    }
    return failure.reason == "server_lost";
}

void exchange(Client::State& state, const Exchange& asked, const CommandOptions& options, Reply& reply) {
    std::string more = dressed(asked.command, options, state);
    const bool retryable = options.retryable_write && state.sessions;
    if (retryable) more = joined(more, BsonBuilder().add("txnNumber", state.next_write()).str());
    const std::string command = joined(asked.command, more);
    Exchange sent = asked;
    sent.command = command;
    if (retryable) sent.session = state.write_session.get();
    send_or_throw(state, sent, retryable, reply);
}

}  // namespace

bool send_or_throw(Client::State& state, const Exchange& exchange, bool retryable, Reply& reply) {
    for (int attempt = 1;; ++attempt) {
        bson_error_t error{};
        if (state.send(exchange, reply, error)) return attempt > 1;
        const Failure failure = state.failure_of(exchange, reply, error);
        if (attempt >= kAttempts || !retryable || !worth_retrying(error, reply, failure)) throw failure;
        if (!state.wait_for_primary()) throw failure;
    }
}

bool Client::State::send(const Exchange& exchange, Reply& reply, bson_error_t& error) {
    bson_t command;
    if (!bson_init_static(&command, reinterpret_cast<const std::uint8_t*>(exchange.command.data()), exchange.command.size()))
        throw Failure(Code::internal, "command_invalid", "a command is not valid bson");
    bson_t options;
    bson_init(&options);
    bool ready = true;
    if (exchange.session != nullptr) ready = mongoc_client_session_append(exchange.session, &options, &error);
    if (exchange.server_id != 0)
        ready = ready && BSON_APPEND_INT32(&options, "serverId", static_cast<std::int32_t>(exchange.server_id));
    const bool ok = ready && mongoc_client_command_with_opts(client.get(), std::string(exchange.database).c_str(), &command,
                                                             exchange.preference, &options, reply.fresh(), &error);
    bson_destroy(&options);
    if (!ok && (cancel.requested() || fence)) check();
    return ok && !BsonView(reply.bytes()).find("writeConcernError");
}

void Client::fence_with(std::function<void()> fence) { state_->fence = std::move(fence); }

void Client::without_majority() { state_->primary_alone = true; }

std::string Client::write_command(std::string_view database, std::string_view command, CommandOptions options) {
    state_->connect();
    Reply reply;
    exchange(*state_, Exchange{database, command}, options, reply);
    return std::string(reply.bytes());
}

std::string Client::command(std::string_view database, std::string_view command, CommandOptions options) {
    std::string reply = write_command(database, command, options);
    if (auto complaint = complaint_of(reply, database, command)) throw *complaint;
    return reply;
}

void for_each_result(Client& client, std::string_view database, std::string_view command,
                     const std::function<void(std::string_view)>& visit) {
    std::string reply = client.command(database, command);
    for (;;) {  // ends when the server says that the cursor does, which every batch brings nearer
        const auto cursor = BsonView(reply).find("cursor");
        if (!cursor) throw Failure(Code::server, "server_error", "the server's answer holds no cursor");
        const BsonView view(cursor->document());
        const auto batch = view.find("firstBatch") ? view.find("firstBatch") : view.find("nextBatch");
        const auto id = view.find("id"), ns = view.find("ns");
        if (!batch || !id || !ns) throw Failure(Code::server, "server_error", "the server's answer holds no whole cursor");
        for (const BsonField& document : BsonView(batch->document())) visit(document.document());
        if (id->integer() == 0) return;
        const std::string_view name = ns->text();
        const std::string more =
            BsonBuilder().add("getMore", id->integer()).add("collection", name.substr(name.find('.') + 1)).str();
        reply = client.command(database, more);
    }
}

}  // namespace reprise
