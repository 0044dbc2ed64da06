#include "format/tally.h"

#include "base/text.h"

namespace reprise {
namespace {

std::string quoted(const std::string& name) { return "\"" + printable(name) + "\""; }

std::optional<Failure> compare_one(const std::string& name, const CollectionSummary& said, const CollectionSummary& read) {
    const auto differs = [&](const char* reason, const std::string& what) {
        return Failure(Code::corrupt, reason, quoted(name) + what);
    };
    if (said.documents != read.documents)
        return differs("count_differs", " holds " + std::to_string(read.documents) + " documents, its summary says " +
                                            std::to_string(said.documents));
    if (said.bson_bytes != read.bson_bytes)
        return differs("size_differs", " holds " + std::to_string(read.bson_bytes) + " bytes of BSON, its summary says " +
                                           std::to_string(said.bson_bytes));
    if (said.digest != read.digest) return differs("digest_differs", " has another digest than its summary says");
    return std::nullopt;
}

}  // namespace

void Tally::expect(const std::vector<CatalogEntry>& catalog) {
    expecting_ = true;
    for (const CatalogEntry& entry : catalog)
        if (entry.type != "view") expected_.emplace(entry.name, entry.type == "timeseries");
}

void Tally::begin(const std::string& name) {
    if (!seen_.insert(name).second)
        throw Failure(Code::corrupt, "duplicate_key", "the collection " + quoted(name) + " stands twice in the file");
    const auto found = expected_.find(name);
    if (expecting_ && found == expected_.end())
        throw Failure(Code::corrupt, "names_differ",
                      "the collection " + quoted(name) + " is not in the catalog, or is a view there");
    name_ = name;
    now_ = {};
    digest_ = CollectionDigest(expecting_ && found->second);
}

void Tally::add(std::string_view bson) {
    digest_.add(bson);
    ++now_.documents;
    ++documents_;
    now_.bson_bytes += static_cast<std::int64_t>(bson.size());
}

void Tally::end() {
    now_.digest = digest_.text();
    done_.emplace_back(name_, now_);
    name_.clear();
    now_ = {};
}

void Tally::check_all_read() const {
    for (const auto& [name, sorted] : expected_)
        if (seen_.count(name) == 0)
            throw Failure(Code::corrupt, "names_differ", quoted(name) + " is in the catalog, but not in the collections");
}

std::optional<Failure> Tally::difference(const Summary& summary) const {
    std::map<std::string, const CollectionSummary*> said;
    for (const auto& [name, one] : summary.collections) said.emplace(name, &one);
    for (const auto& [name, read] : done_) {
        const auto found = said.find(name);
        if (found == said.end()) return Failure(Code::corrupt, "names_differ", quoted(name) + " is not in the summary");
        if (auto problem = compare_one(name, *found->second, read)) return problem;
        said.erase(found);
    }
    if (!said.empty())
        return Failure(Code::corrupt, "names_differ",
                       quoted(said.begin()->first) + " is in the summary, but not in the collections");
    if (summary.documents == documents_) return std::nullopt;
    return Failure(
        Code::corrupt, "count_differs",
        "the file holds " + std::to_string(documents_) + " documents, its summary says " + std::to_string(summary.documents));
}

}  // namespace reprise
