#include "engine/staging.h"

#include "base/bson.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/build_indexes.h"
#include "engine/compare.h"
#include "engine/filler.h"
#include "engine/record.h"
#include "engine/timeseries.h"
#include "mongo/writer.h"
#include "stream/hash.h"

namespace reprise {
namespace {

constexpr std::int64_t kSayEvery = 1000;  // documents between two words on progress
constexpr std::int32_t kCollationVersion = 161;

// The server would put an _id first, or make one up, and the digest read back would differ: it is done here instead.
class IdFirst {
public:
    std::string_view operator()(std::string_view document, const Context& context) {
        const BsonView view(document);
        if (!view.empty() && view.begin()->key == "_id") return document;
        BsonBuilder out;
        if (const auto id = view.find("_id")) {
            out.field(*id);
        } else {
            out.raw(BsonType::oid, "_id", new_object_id(context));
            ++made_;
        }
        for (const auto& field : view)
            if (field.key != "_id") out.field(field);
        changed_ = out.str();
        return changed_;
    }
    std::int64_t made() const { return made_; }

private:
    std::string new_object_id(const Context& context) {
        const auto seconds = static_cast<std::uint32_t>(context.clock->unix_us() / 1000000);
        std::string id;
        for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>((seconds >> shift) & 0xFF);
        return id + random_bytes(8);
    }
    std::string changed_;
    std::int64_t made_ = 0;
};

Failure differs(const Target& target, const CollectionSummary& now) {
    return Failure(Code::server, "digest_mismatch",
                   "collection " + printable(target.entry.name) + " came back from the server with " +
                       std::to_string(now.documents) + " documents of " + std::to_string(target.sent.documents) +
                       ", or with other content than was sent; nothing was changed");
}

}  // namespace

Staging::Staging(Operation& operation, const Place& place, const RestoreOptions& options, const Context& context)
    : operation_(operation), place_(place), options_(options), context_(context) {}

Client& Staging::client() { return operation_.client(); }

void Staging::say(const char* phase, const std::string& collection) {
    now_.phase = phase;
    now_.collection = collection;
    context_.progress(now_);
}

std::vector<std::string> Staging::fill(Plan& plan, BackupReader& reader, const Summary& expected) {
    now_.documents_total = expected.documents;
    create(plan);
    pour(plan, reader, expected);
    for (auto& target : plan.targets) {
        if (target.is_view()) {
            try_view(target);
            continue;
        }
        if (!target.is_time_series()) build_indexes(target);
        read_back(target);
    }
    return std::move(warnings_);
}

void Staging::create(Plan& plan) {
    std::size_t number = 0;
    for (auto& target : plan.targets) {
        target.staging = staging_name(operation_.op(), ++number);
        if (!target.is_view()) create_one(target);
    }
}

void Staging::create_one(Target& target) {
    std::string options = target.rules.options;
    if (target.is_time_series()) options = BsonBuilder().str();
    operation_.check();
    REPRISE_STEP("restore.create.before");
    try {
        create_collection(client(), place_.database, target.staging, options);
    } catch (const Failure& failure) {
        if (failure.origin_code != kCollationVersion) throw;
        create_collection(client(), place_.database, target.staging, without_collation_version(options));
        warnings_.push_back("the server has another collation version: collection " + printable(target.entry.name) +
                            " gets its own");
    }
    REPRISE_STEP("restore.create.after");
    const auto made = find_collection(client(), place_.database, target.staging, false);
    if (!made || made->uuid.empty())
        throw Failure(Code::unsupported, "uuid_missing",
                      "the server gives collections no UUID, without which a restore cannot be made safe");
    target.uuid = made->uuid;
}

void Staging::pour(Plan& plan, BackupReader& reader, const Summary& expected) {
    Filler filler(place_, context_, [this] { operation_.check(); });
    std::string name;
    while (reader.next_collection(name)) {
        Target* target = plan.find(name);
        std::string_view document;
        if (target == nullptr) {
            while (reader.next_document(document)) context_.cancel->check();
            continue;
        }
        filler.begin({target->staging, name, target->rules.validator});
        say("staging", name);
        CollectionDigest digest(target->is_time_series());
        IdFirst id_first;
        while (reader.next_document(document)) {
            if (!target->is_time_series()) document = id_first(document, context_);
            digest.add(document);
            target->sent.bson_bytes += static_cast<std::int64_t>(document.size());
            filler.add(target->is_time_series() ? std::string_view(wrap_measurement(target->sent.documents, document))
                                                : document);
            now_.bytes += static_cast<std::int64_t>(document.size());
            ++target->sent.documents;
            if (++now_.documents % kSayEvery == 0) say("staging", name);
        }
        target->sent.digest = digest.text();
        if (id_first.made() > 0)
            warnings_.push_back(std::to_string(id_first.made()) + " documents of collection " + printable(name) +
                                " had no _id and were given one");
        const CollectionSummary* wanted = expected.find(name);
        if (wanted == nullptr || wanted->documents != target->sent.documents)
            throw Failure(
                Code::corrupt, "file_changed",
                "collection " + printable(name) + " was read differently the second time: the file changed while it was read");
    }
    filler.finish();
    if (filler.bypassed() > 0)
        warnings_.push_back(std::to_string(filler.bypassed()) +
                            " documents do not pass their collection's validator and were inserted as they were");
}

void Staging::build_indexes(Target& target) {
    say("indexes", target.entry.name);
    const IndexBuild build{client(), place_.database, [this] { operation_.check(); }, options_.non_unique};
    const auto notes = build_all_indexes(build, target);
    warnings_.insert(warnings_.end(), notes.begin(), notes.end());
}

// Created under a staging name and dropped at once: a view that the server refuses fails the restore before the swap.
void Staging::try_view(Target& target) {
    say("indexes", target.entry.name);
    operation_.check();
    REPRISE_STEP("restore.try_view.before");
    try {
        create_collection(client(), place_.database, target.staging, target.rules.options);
    } catch (const Failure& failure) {
        if (failure.origin != Origin::server) throw;
        throw Failure(Code::server, "view_refused",
                      "the server refuses view " + printable(target.entry.name) + ": " + failure.message)
            .from(Origin::server, failure.origin_code);
    }
    drop_collection(client(), place_.database, target.staging);
    REPRISE_STEP("restore.try_view.after");
}

void Staging::read_back(const Target& target) {
    say("checking", target.entry.name);
    const CollectionSummary now = target.is_time_series()
                                      ? measure_wrapped(client(), place_.database, target.staging, context_)
                                      : measure_collection(client(), place_.database, target.staging, false, context_);
    if (!(now == target.sent)) throw differs(target, now);
}

}  // namespace reprise
