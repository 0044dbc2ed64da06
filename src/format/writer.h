// Writes one backup file of format 1 as a stream; memory does not grow with the data.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/model.h"
#include "stream/sink.h"

namespace reprise {

class BackupWriter {
public:
    // Writes header and catalog at once. `sink` outlives it. Collections are then written in the catalog's order.
    // `sign`, where given, is asked for the signature of the content's sha256 (64 hex digits).
    using Sign = std::function<FileSignature(const std::string& sha256)>;
    BackupWriter(Sink& sink, const Header& header, const std::vector<CatalogEntry>& catalog, Sign sign = {});
    ~BackupWriter();

    // One begin per entry that is not a view, in the catalog's order; anything else is Failure{internal}.
    void begin_collection(const std::string& name);
    void document(std::string_view bson);  // adds it to the running collection's count, bytes and digest
    CollectionSummary end_collection();

    // `summary`: consistency, read_*, cluster_time are the caller's; documents, escapes and collections are filled in
    // here. Writes the trailer and finishes the sink. Returns the content's sha256 (64 hex digits).
    std::string finish(Summary& summary);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reprise
