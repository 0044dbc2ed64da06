#include <set>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "codec/json_to_bson.h"
#include "format/closed_lists.h"
#include "format/names.h"
#include "format/read_body.h"

namespace reprise {
namespace {

[[noreturn]] void invalid(const std::string& name, const std::string& what) {
    throw Failure(Code::corrupt, "catalog_invalid", "the catalog's \"" + printable(name) + "\" " + what);
}

CatalogEntry entry_of(std::string name, std::string_view bson) {
    CatalogEntry entry;
    entry.name = std::move(name);
    const BsonView view(bson);
    const auto type = view.find("type"), options = view.find("options"), indexes = view.find("indexes");
    if (!type || type->type != BsonType::string) invalid(entry.name, "has no type");
    if (!options || options->type != BsonType::document) invalid(entry.name, "has no options");
    entry.type = type->text();
    entry.options = options->value;
    if (!type_known(entry.type)) return entry;  // check_entry says so
    if (const auto key = view.find("shardKey")) {
        if (key->type != BsonType::document || entry.type == "view") invalid(entry.name, "has a shardKey that is no document");
        entry.shard_key = key->value;
    }
    if (entry.type == "view" && indexes) invalid(entry.name, "is a view and has indexes");
    if (entry.type == "view") return entry;
    if (!indexes || indexes->type != BsonType::array) invalid(entry.name, "has no indexes");
    for (const BsonField& index : BsonView(indexes->value)) {
        if (index.type != BsonType::document) invalid(entry.name, "has an index that is no document");
        entry.indexes.emplace_back(index.value);
    }
    return entry;
}

}  // namespace

struct EntryDecoder::State {
    Decoder decoder;
    std::set<std::string> seen;
};

EntryDecoder::EntryDecoder() : state_(std::make_unique<State>()) {}
EntryDecoder::~EntryDecoder() = default;

CatalogEntry EntryDecoder::decode(const Header& header, std::string name, std::string& json) {
    if (!state_->seen.insert(name).second)
        throw Failure(Code::corrupt, "duplicate_key", "\"" + printable(name) + "\" stands twice in the catalog");
    CatalogEntry entry = entry_of(std::move(name), state_->decoder.decode(json));
    check_entry(header.database, entry, "the catalog");
    return entry;
}

std::string edited_sentence(const std::string& file) {
    return "it changed since it was written; if you meant it: reprise rehash " + file;
}

void read_opening(std::string_view date, std::string_view database, Header& header) {
    const auto time = from_iso_time(date);
    if (!time) throw Failure(Code::corrupt, "header_invalid", "backup_date is not written like 2025-10-12T16:27:21.123456Z");
    header.backup_date_us = *time;
    header.database = database;
}

void check_database_name(const Header& header) {
    if (const auto problem = database_name_problem(header.database))
        throw Failure(Code::corrupt, "name_invalid",
                      "the database's name \"" + printable(header.database) + "\" cannot be trusted: " + *problem);
}

}  // namespace reprise
