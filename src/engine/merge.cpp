#include "engine/merge.h"

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/build_indexes.h"
#include "engine/merge_batch.h"
#include "mongo/writer.h"
#include "stream/hash.h"

namespace reprise {
namespace {

constexpr std::int32_t kDuplicateKey = 11000;
constexpr std::size_t kNamedConflicts = 5;  // per collection, in the warnings

bool has_operator_key(std::string_view document) {
    for (const auto& field : BsonView(document)) {
        if (!field.key.empty() && field.key[0] == '$') return true;
        if (field.type == BsonType::timestamp && field.value == std::string_view("\0\0\0\0\0\0\0\0", 8))
            return true;  // would become "now"
    }
    return false;
}

std::string replacement(std::string_view document, const std::string& filter) {
    BsonBuilder statement;
    statement.doc("q", filter);
    if (!has_operator_key(document)) return statement.doc("u", document).str();
    const std::string literal = BsonBuilder().doc("$literal", document).str();
    const std::string stage = BsonBuilder().doc("$replaceRoot", BsonBuilder().doc("newRoot", literal).str()).str();
    return statement.array("u", BsonArray().doc(stage).str()).str();
}

class Merger {
public:
    Merger(Operation& operation, const MergeWish& wish, const std::string& name, RestoreResult& result)
        : operation_(operation), wish_(wish), name_(name), result_(result), batch_(wish.place.database, name) {
        for (const auto& one : wish.live)
            if (one.name == name) shard_key_ = one.shard_key;
    }

    void add(std::string_view document) {
        batch_.add(document);
        if (batch_.full()) flush();
    }

    void flush() {
        const MergeBatch::Found found = batch_.compare(operation_.client());
        counts.unchanged += found.unchanged;
        for (const auto& [document, live] : found.changed) replace(document, merge_filter(live, shard_key_));
        insert(found.fresh);
    }

    RestoredCollection counts;

private:
    void insert(const std::vector<std::string>& fresh) {
        if (fresh.empty()) return;
        operation_.check();
        REPRISE_STEP("restore.merge_insert.before");
        BatchWriter writer(operation_.client(), wish_.place.database, name_);
        for (const auto& document : fresh) writer.add(document);
        writer.flush();
        REPRISE_STEP("restore.merge_insert.after");
        counts.inserted += writer.inserted();
        for (const auto& error : writer.errors())
            if (error.code != kDuplicateKey) throw refused(error.id, error.code, error.code_name);
        counts.conflicts += writer.error_count();
        for (const auto& error : writer.errors()) name_conflict(error.id);
    }

    void replace(std::string_view document, const std::string& filter) {
        BsonBuilder command;
        command.add("update", std::string_view(name_)).array("updates", BsonArray().doc(replacement(document, filter)).str());
        operation_.check();
        REPRISE_STEP("restore.merge_replace.before");
        const std::string reply =
            operation_.client().write_command(wish_.place.database, command.str(), CommandOptions{Concern::none, 0, true});
        REPRISE_STEP("restore.merge_replace.after");
        const auto errors = BsonView(reply).find("writeErrors");
        if (!errors || BsonView(errors->document()).empty()) {
            const auto matched = BsonView(reply).find("n");
            if (!matched || matched->integer() == 0) return insert({std::string(document)});  // it went meanwhile
            ++counts.replaced;
            return;
        }
        const BsonView first(BsonView(errors->document()).begin()->document());
        const auto code = first.find("code");
        const auto number = code ? static_cast<std::int32_t>(code->integer()) : 0;
        if (number != kDuplicateKey) throw refused(speak_id(document), number, "");
        ++counts.conflicts;
        name_conflict(speak_id(document));
    }

    Failure refused(const std::string& id, std::int32_t code, const std::string& code_name) {
        return Failure(Code::server, "document_refused",
                       "the server refused document " + id + " of collection " + printable(name_) + " (" +
                           (code_name.empty() ? "code " + std::to_string(code) : code_name) +
                           "); what was merged before it stays")
            .from(Origin::server, code);
    }

    void name_conflict(const std::string& id) {
        if (named_++ < kNamedConflicts)
            result_.warnings.push_back("document " + id + " of collection " + printable(name_) +
                                       " was left out: a unique value is taken by another document");
    }

    Operation& operation_;
    const MergeWish& wish_;
    const std::string& name_;
    RestoreResult& result_;
    std::string shard_key_;
    MergeBatch batch_;
    std::size_t named_ = 0;
};

// A collection that is not there is made as the backup describes it.
void create_missing(Operation& operation, const MergeWish& wish, Target& target, RestoreResult& result) {
    if (find_collection(operation.client(), wish.place.database, target.entry.name, false)) return;
    operation.check();
    create_collection(operation.client(), wish.place.database, target.entry.name, target.rules.options_with_expiry);
    target.staging = target.entry.name;
    target.indexes.ttl = target.indexes.ttl_real;
    const IndexBuild build{operation.client(), wish.place.database, [&operation] { operation.check(); },
                           wish.options.non_unique};
    const auto notes = build_all_indexes(build, target);
    result.warnings.insert(result.warnings.end(), notes.begin(), notes.end());
}

// The second reading is proven collection by collection: a file that changed meanwhile does no more harm than that.
void check_same(const MergeWish& wish, const std::string& name, std::int64_t documents, const std::string& digest) {
    const CollectionSummary* wanted = wish.expected.find(name);
    if (wanted != nullptr && wanted->documents == documents && wanted->digest == digest) return;
    throw Failure(
        Code::corrupt, "file_changed",
        "collection " + printable(name) +
            " was read differently the second time: the file changed while it was read; what was merged before stays");
}

}  // namespace

std::string merge_filter(std::string_view live, std::string_view shard_key) {
    const BsonView view(live);
    BsonBuilder filter;
    filter.field(*view.find("_id"));
    if (shard_key.empty()) return filter.str();
    for (const auto& part : BsonView(shard_key)) {
        if (part.key == "_id") continue;
        const std::string path(part.key);
        if (const auto value = view.at_path(path))
            filter.doc(path, BsonBuilder().field_as("$eq", *value).str());
        else
            filter.doc(path, BsonBuilder().raw(BsonType::null, "$eq", "").str());
    }
    return filter.str();
}

std::string view_left(const std::string& name) {
    return "view " + printable(name) + " is left as it is: a merge brings documents";
}

void check_merge(const Plan& plan, const std::vector<CollectionInfo>& live) {
    for (const auto& target : plan.targets) {
        if (target.is_time_series()) throw merge_unsupported(target.entry.name, "time series");
        if (target.rules.capped) throw merge_unsupported(target.entry.name, "capped collection");
        if (target.is_view()) continue;
        for (const auto& one : live) {
            if (one.name != target.entry.name) continue;
            const auto capped = BsonView(one.options).find("capped");
            if (one.type != "collection") throw merge_unsupported(one.name, "the live view or time series");
            if (capped && capped->truthy()) throw merge_unsupported(one.name, "the live capped collection");
        }
    }
}

void merge_documents(Operation& operation, const MergeWish& wish, Plan& plan, BackupReader& reader, RestoreResult& result) {
    std::string name;
    Progress now;
    now.phase = "merging";
    while (reader.next_collection(name)) {
        std::string_view document;
        Target* target = plan.find(name);
        if (target == nullptr) {
            while (reader.next_document(document)) wish.context.cancel->check();
            continue;
        }
        create_missing(operation, wish, *target, result);
        Merger merger(operation, wish, name, result);
        now.collection = name;
        CollectionDigest digest(false);
        while (reader.next_document(document)) {
            digest.add(document);
            merger.add(document);
            if (++now.documents % 1000 == 0) wish.context.progress(now);
            ++merger.counts.documents;
        }
        merger.flush();
        check_same(wish, name, merger.counts.documents, digest.text());
        merger.counts.name = name;
        merger.counts.type = target->entry.type;
        result.documents += merger.counts.documents;
        result.collections.push_back(merger.counts);
    }
    for (const auto& target : plan.targets)
        if (target.is_view()) result.warnings.push_back(view_left(target.entry.name));
}

}  // namespace reprise
