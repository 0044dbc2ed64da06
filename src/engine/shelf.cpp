#include "engine/shelf.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "codec/json.h"
#include "engine/measure.h"
#include "engine/old_latest.h"
#include "engine/owner.h"
#include "engine/verify.h"
#include "stream/vault.h"

namespace reprise {
namespace {

constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();  // no file has it: a manifest with it describes none

std::string problem_key(const std::string& name) { return "problems/" + name + ".json"; }

bool describes(const Manifest& manifest, const Blob& blob) {
    return manifest.size_bytes == blob.size_bytes && manifest.modified_us == blob.modified_us;
}

std::optional<Manifest> read_manifest(Store& store, const Blob& blob) {
    auto manifest = manifest_of(store, blob.name);
    if (manifest && !describes(*manifest, blob)) manifest.reset();
    return manifest;
}

// What was verified before keys were configured, or by others, is asked again when its time comes, and not believed until
// then: manifests are clear text, which whoever has the folder may write.
void ask_whose(ShelfItem& item, const Context& context) {
    if (!item.manifest || context.vault == nullptr) return;
    item.manifest->untrusted = !context.vault->trusts(item.manifest->signed_by);
}

void read_problem(Store& store, ShelfItem& item) {
    const auto text = store.read_state(problem_key(item.blob.name));
    if (!text) return;
    try {
        const Json json = parse_json(*text);
        if (json.at("size_bytes").as_int() != item.blob.size_bytes || json.at("modified_us").as_int() != item.blob.modified_us)
            return;
        item.problem = json.at("message").as_string();
        item.problem_reason = json.at("reason").as_string();
        item.problem_code = Code::corrupt;  // no other is remembered
    } catch (const Failure&) {
    }
}

void examine_file(Store& store, ShelfItem& item, const Context& context) {
    try {
        item.manifest = verify_file(store, item.blob.name, false, context).manifest;
    } catch (const Failure& failure) {
        if (failure.code == Code::cancelled) throw;
        item.problem = failure.message;
        item.problem_reason = failure.reason;
        item.problem_code = failure.code;
        if (failure.code == Code::corrupt) remember_problem(store, item.blob, failure);
    }
}

bool newer(const ShelfItem& a, const ShelfItem& b) {
    if (a.manifest.has_value() != b.manifest.has_value()) return a.manifest.has_value();
    if (!a.manifest) return a.blob.name > b.blob.name;
    if (older(*b.manifest, *a.manifest)) return true;
    if (older(*a.manifest, *b.manifest)) return false;
    return a.blob.name > b.blob.name;
}

// A backup that became visible without a manifest may have been cut off before the guard's word was written down.
void judge_again(Store& store, const std::vector<ShelfItem>& shelf, Manifest& manifest, const GuardRules& rules) {
    if (manifest.kind == "before_restore" || manifest.legacy || !is_good(manifest)) return;
    Scope scope;  // the file's own lists are not in the manifest: a backup of a part has only fewer collections
    scope.is = manifest.scope;
    for (const auto& [name, collection] : manifest.summary.collections) scope.include.push_back(name);
    if (manifest.scope == "all") scope.include.clear();
    GuardFacts facts;
    facts.scope = &scope;
    facts.now = &manifest.summary;
    facts.counted = counted_backups(store, shelf, manifest);
    GuardRules own = rules;
    own.accept_smaller = false;  // a person's word for the backup that is being made, not for what else lies there
    const Verdict verdict = judge(facts, own);
    if (!verdict.suspect) return;
    manifest.state = "suspect";
    manifest.suspect_reason = verdict.reason;
}

void examine(Store& store, std::vector<ShelfItem>& shelf, const Context& context, const GuardRules& rules) {
    std::vector<std::string> fresh;
    for (ShelfItem& item : shelf) {
        if (item.manifest || !item.problem.empty()) continue;
        context.cancel->check();
        examine_file(store, item, context);
        if (!item.manifest) continue;
        forget_problem(store, item.blob.name);
        if (keep_decisions(store, *item.manifest))
            write_manifest(store, *item.manifest);  // copied, touched or repaired: what was decided still holds
        else
            fresh.push_back(item.blob.name);
    }
    if (fresh.empty()) return;
    std::sort(shelf.begin(), shelf.end(), newer);
    // Oldest first, so that each is measured by what was judged before it.
    for (auto item = shelf.rbegin(); item != shelf.rend(); ++item) {
        if (std::find(fresh.begin(), fresh.end(), item->blob.name) == fresh.end()) continue;
        judge_again(store, shelf, *item->manifest, rules);
        write_manifest(store, *item->manifest);
    }
}

}  // namespace

std::vector<ShelfItem> read_shelf(Store& store, bool examine_unknown, const Context& context, const GuardRules& rules) {
    if (examine_unknown) rename_old_latest(store);
    std::vector<ShelfItem> shelf;
    for (const Blob& blob : store.list()) {
        const auto name = parse_file_name(blob.name);
        if (!name) continue;
        ShelfItem item;
        item.blob = blob;
        item.name = *name;
        item.manifest = read_manifest(store, blob);
        ask_whose(item, context);
        if (!item.manifest) read_problem(store, item);
        shelf.push_back(std::move(item));
    }
    if (examine_unknown) examine(store, shelf, context, rules);
    std::sort(shelf.begin(), shelf.end(), newer);
    return shelf;
}

void write_manifest(Store& store, const Manifest& manifest) {
    store.write_state(manifest_key(manifest.name), manifest_to_json(manifest).text(2) + "\n");
}

std::optional<Manifest> manifest_of(Store& store, const std::string& name) {
    const auto text = store.read_state(manifest_key(name));
    if (!text) return std::nullopt;
    try {
        return manifest_from_json(parse_json(*text));
    } catch (const Failure&) {
        return std::nullopt;
    }
}

std::int64_t highest_sequence(Store& store, const std::string& deployment) {
    std::int64_t highest = remembered_sequence(store, deployment);
    for (const std::string& name : store.list_state("manifests")) {
        const auto text = store.read_state("manifests/" + name);
        if (!text) continue;
        try {
            const Manifest manifest = manifest_from_json(parse_json(*text));
            if (!manifest.deployment || *manifest.deployment == deployment || deployment.empty())
                highest = std::max(highest, manifest.sequence);
        } catch (const Failure&) {
        }
    }
    return highest;
}

void remember_problem(Store& store, const Blob& blob, const Failure& failure) {
    const Json json = Json::object({{"size_bytes", blob.size_bytes},
                                    {"modified_us", blob.modified_us},
                                    {"reason", failure.reason},
                                    {"message", failure.message}});
    store.write_state(problem_key(blob.name), json.text(2) + "\n");
    // Not believed any more, and not thrown away: what people decided holds again when the file is whole again.
    auto known = manifest_of(store, blob.name);
    if (!known) return store.remove_state(manifest_key(blob.name));
    known->modified_us = kNoTime;
    write_manifest(store, *known);
}

void forget_problem(Store& store, const std::string& name) {
    if (store.read_state(problem_key(name))) store.remove_state(problem_key(name));
}

}  // namespace reprise
