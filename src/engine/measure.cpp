#include "engine/measure.h"

#include <tuple>

#include "codec/json.h"

namespace reprise {
namespace {

constexpr const char* kMeasureKey = "measure";

struct Base {
    std::string id;
    std::int64_t since = 0;
};

Base read_base(Store& store) {
    const auto text = store.read_state(kMeasureKey);
    if (!text) return {};
    const Json json = parse_json(*text);
    return {json.at("id").as_string(), json.at("since").as_int()};
}

std::int64_t bytes_of(const Manifest& manifest) {
    std::int64_t sum = 0;
    for (const auto& [name, collection] : manifest.summary.collections) sum += collection.bson_bytes;
    return sum;
}

bool larger(const Manifest& a, const Manifest& b) {
    return std::make_tuple(a.summary.documents, bytes_of(a), a.sequence) >
           std::make_tuple(b.summary.documents, bytes_of(b), b.sequence);
}

// What somebody accepted or brought back on purpose counts whatever it is: a safety backup, a file of another database.
bool is_base(const Manifest& manifest, const Base& base) { return !base.id.empty() && manifest.id == base.id; }

bool counts(const ShelfItem& item, const Manifest& judged, std::int64_t since) {
    const Manifest& manifest = *item.manifest;
    return item.name.kind == FileKind::backup && is_good(manifest) && is_own(manifest, judged.database, judged.deployment) &&
           manifest.sequence < judged.sequence && manifest.sequence > since;
}

}  // namespace

std::optional<Manifest> find_measure(Store& store, const std::vector<ShelfItem>& shelf, const Manifest& judged) {
    const Base base = read_base(store);
    std::optional<Manifest> best;
    for (const ShelfItem& item : shelf) {
        if (!item.manifest || item.manifest->id == judged.id) continue;
        const Manifest& manifest = *item.manifest;
        if (!is_base(manifest, base) && !counts(item, judged, base.since)) continue;
        if (!best || larger(manifest, *best)) best = manifest;
    }
    return best;
}

void reset_measure(Store& store, const Manifest& manifest, std::int64_t since) {
    const Json json = Json::object({{"id", manifest.id}, {"since", since}});
    store.write_state(kMeasureKey, json.text(2) + "\n");
}

}  // namespace reprise
