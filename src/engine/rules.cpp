#include "engine/rules.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "base/bson.h"
#include "base/failure.h"
#include "base/text.h"

namespace reprise {
namespace {

constexpr std::int32_t kLargestExpiry = 2147483647;

using Names = std::initializer_list<std::string_view>;

const Names kCollectionOptions = {"capped",
                                  "size",
                                  "max",
                                  "clusteredIndex",
                                  "collation",
                                  "validator",
                                  "validationLevel",
                                  "validationAction",
                                  "changeStreamPreAndPostImages",
                                  "storageEngine",
                                  "indexOptionDefaults",
                                  "expireAfterSeconds",
                                  "flags"};
const Names kTimeSeriesOptions = {"timeseries",    "expireAfterSeconds",  "collation",
                                  "storageEngine", "indexOptionDefaults", "clusteredIndex"};
const Names kViewOptions = {"viewOn", "pipeline", "collation"};
const Names kStrippedOptions = {"uuid", "autoIndexId", "recordIdsReplicated", "temp"};
const Names kIndexFields = {"key",
                            "name",
                            "unique",
                            "sparse",
                            "partialFilterExpression",
                            "expireAfterSeconds",
                            "collation",
                            "hidden",
                            "weights",
                            "default_language",
                            "language_override",
                            "textIndexVersion",
                            "2dsphereIndexVersion",
                            "bits",
                            "min",
                            "max",
                            "bucketSize",
                            "wildcardProjection",
                            "storageEngine",
                            "prepareUnique",
                            "coarsestIndexedLevel",
                            "finestIndexedLevel"};
const Names kStrippedIndexFields = {"v", "ns", "background", "dropDups", "safe", "originalSpec"};

bool among(Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

Failure unknown(const std::string& what, std::string_view name) {
    return Failure(Code::corrupt, "option_unknown",
                   what + " has the option " + printable(name) +
                       ", which this version does not know: it was written by a newer one or changed");
}

Names allowed(const std::string& type) {
    if (type == "view") return kViewOptions;
    return type == "timeseries" ? kTimeSeriesOptions : kCollectionOptions;
}

// A server refuses bucketMaxSpanSeconds beside granularity, though it reports both.
std::string time_series_options(BsonView options) {
    if (!options.find("granularity")) return std::string(options.bytes());
    BsonBuilder out;
    for (const auto& field : options)
        if (field.key != "bucketMaxSpanSeconds" && field.key != "bucketRoundingSeconds") out.field(field);
    return out.str();
}

bool is_simple(std::string_view collation) {
    const auto locale = BsonView(collation).find("locale");
    return locale && locale->type == BsonType::string && locale->text() == "simple";
}

// true, "", 0 and the like stand for ascending in indexes of old servers.
BsonBuilder& add_key_part(BsonBuilder& out, const BsonField& part) {
    if (part.type == BsonType::string && !part.text().empty()) return out.field(part);
    if (part.is_number() && part.number() != 0 && !std::isnan(part.number())) return out.field(part);
    return out.add(part.key, std::int32_t{1});
}

std::string rebuilt_index(const std::string& collection, BsonView index, const CreateRules& rules) {
    BsonBuilder out;
    bool collated = false;
    for (const auto& field : index) {
        if (among(kStrippedIndexFields, field.key)) continue;
        if (!among(kIndexFields, field.key))
            throw unknown("index " + printable(index_name(index.bytes())) + " of collection " + printable(collection),
                          field.key);
        if (field.key == "key")
            out.doc("key", index_key(index.bytes()));
        else if (field.key != "expireAfterSeconds")
            out.field(field);
        collated = collated || field.key == "collation";
    }
    // Without it the new index would inherit the collection's collation, which the saved one did not have.
    if (!collated && rules.collation && !is_simple(*rules.collation))
        out.doc("collation", BsonBuilder().add("locale", "simple").str());
    return out.str();
}

std::string with_expiry(const std::string& index, const BsonField& expiry) {
    BsonBuilder out;
    for (const auto& field : BsonView(index)) out.field(field);
    return out.field(expiry).str();
}

bool is_nan(const BsonField& field) { return field.is_number() && std::isnan(field.number()); }

void add_ttl(IndexRules& out, const std::string& index, const BsonField& expiry, const std::string& collection) {
    const std::string largest = BsonBuilder().add("expireAfterSeconds", kLargestExpiry).str();
    const BsonField largest_field = *BsonView(largest).find("expireAfterSeconds");
    out.ttl.push_back(with_expiry(index, largest_field));
    if (!is_nan(expiry)) {
        out.ttl_real.push_back(with_expiry(index, expiry));
        return;
    }
    // No server builds it any more; servers read it as "never".
    out.ttl_real.push_back(out.ttl.back());
    out.warnings.push_back("index " + printable(index_name(index)) + " of collection " + printable(collection) +
                           " had NaN as expireAfterSeconds and is built with the largest value: nothing expires");
}

}  // namespace

CreateRules create_rules(const std::string& type, const std::string& name, std::string_view options) {
    CreateRules rules;
    BsonBuilder bare, real;
    if (options.empty()) return CreateRules{bare.str(), bare.str(), std::nullopt, false, false, false, false};
    for (const auto& field : BsonView(options)) {
        if (field.key == "encryptedFields")
            throw Failure(Code::unsupported, "collection_encrypted",
                          "collection " + printable(name) + " has encrypted fields, which are not restored");
        if (among(kStrippedOptions, field.key)) continue;
        if (!among(allowed(type), field.key)) throw unknown(type + " " + printable(name), field.key);
        if (field.key == "flags") continue;                                   // power-of-two sizes of the MMAPv1 engine
        if (field.key == "clusteredIndex" && type == "timeseries") continue;  // the server's own business
        if (field.key == "collation") rules.collation = std::string(field.document());
        if (field.key == "validator") rules.validator = !BsonView(field.document()).empty();
        if (field.key == "capped") rules.capped = field.truthy();
        if (field.key == "clusteredIndex") rules.clustered = true;
        if (field.key == "expireAfterSeconds") {
            rules.expires = true;
            real.field(field);
            continue;
        }
        if (field.key == "timeseries") {
            const std::string inner = time_series_options(BsonView(field.document()));
            bare.doc("timeseries", inner);
            real.doc("timeseries", inner);
            continue;
        }
        bare.field(field);
        real.field(field);
    }
    rules.options = bare.str();
    rules.options_with_expiry = real.str();
    return rules;
}

IndexRules index_rules(const std::string& collection, const std::vector<std::string>& indexes, const CreateRules& rules) {
    IndexRules out;
    for (const auto& raw : indexes) {
        const BsonView index(raw);
        const auto clustered = index.find("clustered");
        if (index_name(raw) == "_id_" || (clustered && clustered->truthy())) continue;
        const std::string rebuilt = rebuilt_index(collection, index, rules);
        const auto expiry = index.find("expireAfterSeconds");
        const auto unique = index.find("unique");
        if (expiry)
            add_ttl(out, rebuilt, *expiry, collection);
        else
            (unique && unique->truthy() ? out.unique : out.plain).push_back(rebuilt);
    }
    return out;
}

std::string index_name(std::string_view index) {
    const auto name = BsonView(index).find("name");
    return name && name->type == BsonType::string ? std::string(name->text()) : std::string();
}

std::string index_key(std::string_view index) {
    BsonBuilder out;
    const auto key = BsonView(index).find("key");
    if (!key || key->type != BsonType::document)
        throw Failure(Code::corrupt, "option_unknown", "index " + printable(index_name(index)) + " has no key");
    for (const auto& part : BsonView(key->document())) add_key_part(out, part);
    return out.str();
}

std::string without_field(std::string_view document, std::string_view key) {
    BsonBuilder out;
    for (const auto& field : BsonView(document))
        if (field.key != key) out.field(field);
    return out.str();
}

std::string without_collation_version(std::string_view document) {
    BsonBuilder out;
    for (const auto& field : BsonView(document)) {
        if (field.key == "collation" && field.type == BsonType::document)
            out.doc("collation", without_field(field.document(), "version"));
        else
            out.field(field);
    }
    return out.str();
}

}  // namespace reprise
