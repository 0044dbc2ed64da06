// What an earlier operation left behind: rolled back or forward, under a lease whose term is higher than that one's.
#include <algorithm>
#include <map>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/record.h"
#include "engine/remains.h"
#include "engine/rename.h"
#include "engine/staged.h"
#include "engine/swap.h"
#include "format/names.h"
#include "mongo/catalog.h"
#include "mongo/writer.h"

namespace reprise {
namespace {

constexpr int kMaxTakeovers = 5;          // tries to make the record ours while its old holder still moves
constexpr std::size_t kPrefixBytes = 16;  // "reprise_" and op8

class Settler {
public:
    Settler(const Place& place, Client& client, const Lease& lease, const Context& context)
        : place_(place), client_(client), database_(place.database), lease_(lease), store_(*place.store), context_(context) {}

    Settled run() {
        auto record = take_over();
        if (!record) {
            tidy();
            return std::move(settled_);
        }
        settled_.backup = record->backup;
        if (record->state == "swapping")
            roll_forward(*record);
        else
            roll_back(*record);
        tidy();
        return std::move(settled_);
    }

private:
    void tidy() {
        sweep_staging(client_, database_, lease_);
        const auto notes = tidy_remains(naming(), store_);
        settled_.notes.insert(settled_.notes.end(), notes.begin(), notes.end());
    }

    // The record's op and term become ours, so that its old holder's changes of it find nothing any more.
    std::optional<RestoreRecord> take_over() {
        for (int tries = 0; tries < kMaxTakeovers; ++tries) {
            const auto found = load_record(client_, database_);
            if (!found) return std::nullopt;
            RestoreRecord ours = *found;
            ours.op = lease_.op();
            ours.term = lease_.term();
            ++ours.attempts;
            lease_.check();
            REPRISE_STEP("restore.take_over.before");
            if (!replace_record(client_, database_, *found, ours, false)) continue;
            REPRISE_STEP("restore.take_over.after");
            adopt_staging(ours);
            return ours;
        }
        throw Failure(Code::busy, "lease_held",
                      "another operation keeps changing the record of a restore in this database; try again")
            .may_retry();
    }

    // A holder that wakes up finds none of the names it was going to rename. While a record stands, everything retired is of
    // its restore, whoever died on the way; of the staged ones those that it names are. Others are left for the sweep.
    // Two of one name but for the op, from two that died, may both be there: each gets a name of its own.
    void adopt_staging(const RestoreRecord& record) {
        auto all = list_collections(client_, database_, false);
        for (const auto& step : record.steps)
            if (const auto source = staged_source(naming(), record, step, all)) {
                const std::string tail = step.staging.substr(kPrefixBytes);
                adopt(*source, staging_name(lease_.op(), 0).substr(0, kPrefixBytes) + tail);
                const auto same = [&](const CollectionInfo& one) { return one.name == source->name; };
                all.erase(std::remove_if(all.begin(), all.end(), same), all.end());
                if (record.names_decide) drop_namesakes(all, tail);
            }
        std::map<std::size_t, std::size_t> given;  // by step
        for (const auto& found : all)
            if (const auto step = retired_step(found.name)) adopt(found, retired_name(lease_.op(), *step, given[*step]++));
    }

    // Where names decide, what is not the data must not be taken for it afterwards.
    void drop_namesakes(const std::vector<CollectionInfo>& all, const std::string& tail) {
        for (const auto& one : all) {
            if (!is_own_collection(one.name) || one.name.size() <= kPrefixBytes || one.name.substr(kPrefixBytes) != tail)
                continue;
            lease_.check();
            drop_collection(client_, database_, one.name);
        }
    }

    void adopt(const CollectionInfo& found, const std::string& name) {
        if (found.name == name) return;
        REPRISE_STEP("restore.adopt.before");
        rename_surely(naming(), found, name);
        REPRISE_STEP("restore.adopt.after");
    }

    void roll_back(const RestoreRecord& record) {
        settled_.what = Settled::What::rolled_back;
        lease_.check();
        // Staging first: while the record stands, whoever comes next knows what these collections are.
        sweep_staging(client_, database_, lease_);
        remove_record(client_, database_, record);
        const std::string file = printable(record.backup);
        if (record.state == "merging")
            settled_.notes.push_back(
                "a merge of " + file + " was cut off half-way: run it again, it ends the same" +
                (record.safety.empty() ? std::string() : "; what was there before is in " + printable(record.safety)));
        else
            settled_.notes.push_back("a restore of " + file + " was cut off before it changed anything, and was rolled back");
    }

    void roll_forward(const RestoreRecord& record) {
        settled_.what = Settled::What::rolled_forward;
        const SwapOutcome outcome = run_swap(
            {client_, database_, store_, place_.packing, context_, [this] { lease_.check(); }, place_.abandon_unfinished},
            record);
        settled_.notes.push_back(
            "a restore of " + printable(record.backup) + " was cut off while it swapped, and was finished" +
            (record.safety.empty() ? std::string() : "; what was there before is in " + printable(record.safety)));
        for (const auto& copy : outcome.copies) settled_.notes.push_back("data that was in no backup was saved as " + copy);
        settled_.notes.insert(settled_.notes.end(), outcome.warnings.begin(), outcome.warnings.end());
    }

    RenamePlace naming() {
        return {client_, database_, context_, [this] { lease_.check(); }};
    }

    const Place& place_;
    Client& client_;
    const std::string& database_;
    const Lease& lease_;
    Store& store_;
    const Context& context_;
    Settled settled_;
};

}  // namespace

Settled settle_record(const Place& place, Client& client, const Lease& lease, const Context& context) {
    return Settler(place, client, lease, context).run();
}

bool swap_unfinished(Client& client, const std::string& database) {
    const auto record = load_record(client, database);
    return record && record->state == "swapping";
}

}  // namespace reprise
