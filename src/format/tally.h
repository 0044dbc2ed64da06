// Counts what is read, collection by collection, and compares it with what catalog and summary say. Private to the room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/failure.h"
#include "format/model.h"
#include "stream/hash.h"

namespace reprise {

class Tally {
public:
    void expect(const std::vector<CatalogEntry>& catalog);  // format 1: these and no other

    // Failure{corrupt, "duplicate_key" | "names_differ"}.
    void begin(const std::string& name);
    void add(std::string_view bson);
    void end();
    void check_all_read() const;

    const std::string& running() const { return name_; }  // for messages
    std::int64_t position() const { return now_.documents; }
    std::int64_t documents() const { return documents_; }
    const std::vector<std::pair<std::string, CollectionSummary>>& done() const { return done_; }
    // What in the summary is not as it was read: "names_differ" | "count_differs" | "size_differs" | "digest_differs".
    std::optional<Failure> difference(const Summary& summary) const;

private:
    bool expecting_ = false;
    std::map<std::string, bool> expected_;  // name; is its digest the sorted one
    std::set<std::string> seen_;
    std::string name_;
    CollectionSummary now_;
    CollectionDigest digest_;
    std::int64_t documents_ = 0;
    std::vector<std::pair<std::string, CollectionSummary>> done_;
};

}  // namespace reprise
