#include "engine/timeseries.h"

#include "base/bson.h"
#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "mongo/cursor.h"
#include "mongo/writer.h"
#include "stream/hash.h"

namespace reprise {
namespace {

constexpr std::int64_t kCheckEvery = 1000;  // documents between two looks at the lease

std::string_view unwrapped(std::string_view wrapped) {
    const auto inner = BsonView(wrapped).find("d");
    if (!inner) throw Failure(Code::corrupt, "staging_invalid", "a staging collection holds a document that is not ours");
    return inner->document();
}

}  // namespace

std::string wrap_measurement(std::int64_t number, std::string_view document) {
    return BsonBuilder().add("_id", number).doc("d", document).str();
}

void unwrap_into(Client& client, const std::string& database, const UnwrapNames& names, const std::function<void()>& check) {
    Cursor cursor(client, database, names.staging, FindOptions{});
    BatchWriter writer(client, database, names.target);
    std::string_view wrapped;
    for (std::int64_t n = 0; cursor.next(wrapped); ++n) {
        if (n % kCheckEvery == 0) check();
        writer.add(unwrapped(wrapped));
    }
    check();
    REPRISE_STEP("restore.time_series_fill.before");
    writer.flush();
    if (writer.error_count() == 0) return;
    const InsertError first = writer.errors().empty() ? InsertError{} : writer.errors().front();
    throw Failure(Code::server, "document_refused",
                  "the server refused " + std::to_string(writer.error_count()) + " documents of time series " +
                      printable(names.target) + ", the first at position " + std::to_string(first.position) + " (" +
                      first.code_name + ")")
        .from(Origin::server, first.code);
}

CollectionSummary measure_wrapped(Client& client, const std::string& database, const std::string& staging,
                                  const Context& context) {
    Cursor cursor(client, database, staging, FindOptions{});
    CollectionSummary summary;
    CollectionDigest digest(true);
    std::string_view wrapped;
    while (cursor.next(wrapped)) {
        context.cancel->check();
        const std::string_view document = unwrapped(wrapped);
        digest.add(document);
        ++summary.documents;
        summary.bson_bytes += static_cast<std::int64_t>(document.size());
    }
    summary.digest = digest.text();
    return summary;
}

}  // namespace reprise
