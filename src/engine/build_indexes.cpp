#include "engine/build_indexes.h"

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr int kMaxTries = 3;  // of one command that the network cut: the server goes on building what it was told
constexpr std::int32_t kDuplicateKey = 11000;
constexpr std::int32_t kCollationVersion = 161;  // IncompatibleCollationVersion

class Builder {
public:
    Builder(const IndexBuild& build, const Target& target) : build_(build), target_(target) {}

    std::vector<std::string> run() {
        if (!target_.indexes.plain.empty()) send(target_.indexes.plain);
        for (const auto* group : {&target_.indexes.unique, &target_.indexes.ttl})
            for (const auto& index : *group) build_strict(index);
        for (const auto& index : target_.kept_indexes) build_kept(index);
        return std::move(warnings_);
    }

private:
    void send_once(const std::vector<std::string>& indexes) {
        build_.check();
        REPRISE_STEP("restore.index.before");
        create_indexes(build_.client, build_.database, target_.staging, indexes);
        REPRISE_STEP("restore.index.after");
    }

    void send(const std::vector<std::string>& indexes) {
        for (int tries = 1;; ++tries) {
            try {
                return send_once(indexes);
            } catch (const Failure& failure) {
                if (failure.origin_code == kCollationVersion) return send_without_version(indexes);
                if (!failure.retryable || tries >= kMaxTries) throw;
            }
        }
    }

    void send_without_version(const std::vector<std::string>& indexes) {
        std::vector<std::string> bare;
        for (const auto& index : indexes) bare.push_back(without_collation_version(index));
        warnings_.push_back("the server has another collation version: indexes of collection " + printable(target_.entry.name) +
                            " are built with its own");
        send_once(bare);
    }

    void build_strict(const std::string& index) {
        try {
            send({index});
        } catch (const Failure& failure) {
            if (failure.origin_code != kDuplicateKey) throw;
            if (!build_.non_unique) throw conflict(index);
            send({without_field(index, "unique")});
            warnings_.push_back("index " + printable(index_name(index)) + " of collection " + printable(target_.entry.name) +
                                " is built without unique: " + owners(index));
        }
    }

    // An index that only the live collection has is a wish, not a part of the backup.
    void build_kept(const std::string& index) {
        try {
            send({index});
        } catch (const Failure& failure) {
            if (failure.origin != Origin::server || failure.retryable) throw;
            warnings_.push_back("index " + printable(index_name(index)) + " of collection " + printable(target_.entry.name) +
                                ", which the backup does not have, could not be built: " + failure.message);
        }
    }

    Failure conflict(const std::string& index) {
        return Failure(Code::refused, "unique_conflict",
                       "unique index " + printable(index_name(index)) + " of collection " + printable(target_.entry.name) +
                           " cannot be built: " + owners(index) + "; restore another backup, or ask for non_unique")
            .from(Origin::server, kDuplicateKey);
    }

    // The two documents that hold one value, found by grouping as the index would.
    std::string owners(const std::string& index) {
        try {
            const std::string reply = build_.client.command(build_.database, grouping(index), {});
            const auto batch = BsonView(reply).at_path("cursor.firstBatch");
            if (batch)
                for (const auto& group : BsonView(batch->document())) {
                    const BsonView found(group.document());
                    const auto a = found.find("a"), b = found.find("b");
                    if (a && b) return "documents " + speak(*a) + " and " + speak(*b) + " hold the same value";
                }
        } catch (const Failure& failure) {
            if (failure.code == Code::cancelled || failure.retryable) throw;
        }
        return "two documents hold the same value";
    }

    std::string speak(const BsonField& id) { return speak_id(BsonBuilder().field_as("_id", id).str()); }

    std::string grouping(const std::string& index) {
        BsonBuilder key, group;
        BsonArray stages;
        std::size_t n = 0;
        const std::string key_of_index = index_key(index);
        if (const auto partial = BsonView(index).find("partialFilterExpression"))
            stages.doc(BsonBuilder().doc("$match", partial->document()).str());
        for (const auto& part : BsonView(key_of_index)) {
            const std::string path = "$" + std::string(part.key);
            stages.doc(BsonBuilder()
                           .doc("$unwind", BsonBuilder().add("path", path).add("preserveNullAndEmptyArrays", true).str())
                           .str());
            key.add("k" + std::to_string(n++), std::string_view(path));
        }
        group.doc("_id", key.str());
        group.doc("a", BsonBuilder().add("$min", "$_id").str()).doc("b", BsonBuilder().add("$max", "$_id").str());
        stages.doc(BsonBuilder().doc("$group", group.str()).str());
        const std::string differ = BsonBuilder().array("$ne", BsonArray().add("$a").add("$b").str()).str();
        stages.doc(BsonBuilder().doc("$match", BsonBuilder().doc("$expr", differ).str()).str());
        stages.doc(BsonBuilder().add("$limit", std::int32_t{1}).str());
        BsonBuilder command;
        command.add("aggregate", std::string_view(target_.staging)).array("pipeline", stages.str());
        if (const auto collation = BsonView(index).find("collation")) command.field(*collation);
        return command.add("allowDiskUse", true).doc("cursor", BsonBuilder().str()).str();
    }

    const IndexBuild& build_;
    const Target& target_;
    std::vector<std::string> warnings_;
};

}  // namespace

std::vector<std::string> build_all_indexes(const IndexBuild& build, const Target& target) {
    return Builder(build, target).run();
}

}  // namespace reprise
