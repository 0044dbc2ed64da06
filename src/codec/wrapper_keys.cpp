#include "codec/wrapper_keys.h"

#include <utility>

namespace reprise {
namespace {

using Entry = std::pair<std::string_view, WrapperKey>;
constexpr Entry kEntries[] = {
    {"$oid", WrapperKey::oid},
    {"$date", WrapperKey::date},
    {"$symbol", WrapperKey::symbol},
    {"$numberInt", WrapperKey::number_int},
    {"$numberLong", WrapperKey::number_long},
    {"$numberDouble", WrapperKey::number_double},
    {"$numberDecimal", WrapperKey::number_decimal},
    {"$binary", WrapperKey::binary},
    {"$uuid", WrapperKey::uuid},
    {"$code", WrapperKey::code},
    {"$scope", WrapperKey::scope},
    {"$timestamp", WrapperKey::timestamp},
    {"$regularExpression", WrapperKey::regular_expression},
    {"$dbPointer", WrapperKey::db_pointer},
    {"$minKey", WrapperKey::min_key},
    {"$maxKey", WrapperKey::max_key},
    {"$undefined", WrapperKey::undefined},
    {"$regex", WrapperKey::regex},
    {"$options", WrapperKey::options},
    {"$type", WrapperKey::type},
    {"$rawBson", WrapperKey::raw_bson},
};

}  // namespace

WrapperKey wrapper_key(std::string_view key) {
    for (const Entry& entry : kEntries)
        if (entry.first == key) return entry.second;
    return WrapperKey::none;
}

}  // namespace reprise
