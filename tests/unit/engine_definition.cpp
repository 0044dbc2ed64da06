// What a restore would make of a collection, against what is there: engine/definition.h.
#include <doctest/doctest.h>

#include "base/bson.h"
#include "engine/definition.h"

using namespace reprise;

namespace {

std::string index(const char* name, std::int32_t direction, const BsonBuilder& more = {}) {
    BsonBuilder out;
    out.doc("key", BsonBuilder().add("a", direction).str()).add("name", name);
    const std::string rest = more.str();
    for (const auto& field : BsonView(rest)) out.field(field);
    return out.str();
}

CollectionInfo live(const BsonBuilder& options, std::vector<std::string> indexes) {
    return {"users", "collection", options.str(), "", std::move(indexes)};
}

bool same(const CollectionInfo& saved, const CollectionInfo& now, bool legacy = false) {
    const std::vector<CatalogEntry> entries = {{saved.name, saved.type, saved.options, saved.indexes}};
    const Plan plan = make_plan(entries, {now}, RestoreOptions{}, legacy);
    return same_definition(plan.targets.at(0), now);
}

}  // namespace

TEST_CASE("the order of indexes and of an option's fields is no difference, what they say is") {
    const auto a = BsonBuilder().add("capped", true).add("size", std::int64_t{4096});
    const auto b = BsonBuilder().add("size", std::int64_t{4096}).add("capped", true);
    const std::string up = index("a_1", 1), down = index("a_-1", -1), id = index("_id_", 1);
    CHECK(same(live(a, {id, up, down}), live(b, {down, up})));
    CHECK_FALSE(same(live(a, {up, down}), live(a, {up})));
    CHECK_FALSE(same(live(a, {up}), live(a, {up, down})));
    CHECK_FALSE(same(live(a, {up}), live(a, {index("a_1", -1)})));
    CHECK_FALSE(same(live(a, {up}), live(a, {index("a_1", 1, BsonBuilder().add("unique", true))})));
    CHECK_FALSE(same(live(a, {}), live(BsonBuilder().add("capped", true).add("size", std::int64_t{8192}), {})));
}

TEST_CASE("an expiry is the same as another type of number, and another expiry is not") {
    const auto expires = [](auto seconds) { return index("a_1", 1, BsonBuilder().add("expireAfterSeconds", seconds)); };
    CHECK(same(live({}, {expires(std::int32_t{60})}), live({}, {expires(std::int64_t{60})})));
    CHECK(same(live({}, {expires(std::int32_t{60})}), live({}, {expires(60.0)})));
    CHECK_FALSE(same(live({}, {expires(std::int32_t{60})}), live({}, {expires(std::int32_t{61})})));
    CHECK_FALSE(same(live({}, {expires(std::int32_t{60})}), live({}, {index("a_1", 1)})));
}

TEST_CASE("another type, and an option that no backup can hold, are differences; a file of the old system keeps both") {
    CollectionInfo view = live({}, {});
    view.type = "view";
    CHECK_FALSE(same(live({}, {}), view));
    const auto newer = live(BsonBuilder().add("optionOfTomorrow", true), {});
    CHECK_FALSE(same(live({}, {}), newer));
    const auto checked = live(BsonBuilder().doc("validator", BsonBuilder().add("a", std::int32_t{1}).str()), {index("a_1", 1)});
    CHECK_FALSE(same(live({}, {}), checked));
    CHECK(same(live({}, {}), checked, true));
}

TEST_CASE("a unique index is one that refuses a second document: neither that on _id nor a clustered one") {
    const auto unique = BsonBuilder().add("unique", true);
    CHECK(has_unique({index("a_1", 1), index("b", 1, unique)}));
    CHECK_FALSE(has_unique({index("_id_", 1, unique), index("a_1", 1)}));
    CHECK_FALSE(has_unique({index("c", 1, BsonBuilder().add("unique", true).add("clustered", true))}));
}
