#include "engine/compare.h"

#include "engine/selection.h"
#include "mongo/catalog.h"
#include "mongo/cursor.h"
#include "stream/hash.h"

namespace reprise {
namespace {
constexpr std::int64_t kDocumentsPerCheck = 1024;
}

CollectionSummary measure_collection(Client& client, const std::string& database, const std::string& collection, bool sorted,
                                     const Context& context) {
    CollectionSummary sum;
    CollectionDigest digest(sorted);
    const auto info = find_collection(client, database, collection, true);
    if (info) {
        FindOptions options;
        options.order = read_order(*info);
        Cursor cursor(client, database, collection, options);
        std::string_view document;
        while (cursor.next(document)) {
            digest.add(document);
            sum.bson_bytes += static_cast<std::int64_t>(document.size());
            if (++sum.documents % kDocumentsPerCheck == 0) context.cancel->check();
        }
    }
    sum.digest = digest.text();
    return sum;
}

}  // namespace reprise
