// Some documents of a file beside the live ones of the same _ids: what a merge, or its preview, makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bson.h"
#include "base/failure.h"
#include "mongo/client.h"

namespace reprise {

// Failure{unsupported, "merge_unsupported"}: `what` and the collection's name, and the way out.
Failure merge_unsupported(const std::string& name, const char* what);

class MergeBatch {
public:
    MergeBatch(std::string database, std::string collection)
        : database_(std::move(database)), collection_(std::move(collection)) {}

    void add(std::string_view document);  // Failure{unsupported, "merge_unsupported"} for one without _id
    bool full() const;                    // time to compare: 1000 documents or 8 MiB

    struct Found {
        std::vector<std::string> fresh;                            // no live document has their _id
        std::vector<std::pair<std::string, std::string>> changed;  // the file's, and the live one
        std::int64_t unchanged = 0;
        // How many documents the collection has more, when no unique index and no collation refuses one: an _id that is
        // live as a number of another type is among `fresh`, and yet taken.
        std::int64_t missing = 0;
    };
    // Reads the live ones, and begins anew. Their order is that of add().
    Found compare(Client& client);

private:
    const std::string database_, collection_;
    std::vector<std::string> documents_;
    BsonArray ids_;
    std::size_t bytes_ = 0;
};

}  // namespace reprise
