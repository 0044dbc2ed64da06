#include "format/closed_lists.h"

#include <algorithm>
#include <iterator>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"
#include "format/names.h"

namespace reprise {
namespace {

constexpr std::string_view kCollectionOptions[] = {"autoIndexId",
                                                   "capped",
                                                   "changeStreamPreAndPostImages",
                                                   "clusteredIndex",
                                                   "collation",
                                                   "comment",
                                                   "create",
                                                   "encryptedFields",
                                                   "expireAfterSeconds",
                                                   "flags",
                                                   "indexOptionDefaults",
                                                   "max",
                                                   "recordIdsReplicated",
                                                   "recordPreImages",
                                                   "size",
                                                   "storageEngine",
                                                   "temp",
                                                   "uuid",
                                                   "validationAction",
                                                   "validationLevel",
                                                   "validator",
                                                   "writeConcern"};
constexpr std::string_view kViewOptions[] = {"collation", "comment", "pipeline", "viewOn"};
constexpr std::string_view kTimeSeriesOptions[] = {"changeStreamPreAndPostImages",
                                                   "clusteredIndex",
                                                   "collation",
                                                   "comment",
                                                   "expireAfterSeconds",
                                                   "indexOptionDefaults",
                                                   "storageEngine",
                                                   "timeseries",
                                                   "uuid",
                                                   "validationAction",
                                                   "validationLevel"};
constexpr std::string_view kTimeSeriesFields[] = {"bucketMaxSpanSeconds",
                                                  "bucketRoundingSeconds",
                                                  "bucketsMayHaveMixedSchemaData",
                                                  "fixedBucketing",
                                                  "granularity",
                                                  "metaField",
                                                  "timeField",
                                                  "useExtendedRange"};
constexpr std::string_view kIndexFields[] = {"2dsphereIndexVersion",
                                             "background",
                                             "bits",
                                             "bucketSize",
                                             "clustered",
                                             "coarsestIndexedLevel",
                                             "collation",
                                             "default_language",
                                             "dropDups",
                                             "expireAfterSeconds",
                                             "finestIndexedLevel",
                                             "hidden",
                                             "key",
                                             "language_override",
                                             "max",
                                             "min",
                                             "name",
                                             "ns",
                                             "originalSpec",
                                             "partialFilterExpression",
                                             "prepareUnique",
                                             "sparse",
                                             "storageEngine",
                                             "textIndexVersion",
                                             "unique",
                                             "v",
                                             "weights",
                                             "wildcardProjection"};

template <typename List>
bool holds(const List& list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

[[noreturn]] void refuse(const char* reason, const std::string& place, const std::string& what) {
    throw Failure(Code::corrupt, reason, place + ": " + what);
}

std::string quoted(std::string_view text) { return "\"" + printable(text) + "\""; }

void check_time_series(const BsonField& options, const std::string& place) {
    if (options.type != BsonType::document) refuse("catalog_invalid", place, "the option timeseries is not a document");
    for (const BsonField& field : BsonView(options.value))
        if (!holds(kTimeSeriesFields, field.key))
            refuse("option_unknown", place,
                   "the time series option " + quoted(field.key) + " is unknown; a newer reprise may know it");
}

void check_options(const CatalogEntry& entry, const std::string& place) {
    const BsonView options(entry.options);
    for (const BsonField& field : options) {
        if (!option_known(entry.type, field.key))
            refuse("option_unknown", place, "the option " + quoted(field.key) + " is unknown; a newer reprise may know it");
        if (entry.type == "timeseries" && field.key == "timeseries") check_time_series(field, place);
    }
    if (entry.type == "timeseries" && !options.find("timeseries"))
        refuse("catalog_invalid", place, "the option timeseries is missing");
    const auto view_on = options.find("viewOn"), pipeline = options.find("pipeline");
    if (entry.type == "view" &&
        (!view_on || view_on->type != BsonType::string || !pipeline || pipeline->type != BsonType::array))
        refuse("catalog_invalid", place, "a view needs viewOn and pipeline");
}

void check_index(std::string_view index, const std::string& place) {
    const BsonView view(index);
    for (const BsonField& field : view)
        if (!index_field_known(field.key))
            refuse("option_unknown", place,
                   "the index field " + quoted(field.key) + " is unknown; a newer reprise may know it");
    const auto key = view.find("key"), name = view.find("name");
    if (!key || key->type != BsonType::document || !name || name->type != BsonType::string)
        refuse("catalog_invalid", place, "an index needs key and name");
}

}  // namespace

bool type_known(std::string_view type) { return type == "collection" || type == "view" || type == "timeseries"; }

bool option_known(std::string_view type, std::string_view option) {
    if (type == "view") return holds(kViewOptions, option);
    if (type == "timeseries") return holds(kTimeSeriesOptions, option);
    return holds(kCollectionOptions, option);
}

bool index_field_known(std::string_view field) { return holds(kIndexFields, field); }

void check_entry(const std::string& database, const CatalogEntry& entry, const std::string& place) {
    if (const auto problem = collection_name_problem(database, entry.name))
        refuse("name_invalid", place, "the name " + quoted(entry.name) + " cannot be trusted: " + *problem);
    if (!type_known(entry.type))
        refuse("type_unknown", place,
               quoted(entry.name) + " is of the unknown type " + quoted(entry.type) + "; a newer reprise may know it");
    const std::string where = place + ", " + quoted(entry.name);
    check_options(entry, where);
    if (entry.type == "view" && !entry.indexes.empty()) refuse("catalog_invalid", where, "a view has no indexes");
    for (const std::string& index : entry.indexes) check_index(index, where);
}

}  // namespace reprise
