#include <doctest/doctest.h>

#include <cmath>

#include "base/bson.h"
#include "base/failure.h"
#include "engine/merge.h"
#include "engine/plan.h"
#include "engine/rules.h"

using namespace reprise;

namespace {

std::string key(const char* field, std::int32_t order = 1) { return BsonBuilder().add(field, order).str(); }

std::string index_of(const char* name, const char* field) {
    return BsonBuilder().add("v", 2).doc("key", key(field)).add("name", name).str();
}

std::string with(const std::string& document, const BsonBuilder& more) {
    BsonBuilder out;
    for (const auto& field : BsonView(document)) out.field(field);
    const std::string added = more.str();
    for (const auto& field : BsonView(added)) out.field(field);
    return out.str();
}

std::string reason(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure.reason;
    }
    return "";
}

CreateRules plain() { return create_rules("collection", "users", BsonBuilder().str()); }

Target view(const char* name, const char* on) {
    Target target;
    target.entry.name = name;
    target.entry.type = "view";
    target.entry.options = BsonBuilder().add("viewOn", on).str();
    return target;
}

}  // namespace

TEST_CASE("what only the server may set is left out of a collection's options, the rest goes through as it is") {
    const std::string options = BsonBuilder()
                                    .binary("uuid", 4, std::string(16, 'u'))
                                    .add("autoIndexId", true)
                                    .add("capped", true)
                                    .add("size", 4096)
                                    .str();
    const CreateRules rules = create_rules("collection", "log", options);
    CHECK(rules.options == BsonBuilder().add("capped", true).add("size", 4096).str());
    CHECK(rules.capped);
}

TEST_CASE("an option or index field that is not known is refused by name") {
    CHECK(reason([] { create_rules("collection", "users", BsonBuilder().add("evil", 1).str()); }) == "option_unknown");
    CHECK(reason([] { create_rules("view", "v", BsonBuilder().add("capped", true).str()); }) == "option_unknown");
    CHECK(reason([] { create_rules("timeseries", "t", BsonBuilder().add("validator", 1).str()); }) == "option_unknown");
    CHECK(reason([] { index_rules("users", {with(index_of("a_1", "a"), BsonBuilder().add("evil", 1))}, plain()); }) ==
          "option_unknown");
    CHECK(reason([] {
              create_rules("collection", "users", BsonBuilder().doc("encryptedFields", BsonBuilder().str()).str());
          }) == "collection_encrypted");
}

TEST_CASE("a time series is created with its granularity or its bucket span, never with both") {
    const std::string inner =
        BsonBuilder().add("timeField", "t").add("granularity", "hours").add("bucketMaxSpanSeconds", 2592000).str();
    const CreateRules rules = create_rules(
        "timeseries", "t", BsonBuilder().doc("timeseries", inner).add("expireAfterSeconds", std::int64_t{60}).str());
    CHECK(rules.options ==
          BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").add("granularity", "hours").str()).str());
    CHECK(rules.expires);
    CHECK(BsonView(rules.options_with_expiry).find("expireAfterSeconds").has_value());
    const std::string spans =
        BsonBuilder().add("timeField", "t").add("bucketMaxSpanSeconds", 100).add("bucketRoundingSeconds", 100).str();
    CHECK(create_rules("timeseries", "t", BsonBuilder().doc("timeseries", spans).str()).options ==
          BsonBuilder().doc("timeseries", spans).str());
}

TEST_CASE("an index loses v, ns and background, and old key values become 1") {
    const std::string old_key =
        BsonBuilder().add("a", true).add("b", "").add("c", 0).add("d", -1).add("e", "2dsphere").add("f", std::nan("")).str();
    const std::string index =
        BsonBuilder().add("v", 1).doc("key", old_key).add("name", "old").add("ns", "db.users").add("background", true).str();
    const IndexRules rules = index_rules("users", {index}, plain());
    REQUIRE(rules.plain.size() == 1);
    const std::string new_key =
        BsonBuilder().add("a", 1).add("b", 1).add("c", 1).add("d", -1).add("e", "2dsphere").add("f", 1).str();
    CHECK(rules.plain[0] == BsonBuilder().doc("key", new_key).add("name", "old").str());
}

TEST_CASE("the index on _id and the clustered index are not created again") {
    const IndexRules rules = index_rules(
        "users", {index_of("_id_", "_id"), with(index_of("mine", "_id"), BsonBuilder().add("clustered", true))}, plain());
    CHECK(rules.plain.empty());
    CHECK(rules.unique.empty());
}

TEST_CASE("unique indexes are apart, and expiring ones begin with the largest value") {
    const IndexRules rules =
        index_rules("users",
                    {with(index_of("mail_1", "mail"), BsonBuilder().add("unique", true)),
                     with(index_of("seen_1", "seen"), BsonBuilder().add("expireAfterSeconds", 60)), index_of("a_1", "a")},
                    plain());
    CHECK(rules.plain.size() == 1);
    CHECK(rules.unique.size() == 1);
    REQUIRE(rules.ttl.size() == 1);
    CHECK(BsonView(rules.ttl[0]).find("expireAfterSeconds")->integer() == 2147483647);
    CHECK(BsonView(rules.ttl_real[0]).find("expireAfterSeconds")->integer() == 60);
}

TEST_CASE("an expiry that is not a number becomes never, and the restore says so") {
    const IndexRules rules = index_rules(
        "users", {with(index_of("seen_1", "seen"), BsonBuilder().add("expireAfterSeconds", std::nan("")))}, plain());
    CHECK(BsonView(rules.ttl_real[0]).find("expireAfterSeconds")->integer() == 2147483647);
    REQUIRE(rules.warnings.size() == 1);
    CHECK(rules.warnings[0].find("seen_1") != std::string::npos);
}

TEST_CASE("in a collection with a collation an index without one says simple") {
    const std::string collation = BsonBuilder().add("locale", "fr").str();
    const CreateRules rules = create_rules("collection", "users", BsonBuilder().doc("collation", collation).str());
    const std::string own = with(index_of("b_1", "b"), BsonBuilder().doc("collation", collation));
    const IndexRules indexes = index_rules("users", {index_of("a_1", "a"), own}, rules);
    REQUIRE(indexes.plain.size() == 2);
    CHECK(BsonView(indexes.plain[0]).at_path("collation.locale")->text() == "simple");
    CHECK(BsonView(indexes.plain[1]).at_path("collation.locale")->text() == "fr");
    CHECK_FALSE(BsonView(index_rules("users", {index_of("a_1", "a")}, plain()).plain[0]).find("collation").has_value());
}

TEST_CASE("a collation's version is left out where the server refuses it, and nothing else") {
    const std::string index =
        BsonBuilder().add("name", "a").doc("collation", BsonBuilder().add("locale", "fr").add("version", "57.1").str()).str();
    CHECK(without_collation_version(index) ==
          BsonBuilder().add("name", "a").doc("collation", BsonBuilder().add("locale", "fr").str()).str());
}

TEST_CASE("views come after what they are built on, whatever the order in the file") {
    Target users;
    users.entry = {"users", "collection", BsonBuilder().str(), {}};
    std::vector<Target> targets = {view("a_top", "b_middle"), view("b_middle", "c_base"), view("c_base", "users"), users};
    order_views(targets);
    std::string order;
    for (const auto& target : targets) order += target.entry.name + " ";
    CHECK(order == "users c_base b_middle a_top ");
}

TEST_CASE("views in a circle end the ordering instead of hanging it") {
    std::vector<Target> targets = {view("a", "b"), view("b", "a")};
    order_views(targets);
    CHECK(targets.size() == 2);
}

TEST_CASE("at startup an index that only the live collection has is kept, at other times it is not") {
    const std::vector<CatalogEntry> file = {
        {"users", "collection", BsonBuilder().str(), {index_of("_id_", "_id"), index_of("a_1", "a")}}};
    CollectionInfo live;
    live.name = "users";
    live.type = "collection";
    live.options = BsonBuilder().str();
    live.indexes = {index_of("_id_", "_id"), index_of("same_key", "a"), index_of("b_1", "b")};
    RestoreOptions options;
    CHECK(make_plan(file, {live}, options, false).targets[0].kept_indexes.empty());
    options.startup = true;
    const Plan plan = make_plan(file, {live}, options, false);
    REQUIRE(plan.targets[0].kept_indexes.size() == 1);
    CHECK(index_name(plan.targets[0].kept_indexes[0]) == "b_1");
}

TEST_CASE("a name in a list that the file does not hold is refused") {
    RestoreOptions options;
    options.include = {"users", "nobody"};
    CHECK(reason([&] { check_lists(options, {"users"}); }) == "collection_missing");
    options.include = {"users"};
    options.exclude = {"typo"};
    CHECK(reason([&] { check_lists(options, {"users"}); }) == "collection_missing");
}

TEST_CASE("a merge finds the live document by its shard key's live values") {
    const std::string at = BsonBuilder().add("day", std::int32_t{7}).str();
    const std::string live = BsonBuilder().add("_id", std::int32_t{1}).add("tenant", "a").doc("at", at).str();
    CHECK(merge_filter(live, "") == BsonBuilder().add("_id", std::int32_t{1}).str());
    const std::string key =
        BsonBuilder().add("tenant", std::int32_t{1}).add("at.day", "hashed").add("none", std::int32_t{1}).str();
    CHECK(merge_filter(live, key) == BsonBuilder()
                                         .add("_id", std::int32_t{1})
                                         .doc("tenant", BsonBuilder().add("$eq", "a").str())
                                         .doc("at.day", BsonBuilder().add("$eq", std::int32_t{7}).str())
                                         .doc("none", BsonBuilder().raw(BsonType::null, "$eq", "").str())
                                         .str());
}
