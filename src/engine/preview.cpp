#include "engine/preview.h"

#include <map>

#include "engine/compare.h"
#include "engine/plan.h"
#include "engine/verify.h"

namespace reprise {
namespace {

void add_from_file(std::map<std::string, PreviewedCollection>& all, const Manifest& file, const RestoreOptions& options) {
    for (const auto& [name, summary] : file.summary.collections) {
        if (!selected(options, name)) continue;
        PreviewedCollection& one = all[name];
        one.in_backup = true;
        one.after = summary.documents;
    }
}

}  // namespace

PreviewResult preview(const Place& place, const RestoreOptions& options, const Context& context) {
    const std::int64_t began_ms = context.clock->boot_ms();
    context.phase("verifying");
    const VerifyResult verified = verify_file(*place.store, options.file, false, context);
    PreviewResult out;
    out.file = options.file;
    out.database = place.database;
    out.warnings = verified.warnings;
    std::map<std::string, PreviewedCollection> all;
    add_from_file(all, verified.manifest, options);
    Client client(place.url, *context.cancel, place.connect_ms);
    for (const auto& info : user_collections(client, place.database)) {
        if (info.type == "view") continue;
        context.phase("comparing", info.name);
        const CollectionSummary live =
            measure_collection(client, place.database, info.name, info.type == "timeseries", context);
        PreviewedCollection& one = all[info.name];
        one.now = live.documents;
        const CollectionSummary* saved = one.in_backup ? verified.manifest.summary.find(info.name) : nullptr;
        one.same = saved != nullptr && saved->documents == live.documents && saved->digest == live.digest;
    }
    for (auto& [name, one] : all) {
        one.name = name;
        out.collections.push_back(std::move(one));
    }
    out.duration_ms = context.clock->boot_ms() - began_ms;
    return out;
}

}  // namespace reprise
