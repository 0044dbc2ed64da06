#include "engine/snapshot_write.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/feed.h"
#include "format/writer.h"

namespace reprise {
namespace {

// Writes one file from one reading of the catalog; nullopt when the catalog changed meanwhile (`changed` says where).
class Writing {
public:
    Writing(Operation& operation, const Place& place, const WriteOrder& order, const Context& context)
        : operation_(operation), place_(place), order_(order), context_(context) {}
    std::optional<WrittenBackup> run(const FeedOptions& feed_options, std::string& changed);

private:
    std::vector<CollectionInfo> listed() {
        return list_collections(operation_.client(), place_.database, true, order_.options.system_js);
    }
    void take(const FeedBlock& block, BackupWriter& writer);
    void take_documents(std::string_view documents, BackupWriter& writer);

    Operation& operation_;
    const Place& place_;
    const WriteOrder& order_;
    const Context& context_;
    Selection selection_;
    Progress progress_;
};

void Writing::take_documents(std::string_view documents, BackupWriter& writer) {
    progress_.bytes += static_cast<std::int64_t>(documents.size());
    while (!documents.empty()) {
        const auto size = static_cast<std::size_t>(load_le<std::int32_t>(documents.data()));
        writer.document(documents.substr(0, size));
        documents.remove_prefix(size);
        ++progress_.documents;
    }
}

void Writing::take(const FeedBlock& block, BackupWriter& writer) {
    operation_.check();
    const std::string& name = selection_.saved[block.index].name;
    switch (block.what) {
        case FeedBlock::What::begin:
            REPRISE_STEP("engine.backup.collection.before");
            progress_.collection = name;
            writer.begin_collection(name);
            break;
        case FeedBlock::What::documents: try { take_documents(block.documents, writer);
            } catch (Failure& failure) {  // S9: it is named, and the backup fails
                if (failure.code == Code::corrupt) failure.message += " (in collection " + printable(name) + ")";
                throw;
            }
            break;
        case FeedBlock::What::end:
            writer.end_collection();
            REPRISE_STEP("engine.backup.collection.after");
            break;
    }
    // What is expected is what the last backup held: a guess that the truth may pass.
    if (progress_.bytes_total > 0) progress_.bytes_total = std::max(progress_.bytes_total, progress_.bytes);
    context_.progress(progress_);
}

std::optional<WrittenBackup> Writing::run(const FeedOptions& feed_options, std::string& changed) {
    WrittenBackup written;
    written.header = order_.header;
    selection_ = select_collections(listed(), place_.database, order_.options.scope);
    written.header.scope.skipped = selection_.skipped;
    progress_ = Progress();
    progress_.phase = "reading";
    progress_.bytes_total = order_.bytes_expected;

    REPRISE_STEP("engine.backup.create.before");
    written.staged = place_.store->create();
    const auto packer = make_packer(*written.staged, place_.packing);
    written.header.backup_date_us = context_.clock->unix_us();
    written.summary.read_from_us = written.header.backup_date_us;
    BackupWriter writer(*packer, written.header, catalog_of(selection_.saved), place_.packing.sign);
    Feed feed(place_, selection_.saved, feed_options, context_);
    for (FeedBlock block; feed.next(block);) take(block, writer);
    written.summary.read_to_us = context_.clock->unix_us();

    REPRISE_STEP("engine.backup.catalog_again.before");
    const std::vector<CollectionInfo> after = listed();
    if (const CollectionInfo* info = first_changed(selection_.saved, after)) {
        changed = info->name;
        return std::nullopt;
    }
    const Cut& cut = feed.cut();
    written.summary.consistency = cut.one ? "snapshot" : "per_collection";
    written.summary.cluster_time = cut.time;
    if (!cut.one && !cut.why_not.empty())
        written.warnings.push_back("consistent per collection, not as a whole: " + cut.why_not);
    REPRISE_STEP("engine.backup.finish.before");
    written.sha256 = writer.finish(written.summary);
    REPRISE_STEP("engine.backup.finish.after");
    return written;
}

}  // namespace

WrittenBackup write_snapshot(Operation& operation, const Place& place, const WriteOrder& order, const Context& context) {
    FeedOptions feed;
    feed.require_snapshot = order.options.require_snapshot;
    std::string changed, lost;
    for (int number = 1; number <= kMaxCatalogRounds; ++number) {
        try {
            auto written = Writing(operation, place, order, context).run(feed, changed);
            if (written) {
                if (!lost.empty()) written->warnings.push_back("consistent per collection, not as a whole: " + lost);
                return std::move(*written);
            }
        } catch (const Failure& failure) {
            if (failure.reason != "snapshot_lost") throw;
            lost = failure.message;
            feed.snapshot = false;  // so it happens once, and is no round of the catalog's
            --number;
            continue;
        }
        context.log(Level::info, "collection " + printable(changed) + " changed while it was read; reading again");
    }
    throw Failure(Code::busy, "catalog_changing",
                  "collection " + printable(changed) +
                      " was dropped, made anew or had its indexes or options changed during each of " +
                      std::to_string(kMaxCatalogRounds) + " readings; back up when that has ended, or exclude it")
        .may_retry();
}

}  // namespace reprise
