#include <algorithm>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "crypto/random.h"
#include "engine/describe.h"
#include "engine/operation.h"
#include "engine/owner.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "engine/verify.h"
#include "format/reader.h"
#include "format/writer.h"

namespace reprise {
namespace {

constexpr std::size_t kIdBytes = 16;

std::string change_of(const std::string& name, const CollectionSummary& before, const CollectionSummary& after) {
    if (before.documents != after.documents)
        return printable(name) + ": " + std::to_string(before.documents) + " → " + std::to_string(after.documents) +
               " documents";
    return printable(name) + ": same count, other content";
}

std::vector<std::string> changes_between(const Summary& before, const Summary& after) {
    std::vector<std::string> changes;
    for (const auto& [name, now] : after.collections) {
        const CollectionSummary* then = before.find(name);
        if (then == nullptr)
            changes.push_back(printable(name) + ": added, " + std::to_string(now.documents) + " documents");
        else if (!(*then == now))
            changes.push_back(change_of(name, *then, now));
    }
    for (const auto& [name, then] : before.collections)
        if (after.find(name) == nullptr)
            changes.push_back(printable(name) + ": removed with its " + std::to_string(then.documents) + " documents");
    return changes;
}

class Rehash {
public:
    Rehash(const Place& place, const Context& context) : place_(place), context_(context), store_(*place.store) {}
    RehashResult run(const std::string& name);

private:
    Header new_header(const Header& edited);
    void rewrite(OpenBlob& edited);
    void read_back();
    void publish();

    const Place& place_;
    const Context& context_;
    Store& store_;
    std::unique_ptr<StagedBlob> staged_;
    Header header_;
    Summary summary_;
    std::string sha256_;
    RehashResult result_;
};

Header Rehash::new_header(const Header& edited) {
    if (edited.format == 0)
        throw Failure(Code::unsupported, "rehash_legacy",
                      "a file of the replaced system holds no hash to renew; it can be restored as it is");
    Header header = edited;
    header.edited_from = edited.id;
    header.id = random_hex(kIdBytes);
    header.version = kVersion;
    const std::string deployment = edited.deployment.value_or(std::string());
    header.sequence = std::max(highest_sequence(store_, deployment), edited.sequence) + 1;
    remember_sequence(store_, deployment, header.sequence);
    return header;
}

void Rehash::rewrite(OpenBlob& edited) {
    CountingSource source(edited);
    ReadOptions options = read_options(context_);
    options.tolerate_edits = true;
    BackupReader reader(source, edited.name(), options);
    header_ = new_header(reader.header());
    staged_ = store_.create();
    const auto packer = make_packer(*staged_, place_.packing);
    BackupWriter writer(*packer, header_, reader.catalog(), place_.packing.sign);
    WholeReadHooks hooks;
    hooks.collection = [&](const std::string& name) { writer.begin_collection(name); };
    hooks.document = [&](std::string_view bson) { writer.document(bson); };
    hooks.collection_end = [&] { writer.end_collection(); };
    read_whole(reader, source, "reading", context_, hooks);
    summary_ = reader.summary();
    sha256_ = writer.finish(summary_);
    result_.changes = changes_between(reader.summary(), summary_);
}

void Rehash::read_back() {
    const auto blob = staged_->reopen();
    result_.manifest = verify_open(*blob, context_).manifest;
    if (result_.manifest.sha256 != sha256_ || result_.manifest.summary.collections != summary_.collections)
        throw Failure(Code::internal, "readback_mismatch",
                      "the new file does not read back as it was written; please report this");
}

void Rehash::publish() {
    Manifest& manifest = result_.manifest;
    REPRISE_STEP("engine.rehash.publish.before");
    const std::string name = free_name(store_, FileKind::backup, context_.clock->unix_us(), place_.packing.suffix());
    staged_->publish(name);
    REPRISE_STEP("engine.rehash.publish.after");
    describe_blob(manifest, name, manifest.size_bytes, manifest.modified_us);
    write_manifest(store_, manifest);
    remember_published(store_, manifest.deployment.value_or(std::string()), manifest.sequence);
    result_.path = store_.path_of(name);
}

RehashResult Rehash::run(const std::string& name) {
    const auto lock = hold_folder(place_, context_);
    owner_for(store_, place_.database);
    store_.sweep();
    const auto edited = store_.open(name);
    rewrite(*edited);
    read_back();
    publish();
    return std::move(result_);
}

}  // namespace

RehashResult rehash(const Place& place, const std::string& name, const Context& context) {
    return Rehash(place, context).run(name);
}

}  // namespace reprise
