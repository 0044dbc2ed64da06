#include "engine/record.h"

#include <cctype>

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "format/names.h"
#include "mongo/catalog.h"
#include "mongo/cursor.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr std::size_t kMaxSteps = 100000;
constexpr std::size_t kOwnPrefixBytes = 8 + 8 + 1;  // "reprise_", op8, "_"

std::string summary_bson(const CollectionSummary& summary) {
    return BsonBuilder()
        .add("documents", summary.documents)
        .add("bson_bytes", summary.bson_bytes)
        .add("digest", std::string_view(summary.digest))
        .str();
}

std::string step_bson(const SwapStep& step) {
    BsonBuilder out;
    out.add("what", std::string_view(step.what)).add("target", std::string_view(step.target));
    if (!step.staging.empty()) out.add("staging", std::string_view(step.staging));
    if (!step.source_uuid.empty()) out.binary("source_uuid", 4, step.source_uuid);
    if (!step.expected_uuid.empty()) out.binary("expected_uuid", 4, step.expected_uuid);
    out.add("documents", step.documents).add("digest", std::string_view(step.digest));
    if (step.saved) out.doc("saved", summary_bson(*step.saved));
    if (!step.options.empty()) out.doc("options", step.options);
    if (!step.index.empty()) out.doc("index", step.index);
    BsonArray indexes;
    for (const auto& index : step.indexes) indexes.doc(index);
    if (indexes.size() > 0) out.array("indexes", indexes.str());
    if (step.done) out.add("done", true);
    return out.str();
}

std::string text_of(BsonView view, std::string_view key) {
    const auto field = view.find(key);
    return field ? std::string(field->text()) : std::string();
}

std::string uuid_of(BsonView view, std::string_view key) {
    const auto field = view.find(key);
    if (!field) return {};
    if (field->type != BsonType::binary || field->value.size() != 21)
        throw Failure(Code::corrupt, "record_invalid",
                      "the record of a restore in collection reprise holds no UUID where one belongs");
    return std::string(field->value.substr(5));
}

std::int64_t integer_of(BsonView view, std::string_view key) {
    const auto field = view.find(key);
    return field ? field->integer() : 0;
}

SwapStep step_from(BsonView view) {
    SwapStep step;
    step.what = text_of(view, "what");
    step.target = text_of(view, "target");
    step.staging = text_of(view, "staging");
    step.source_uuid = uuid_of(view, "source_uuid");
    step.expected_uuid = uuid_of(view, "expected_uuid");
    step.documents = integer_of(view, "documents");
    step.digest = text_of(view, "digest");
    if (const auto saved = view.find("saved")) {
        const BsonView inside(saved->document());
        step.saved =
            CollectionSummary{integer_of(inside, "documents"), integer_of(inside, "bson_bytes"), text_of(inside, "digest")};
    }
    if (const auto done = view.find("done")) step.done = done->truthy();
    if (const auto options = view.find("options")) step.options = std::string(options->document());
    if (const auto index = view.find("index")) step.index = std::string(index->document());
    if (const auto indexes = view.find("indexes"))
        for (const auto& index : BsonView(indexes->document())) step.indexes.emplace_back(index.document());
    return step;
}

std::string identity(const RestoreRecord& record) {
    return BsonBuilder()
        .add("_id", "restore")
        .add("op", std::string_view(record.op))
        .add("term", record.term)
        .add("state", std::string_view(record.state))
        .str();
}

// Adds the write concern of a step that must survive a failover: majority, or what a person allowed instead.
std::string run_write(Client& client, const std::string& database, BsonBuilder& command, bool without_majority) {
    CommandOptions options;
    options.retryable_write = true;
    options.concern = Concern::majority;
    if (without_majority) {
        options.concern = Concern::none;
        command.doc("writeConcern", BsonBuilder().add("w", std::int32_t{1}).add("j", true).str());
    }
    return client.command(database, command.str(), options);
}

bool is_own_with(const std::string& name, char kind) {
    return is_own_collection(name) && name.size() > kOwnPrefixBytes && name[kOwnPrefixBytes] == kind;
}

}  // namespace

std::string record_to_bson(const RestoreRecord& record) {
    BsonArray steps;
    for (const auto& step : record.steps) steps.doc(step_bson(step));
    return BsonBuilder()
        .add("_id", "restore")
        .add("format", record.format)
        .add("min_reader", record.min_reader)
        .add("version", std::string_view(record.version))
        .add("op", std::string_view(record.op))
        .add("term", record.term)
        .add("state", std::string_view(record.state))
        .add("attempts", record.attempts)
        .doc("backup", BsonBuilder()
                           .add("name", std::string_view(record.backup))
                           .add("sha256", std::string_view(record.backup_sha256))
                           .str())
        .add("safety", std::string_view(record.safety))
        .add("safety_sha256", std::string_view(record.safety_sha256))
        .add("unsaved", record.unsaved)
        .add("names_decide", record.names_decide)
        .array("steps", steps.str())
        .str();
}

RestoreRecord record_from_bson(std::string_view bson) {
    const BsonView view(bson);
    RestoreRecord record;
    record.min_reader = static_cast<std::int32_t>(integer_of(view, "min_reader"));
    record.version = text_of(view, "version");
    if (record.min_reader > kRecordReader)
        throw Failure(Code::refused, "record_newer",
                      "a restore by reprise " + record.version +
                          " is unfinished in this database; finish it with that version or a newer one");
    record.format = static_cast<std::int32_t>(integer_of(view, "format"));
    record.op = text_of(view, "op");
    record.term = integer_of(view, "term");
    record.state = text_of(view, "state");
    record.attempts = static_cast<std::int32_t>(integer_of(view, "attempts"));
    if (const auto backup = view.find("backup")) {
        record.backup = text_of(BsonView(backup->document()), "name");
        record.backup_sha256 = text_of(BsonView(backup->document()), "sha256");
    }
    record.safety = text_of(view, "safety");
    record.safety_sha256 = text_of(view, "safety_sha256");
    if (const auto unsaved = view.find("unsaved")) record.unsaved = unsaved->truthy();
    if (const auto names = view.find("names_decide")) record.names_decide = names->truthy();
    if (const auto steps = view.find("steps"))
        for (const auto& step : BsonView(steps->document())) {
            if (record.steps.size() >= kMaxSteps)
                throw Failure(Code::corrupt, "record_invalid", "the record of a restore has too many steps");
            record.steps.push_back(step_from(BsonView(step.document())));
        }
    if (record.state != "staging" && record.state != "swapping" && record.state != "merging")
        throw Failure(Code::corrupt, "record_invalid", "the record of a restore in collection reprise is in an unknown state");
    return record;
}

std::optional<RestoreRecord> load_record(Client& client, const std::string& database) {
    FindOptions find;
    find.filter = BsonBuilder().add("_id", "restore").str();
    find.limit = 1;
    Cursor cursor(client, database, kOwnCollection, find);
    std::string_view document;
    if (!cursor.next(document)) return std::nullopt;
    return record_from_bson(document);
}

void insert_record(Client& client, const std::string& database, const RestoreRecord& record, bool without_majority) {
    BsonBuilder command;
    command.add("insert", kOwnCollection).array("documents", BsonArray().doc(record_to_bson(record)).str());
    REPRISE_STEP("restore.record_insert.before");
    try {
        run_write(client, database, command, without_majority);
    } catch (const Failure& failure) {
        if (failure.origin_code != 11000) throw;
        throw Failure(Code::busy, "record_exists", "another restore began in this database at the same moment");
    }
    REPRISE_STEP("restore.record_insert.after");
}

bool replace_record(Client& client, const std::string& database, const RestoreRecord& was, const RestoreRecord& now,
                    bool without_majority) {
    BsonBuilder command;
    const std::string update = BsonBuilder().doc("q", identity(was)).doc("u", record_to_bson(now)).str();
    command.add("update", kOwnCollection).array("updates", BsonArray().doc(update).str());
    REPRISE_STEP("restore.record_replace.before");
    const std::string reply = run_write(client, database, command, without_majority);
    REPRISE_STEP("restore.record_replace.after");
    return integer_of(BsonView(reply), "n") == 1;
}

void mark_step_done(Client& client, const std::string& database, RestoreRecord& record, std::size_t step) {
    const std::string field = "steps." + std::to_string(step) + ".done";
    const std::string change = BsonBuilder().doc("$set", BsonBuilder().add(field, true).str()).str();
    const std::string update = BsonBuilder().doc("q", identity(record)).doc("u", change).str();
    BsonBuilder command;
    command.add("update", kOwnCollection).array("updates", BsonArray().doc(update).str());
    CommandOptions options;  // no majority: a mark that an election takes back only means that the step is looked at again
    options.retryable_write = true;
    REPRISE_STEP("restore.mark_done.before");
    const std::string reply = client.command(database, command.str(), options);
    REPRISE_STEP("restore.mark_done.after");
    if (integer_of(BsonView(reply), "n") != 1)
        throw Failure(Code::busy, "lease_lost", "another operation took this restore over and finishes it");
    record.steps[step].done = true;
}

bool remove_record(Client& client, const std::string& database, const RestoreRecord& record) {
    BsonBuilder command;
    const std::string one = BsonBuilder().doc("q", identity(record)).add("limit", std::int32_t{1}).str();
    command.add("delete", kOwnCollection).array("deletes", BsonArray().doc(one).str());
    REPRISE_STEP("restore.record_remove.before");
    const std::string reply = run_write(client, database, command, false);
    REPRISE_STEP("restore.record_remove.after");
    return integer_of(BsonView(reply), "n") == 1;
}

std::string staging_name(const std::string& op, std::size_t number) { return "reprise_" + op + "_" + std::to_string(number); }

std::string retired_name(const std::string& op, std::size_t step, std::size_t number) {
    return "reprise_" + op + "_r" + std::to_string(step) + "_" + std::to_string(number);
}

std::optional<std::size_t> retired_step(const std::string& name) {
    if (!is_own_with(name, 'r')) return std::nullopt;
    std::size_t at = kOwnPrefixBytes + 1, step = 0;
    for (; at < name.size() && std::isdigit(static_cast<unsigned char>(name[at])) != 0 && step < kMaxSteps; ++at)
        step = step * 10 + static_cast<std::size_t>(name[at] - '0');
    if (at >= name.size() || name[at] != '_') return std::nullopt;
    return step;
}

bool is_kept_name(const std::string& name) { return is_own_with(name, 'k'); }

void sweep_staging(Client& client, const std::string& database, const Lease& lease) {
    for (const auto& found : list_collections(client, database, false)) {
        if (!is_own_collection(found.name) || found.name == kOwnCollection) continue;
        if (is_own_with(found.name, 'r') || is_kept_name(found.name)) continue;
        lease.check();
        REPRISE_STEP("restore.sweep.before");
        drop_collection(client, database, found.name);
        REPRISE_STEP("restore.sweep.after");
    }
}

}  // namespace reprise
