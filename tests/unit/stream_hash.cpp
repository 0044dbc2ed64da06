#include <doctest/doctest.h>

#include "base/bson.h"
#include "base/failure.h"
#include "stream/hash.h"

using namespace reprise;

TEST_CASE("a digest of nothing is zero") {
    CHECK(CollectionDigest().text() == "xxh3-128:00000000000000000000000000000000");
    CHECK(CollectionDigest(true).text() == "xxh3-128-sorted:00000000000000000000000000000000");
}

TEST_CASE("the digest of one document is XXH3-128 of its bytes, high half first") {
    CollectionDigest digest;
    digest.add(BsonBuilder().add("a", 1).str());
    CHECK(digest.text() == "xxh3-128:050bfd51e9a6c381fc9465f18cca52a6");
}

TEST_CASE("a digest does not depend on the order of documents, but on every document") {
    CollectionDigest forth, back, twice;
    for (int i = 0; i < 1000; ++i) forth.add(BsonBuilder().add("n", i).str());
    for (int i = 999; i >= 0; --i) back.add(BsonBuilder().add("n", i).str());
    for (int i = 0; i < 999; ++i) twice.add(BsonBuilder().add("n", i).str());
    CHECK(forth.text() == back.text());
    CHECK(forth.text() != twice.text());
}

TEST_CASE("the sorted digest sees through the order of top-level fields only") {
    const std::string ab = BsonBuilder().add("a", 1).add("b", 2).str(), ba = BsonBuilder().add("b", 2).add("a", 1).str();
    const auto of = [](bool sorted, const std::string& bson) {
        CollectionDigest digest(sorted);
        digest.add(bson);
        return digest.text().substr(digest.text().find(':'));
    };
    CHECK(of(true, ab) == of(true, ba));
    CHECK(of(true, ab) == of(false, ab));
    CHECK(of(false, ab) != of(false, ba));
    CHECK(of(true, BsonBuilder().doc("x", ab).str()) != of(true, BsonBuilder().doc("x", ba).str()));
    const std::string twice = BsonBuilder().add("b", 1).add("a", 1).add("a", 2).str();
    const std::string swapped = BsonBuilder().add("b", 1).add("a", 2).add("a", 1).str();
    CHECK(of(true, twice) != of(true, swapped));
}

TEST_CASE("the sorted digest refuses bytes that are no document") {
    CollectionDigest digest(true);
    CHECK_THROWS_AS(digest.add("nonsense"), Failure);
}
