#include "engine/merge_batch.h"

#include <map>
#include <set>

#include "base/text.h"
#include "mongo/cursor.h"

namespace reprise {
namespace {

constexpr std::size_t kBatchDocuments = 1000;
constexpr std::size_t kBatchBytes = 8 * 1024 * 1024;

std::string id_key(const BsonField& id) { return static_cast<char>(id.type) + std::string(id.value); }

std::string key_of(std::string_view document) { return id_key(*BsonView(document).find("_id")); }

std::map<std::string, std::string> find_live(Client& client, const std::string& database, const std::string& collection,
                                             const BsonArray& ids) {
    FindOptions find;
    find.filter = BsonBuilder().doc("_id", BsonBuilder().array("$in", ids.str()).str()).str();
    Cursor cursor(client, database, collection, find);
    std::map<std::string, std::string> live;
    std::string_view document;
    while (cursor.next(document))
        if (const auto id = BsonView(document).find("_id")) live.emplace(id_key(*id), document);
    return live;
}

}  // namespace

Failure merge_unsupported(const std::string& name, const char* what) {
    return Failure(Code::unsupported, "merge_unsupported",
                   std::string(what) + " " + printable(name) + " cannot be merged; exclude it, or restore with mode replace");
}

void MergeBatch::add(std::string_view document) {
    const auto id = BsonView(document).find("_id");
    if (!id) throw merge_unsupported(collection_, "a document without _id in collection");
    ids_.raw(id->type, id->value);
    bytes_ += document.size();
    documents_.emplace_back(document);
}

bool MergeBatch::full() const { return documents_.size() >= kBatchDocuments || bytes_ >= kBatchBytes; }

MergeBatch::Found MergeBatch::compare(Client& client) {
    Found out;
    if (documents_.empty()) return out;
    const auto live = find_live(client, database_, collection_, ids_);
    std::set<std::string> distinct;
    for (auto& document : documents_) {
        std::string key = key_of(document);
        const auto found = live.find(key);
        distinct.insert(std::move(key));
        if (found == live.end())
            out.fresh.push_back(std::move(document));
        else if (found->second == document)
            ++out.unchanged;
        else
            out.changed.emplace_back(std::move(document), found->second);
    }
    out.missing = static_cast<std::int64_t>(distinct.size()) - static_cast<std::int64_t>(live.size());
    documents_.clear();
    ids_ = BsonArray();
    bytes_ = 0;
    return out;
}

}  // namespace reprise
