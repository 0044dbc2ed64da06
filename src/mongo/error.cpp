// What went wrong, in words of our own: of the server's message only code, code name, index and namespace pass (S10).
#include <algorithm>

#include "base/text.h"
#include "mongo/state.h"

namespace reprise {
namespace {

// From MongoDB's error_codes.yml.
constexpr std::int32_t kUnauthorized = 13, kAuthenticationFailed = 18, kMaxTimeExpired = 50, kWriteConcernFailed = 64,
                       kAtlasError = 8000, kDuplicateKey = 11000;

std::int32_t code_in(const BsonView& from) {
    const auto code = from.find("code");
    return code && code->is_number() ? static_cast<std::int32_t>(code->integer()) : 0;
}

struct Complaint {
    std::int32_t code = 0;
    std::string name;
    std::int64_t index = -1;
    bool write_concern = false;
};

std::string in_words(const Complaint& complaint, std::string_view database, std::string_view command) {
    std::string text =
        "the server refused " + printable(command_name(command)) + " on " + namespace_of(database, command) + ": ";
    if (complaint.write_concern)
        text = "the server could not confirm " + printable(command_name(command)) + " on " + namespace_of(database, command) +
               ": ";
    text += complaint.name.empty() ? "error" : complaint.name;
    text += " (" + std::to_string(complaint.code) + ")";
    if (complaint.index >= 0) text += ", at index " + std::to_string(complaint.index);
    return text;
}

Failure failure_from(const Complaint& complaint, std::string_view database, std::string_view command) {
    std::string text = in_words(complaint, database, command);
    const auto make = [&](Code code, const char* reason, const char* way_out = "") {
        return Failure(code, reason, text + way_out).from(Origin::server, complaint.code);
    };
    if (complaint.write_concern && (complaint.code == kWriteConcernFailed || complaint.code == 100))
        return make(Code::timed_out, "majority_unreachable", "; a majority of the replica set must be reachable and durable")
            .may_retry();
    if (complaint.code == kUnauthorized) return make(Code::denied, "not_authorized", "; give the user a role that allows it");
    if (complaint.code == kAuthenticationFailed || complaint.code == kAtlasError)
        return make(Code::denied, "authentication_failed", "; check user, password and authSource in mongo_url");
    if (complaint.code == kMaxTimeExpired) return make(Code::timed_out, "server_timeout").may_retry();
    if (is_lost_primary(complaint.code)) return make(Code::unavailable, "server_lost").may_retry();
    return make(Code::server, "server_error");
}

std::optional<Complaint> complaint_in(const BsonView& reply) {
    const auto ok = reply.find("ok");
    if (ok && !ok->truthy()) return Complaint{code_in(reply), plain_code_name(reply), -1, false};
    if (const auto errors = reply.find("writeErrors"); errors && errors->type == BsonType::array) {
        for (const BsonField& one : BsonView(errors->document())) {
            const BsonView error(one.document());
            Complaint complaint{code_in(error), plain_code_name(error), -1, false};
            if (const auto index = error.find("index")) complaint.index = index->integer();
            if (complaint.name.empty() && complaint.code == kDuplicateKey) complaint.name = "DuplicateKey";
            return complaint;
        }
    }
    if (const auto concern = reply.find("writeConcernError"); concern && concern->type == BsonType::document) {
        const BsonView error(concern->document());
        return Complaint{code_in(error), plain_code_name(error), -1, true};
    }
    return std::nullopt;
}

}  // namespace

// A code name is letters and digits; anything else is not passed on.
std::string plain_code_name(const BsonView& from) {
    const auto name = from.find("codeName");
    if (!name || name->type != BsonType::string) return {};
    const std::string_view text = name->text();
    const bool plain =
        text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
    return plain ? std::string(text) : std::string();
}

std::string_view command_name(std::string_view command) {
    for (const BsonField& first : BsonView(command)) return first.key;
    return {};
}

std::string namespace_of(std::string_view database, std::string_view command) {
    for (const BsonField& first : BsonView(command)) {
        if (first.type == BsonType::string) {
            const bool whole = first.key == "renameCollection";
            return printable(whole ? std::string(first.text()) : std::string(database) + "." + std::string(first.text()));
        }
        if (const auto collection = BsonView(command).find("collection"); collection && collection->type == BsonType::string)
            return printable(std::string(database) + "." + std::string(collection->text()));
        break;
    }
    return printable(database);
}

// The driver specifications' "retryable error" list.
bool is_lost_primary(std::int32_t code) {
    constexpr std::int32_t codes[] = {6, 7, 89, 91, 134, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436};
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

std::optional<Failure> complaint_of(std::string_view reply, std::string_view database, std::string_view command) {
    const auto complaint = complaint_in(BsonView(reply));
    if (!complaint) return std::nullopt;
    return failure_from(*complaint, database, command);
}

Failure Client::State::failure_of(const Exchange& exchange, const Reply& reply, const bson_error_t& error) const {
    if (auto complaint = complaint_of(reply.bytes(), exchange.database, exchange.command)) return *complaint;
    const bool authentication = (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
                                error.domain == MONGOC_ERROR_SASL || error.domain == MONGOC_ERROR_SCRAM;
    if (authentication)
        return Failure(
            Code::denied, "authentication_failed",
            "the server at " + hosts + " did not accept the login; check user, password and authSource in mongo_url");
    if (error.domain == MONGOC_ERROR_SERVER_SELECTION) return unreachable();
    const std::string what =
        printable(command_name(exchange.command)) + " on " + namespace_of(exchange.database, exchange.command);
    if (error.domain == MONGOC_ERROR_BSON || error.domain == MONGOC_ERROR_CLIENT)
        return Failure(Code::internal, "driver_refused", "the driver would not send " + what)
            .from(Origin::server, static_cast<std::int32_t>(error.code));
    return Failure(Code::unavailable, "server_lost", "the connection to " + hosts + " was lost during " + what).may_retry();
}

}  // namespace reprise
