// Golden files: what stands in tests/golden/good must open for ever and be written again byte for byte; what stands in
// tests/golden/bad must be refused for the reason that begins its name. REPRISE_GOLDEN_WRITE=1 writes the missing good
// ones from the backups below; tests/golden/make_bad.py makes the bad ones.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/bytes.h"
#include "format_support.h"

using namespace reprise;
using namespace format_test;
using namespace std::string_view_literals;

namespace {

std::filesystem::path golden() { return std::filesystem::path(REPRISE_SOURCE_FOLDER) / "tests" / "golden"; }

std::string content(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T>
std::string le(T value) {
    std::string out;
    append_le(out, value);
    return out;
}

std::string text_value(std::string_view text) {
    return le(static_cast<std::int32_t>(text.size() + 1)) + std::string(text) + '\0';
}

std::string every_type() {
    BsonBuilder b;
    const std::string oid("\x68\xeb\xd0\xf5\xa5\xb4\xc3\xd2\xe1\xf0\x00\x01", 12), uuid = "0123456789abcdef";
    b.raw(BsonType::oid, "_id", oid).add("int32", 5).add("int32_min", std::int32_t{-2147483647 - 1});
    b.add("int64_small", std::int64_t{5})
        .add("int64", std::int64_t{1700000000123})
        .add("int64_big", std::int64_t{9223372036854775807});
    b.add("double", 36.46)
        .add("integral", 7.0)
        .add("negative_zero", -0.0)
        .add("tiny", 5e-324)
        .add("huge", 1.7976931348623157e308);
    b.add("nan", std::nan(""))
        .add("infinity", HUGE_VAL)
        .add("minus_infinity", -HUGE_VAL)
        .add("million", 1e21)
        .add("micro", 1e-6);
    b.raw(BsonType::decimal128, "decimal", std::string("\x6e\0\0\0\0\0\0\0\0\0\0\0\0\0\x3c\x30", 16));
    b.raw(BsonType::date, "date", le(std::int64_t{1760286441123}))
        .raw(BsonType::date, "whole", le(std::int64_t{1554076800000}));
    b.raw(BsonType::date, "before", le(std::int64_t{-1})).raw(BsonType::date, "after", le(std::int64_t{253402300800000}));
    b.binary("uuid", 4, uuid)
        .binary("bytes", 0, std::string("\0\xff\x10", 3))
        .binary("empty", 0, "")
        .binary("old_uuid", 3, uuid);
    b.binary("user", 0x80, "x").add("yes", true).add("no", false).null("nothing");
    b.add("text", "quote \" backslash \\ slash / line\n tab\t nul\0 bell\x07 é € 𝄞"sv)
        .add("empty_text", "")
        .add("", "empty key");
    b.raw(BsonType::regex, "regex", std::string("^a\"/b\0ix\0", 9)).raw(BsonType::code, "code", text_value("return 1;"));
    const std::string scope = BsonBuilder().add("x", 1).str();
    const std::string code = text_value("x");
    b.raw(BsonType::code_w_scope, "code_scope", le(static_cast<std::int32_t>(4 + code.size() + scope.size())) + code + scope);
    b.raw(BsonType::symbol, "symbol", text_value("s")).raw(BsonType::db_pointer, "pointer", text_value("c") + oid);
    b.timestamp("timestamp", 4294967295u, 1)
        .raw(BsonType::min_key, "min", "")
        .raw(BsonType::max_key, "max", "")
        .raw(BsonType::undefined, "undefined", "");
    b.doc("document", BsonBuilder().doc("a", BsonBuilder().doc("b", BsonBuilder().str()).str()).str());
    b.array("array", BsonArray()
                         .add(1)
                         .add("two")
                         .doc(BsonBuilder().add("three", 3).str())
                         .raw(BsonType::array, BsonArray().add(4).str())
                         .str());
    b.doc("dbref", BsonBuilder().add("$ref", "c").raw(BsonType::oid, "$id", oid).add("$db", "d").str());
    return b.str();
}

Collection plain(const std::string& name, std::vector<std::string> documents,
                 const std::string& options = BsonBuilder().str()) {
    const std::string id_index =
        BsonBuilder().add("v", 2).doc("key", BsonBuilder().add("_id", 1).str()).add("name", "_id_").str();
    return {{name, "collection", options, {id_index}}, std::move(documents)};
}

Collection view(const std::string& name, const std::string& on, const std::string& stage) {
    const std::string pipeline = stage.empty() ? BsonArray().str() : BsonArray().doc(stage).str();
    return {{name, "view", BsonBuilder().add("viewOn", on).array("pipeline", pipeline).str(), {}}, {}};
}

Backup of(std::vector<Collection> collections) {
    Backup backup = sample(0);
    backup.collections = std::move(collections);
    return backup;
}

Backup kinds() {
    const std::string key = BsonBuilder().add("n", 1).str();
    Collection users = plain("users", {BsonBuilder().add("_id", 1).add("n", 1).str()});
    const auto index = [&](const std::string& name, const std::string& keys, const std::string& more) {
        BsonBuilder built;
        built.add("v", 2).doc("key", keys).add("name", name);
        for (const BsonField& field : BsonView(more)) built.field(field);
        users.entry.indexes.push_back(built.str());
    };
    index("n_1", key, BsonBuilder().add("unique", true).add("sparse", true).str());
    index("ttl", BsonBuilder().add("t", 1).str(), BsonBuilder().add("expireAfterSeconds", 3600).str());
    index("part", key,
          BsonBuilder().doc("partialFilterExpression", BsonBuilder().doc("n", BsonBuilder().add("$gt", 5).str()).str()).str());
    index("text", BsonBuilder().add("_fts", "text").add("_ftsx", 1).str(),
          BsonBuilder()
              .doc("weights", BsonBuilder().add("bio", 1).str())
              .add("default_language", "french")
              .add("language_override", "language")
              .add("textIndexVersion", 3)
              .str());
    index("geo", BsonBuilder().add("p", "2dsphere").str(), BsonBuilder().add("2dsphereIndexVersion", 3).str());
    index("wild", BsonBuilder().add("$**", 1).str(), BsonBuilder().add("hidden", true).str());
    index("fr", key, BsonBuilder().doc("collation", BsonBuilder().add("locale", "fr").add("strength", 2).str()).str());
    const std::string capped = BsonBuilder().add("capped", true).add("size", 4096).add("max", 10).str();
    const std::string clustered = BsonBuilder()
                                      .doc("clusteredIndex", BsonBuilder()
                                                                 .add("v", 2)
                                                                 .doc("key", BsonBuilder().add("_id", 1).str())
                                                                 .add("name", "c")
                                                                 .add("unique", true)
                                                                 .str())
                                      .str();
    const std::string validated = BsonBuilder()
                                      .doc("validator", BsonBuilder().doc("n", BsonBuilder().add("$type", "int").str()).str())
                                      .add("validationLevel", "moderate")
                                      .add("validationAction", "warn")
                                      .str();
    const std::string series = BsonBuilder()
                                   .doc("timeseries", BsonBuilder()
                                                          .add("timeField", "t")
                                                          .add("metaField", "m")
                                                          .add("granularity", "hours")
                                                          .add("bucketMaxSpanSeconds", 2592000)
                                                          .str())
                                   .add("expireAfterSeconds", std::int64_t{86400})
                                   .str();
    Collection weather{
        {"weather",
         "timeseries",
         series,
         {BsonBuilder().add("v", 2).doc("key", BsonBuilder().add("m", 1).add("t", 1).str()).add("name", "m_1_t_1").str()}},
        {}};
    weather.documents.push_back(
        BsonBuilder().raw(BsonType::date, "t", le(std::int64_t{1760286441123})).add("m", "a").add("c", 21.5).str());
    Backup backup =
        of({users, plain("log", {BsonBuilder().add("_id", 1).str()}, capped), plain("clustered", {}, clustered),
            plain("validated", {}, validated), weather,
            view("grown", "users",
                 BsonBuilder().doc("$match", BsonBuilder().doc("n", BsonBuilder().add("$gte", 18).str()).str()).str()),
            view("on_view", "grown", "")});
    backup.summary.consistency = "snapshot";
    backup.summary.cluster_time = {1760286441, 3};
    backup.header.scope = {"configured", {}, {"sessions"}, {{"secrets", "encrypted"}}};
    return backup;
}

Backup escaped() {
    const std::string twice = BsonBuilder().add("a", 1).add("a", 2).str(), bad_text = BsonBuilder().add("a", "\xff").str();
    const std::string bad_array = BsonBuilder().array("a", BsonBuilder().add("1", 1).add("0", 2).str()).str();
    const std::string bad_bool = BsonBuilder().raw(BsonType::boolean, "b", "\2").str(),
                      odd_nan = BsonBuilder().raw(BsonType::double_, "n", le(std::uint64_t{0x7FF8000000000001})).str();
    const std::string regex = BsonBuilder().raw(BsonType::regex, "r", std::string("a\0mi\0", 5)).str();
    const std::string nested = BsonBuilder()
                                   .add("_id", 1)
                                   .doc("fine", BsonBuilder().add("x", 1).str())
                                   .doc("query", BsonBuilder().add("$type", "int").str())
                                   .str();
    return of({plain("odd", {twice, bad_text, bad_array, bad_bool, odd_nan, regex, nested, BsonBuilder().add("$oid", "x").str(),
                             BsonBuilder().str()})});
}

std::map<std::string, Backup> backups() {
    std::map<std::string, Backup> all;
    all["all_types.json"] = of({plain("types", {every_type(), BsonBuilder().str()})});
    all["all_types_portable.json"] = all["all_types.json"];
    all["all_types_portable.json"].header.profile = "portable";
    all["kinds.json"] = kinds();
    all["escapes.json"] = escaped();
    all["empty_database.json"] = of({});
    all["empty_database.json"].header.deployment.reset();
    all["odd_names.json"] =
        of({plain("a.b/c%2e", {}), plain("quote\"back\\slash", {BsonBuilder().add("a.b", 1).add("$x", 2).add("é\n", 3).str()}),
            plain("new\nline é 𝄞", {}), plain("sha256", {}), plain("collections", {})});
    all["many.json"] = sample(200);
    return all;
}

}  // namespace

TEST_CASE("golden backups open, hold what they held, and are written again byte for byte") {
    for (auto& [name, backup] : backups()) {
        CAPTURE(name);
        const std::filesystem::path path = golden() / "good" / name;
        if (std::getenv("REPRISE_GOLDEN_WRITE") != nullptr && !std::filesystem::exists(path))
            std::ofstream(path, std::ios::binary) << write(backup);
        REQUIRE(std::filesystem::exists(path));
        const std::string text = content(path);
        Backup got = read(text);
        CHECK(got.header.sequence == backup.header.sequence);
        REQUIRE(got.collections.size() == backup.collections.size());
        for (std::size_t i = 0; i < got.collections.size(); ++i) {
            CHECK(got.collections[i].entry.name == backup.collections[i].entry.name);
            CHECK((got.collections[i].entry.options == backup.collections[i].entry.options));
            CHECK((got.collections[i].entry.indexes == backup.collections[i].entry.indexes));
            CHECK((got.collections[i].documents == backup.collections[i].documents));
        }
        CHECK((write(got) == text));
        CHECK((write(backup) == text));
    }
}

TEST_CASE("golden backups that were compressed, by reprise and by others, hold what the plain ones hold") {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(golden() / "packed")) {
        const std::string name = entry.path().filename().string();  // all_types.gzip-9.json.gz
        CAPTURE(name);
        const std::string plain = content(golden() / "good" / (name.substr(0, name.find('.')) + ".json"));
        Backup got = read(content(entry.path()), false, 7);
        CHECK((write(got) == plain));
        ++count;
    }
    CHECK(count >= 8);
}

TEST_CASE("golden files of the replaced system open") {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(golden() / "legacy")) {
        CAPTURE(entry.path().filename().string());
        const Backup got = read(content(entry.path()));
        CHECK(got.legacy);
        CHECK(got.header.database == "test_database");
        CHECK(got.summary.documents > 0);
        ++count;
    }
    CHECK(count >= 4);
}

TEST_CASE("golden bad files are refused, each for its reason") {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(golden() / "bad")) {
        const std::string name = entry.path().filename().string();
        CAPTURE(name);
        CHECK(reason_of(content(entry.path())) == name.substr(0, name.find('.')));
        ++count;
    }
    CHECK(count >= 40);
}
