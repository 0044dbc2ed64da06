#include <doctest/doctest.h>

#include "policy/guard.h"

using namespace reprise;

namespace {

Summary holding(std::initializer_list<std::pair<const char*, std::pair<std::int64_t, std::int64_t>>> collections) {
    Summary summary;
    for (const auto& [name, count] : collections) {
        CollectionSummary collection;
        collection.documents = count.first;
        collection.bson_bytes = count.second;
        summary.documents += count.first;
        summary.collections.emplace_back(name, collection);
    }
    return summary;
}

Verdict ask(const Summary& now, const Summary* measure, const GuardRules& rules = {}, const Scope& scope = {}) {
    GuardFacts facts;
    facts.scope = &scope;
    facts.now = &now;
    facts.measure = measure;
    return judge(facts, rules);
}

}  // namespace

TEST_CASE("S7: without a measure only a database without any document is suspect") {
    CHECK_FALSE(ask(holding({{"users", {1, 40}}}), nullptr).suspect);
    CHECK_FALSE(ask(holding({{"users", {0, 0}}, {"logs", {1, 40}}}), nullptr).suspect);
    const Verdict verdict = ask(holding({{"users", {0, 0}}}), nullptr);
    CHECK(verdict.suspect);
    CHECK(verdict.reason == "no_documents");
}

TEST_CASE("S7: the sentinel that became empty trips, whatever the totals say") {
    const Summary measure = holding({{"users", {10, 400}}, {"logs", {1000, 90000}}});
    const Summary now = holding({{"users", {0, 0}}, {"logs", {5000, 900000}}});
    CHECK(ask(now, &measure).reason == "sentinel_empty");
    GuardRules rules;
    rules.sentinel = "logs";
    CHECK_FALSE(ask(now, &measure, rules).suspect);
    CHECK(ask(holding({{"logs", {5000, 900000}}}), &measure).reason == "sentinel_empty");
}

TEST_CASE("hazard 23: a mistyped sentinel, empty in the measure too, does not make every backup suspect") {
    GuardRules rules;
    rules.sentinel = "usres";
    const Summary measure = holding({{"users", {10, 400}}});
    CHECK_FALSE(ask(measure, &measure, rules).suspect);
}

TEST_CASE("S7: documents or bytes under half of the measure trip, half does not") {
    const Summary measure = holding({{"a", {100, 10000}}, {"b", {100, 10000}}});
    CHECK_FALSE(ask(holding({{"a", {50, 5000}}, {"b", {50, 5000}}}), &measure).suspect);
    CHECK(ask(holding({{"a", {50, 5000}}, {"b", {49, 5000}}}), &measure).reason == "fewer_documents");
    CHECK(ask(holding({{"a", {50, 5000}}, {"b", {50, 4999}}}), &measure).reason == "fewer_bytes");
}

TEST_CASE("S7: accept_smaller lets a smaller backup count, and still says what is gone") {
    const Summary measure = holding({{"users", {10, 400}}, {"logs", {5, 50}}});
    GuardRules rules;
    rules.accept_smaller = true;
    const Verdict verdict = ask(holding({{"users", {0, 0}}}), &measure, rules);
    CHECK_FALSE(verdict.suspect);
    CHECK(verdict.overridden);
    CHECK_FALSE(ask(measure, &measure, rules).overridden);
    REQUIRE(verdict.warnings.size() == 2);
    CHECK(verdict.warnings[0].find("users became empty") != std::string::npos);
    CHECK(verdict.warnings[1].find("logs is missing") != std::string::npos);
}

TEST_CASE("a collection that the configuration now leaves out is not a loss") {
    const Summary measure = holding({{"users", {10, 400}}, {"logs", {1000, 90000}}});
    Scope scope;
    scope.is = "configured";
    scope.exclude = {"logs"};
    const Verdict verdict = ask(holding({{"users", {10, 400}}}), &measure, {}, scope);
    CHECK_FALSE(verdict.suspect);
    CHECK(verdict.warnings.empty());
    scope.exclude = {"users"};
    CHECK_FALSE(ask(holding({{"logs", {1000, 90000}}}), &measure, {}, scope).suspect);
}

TEST_CASE("S7: an empty database stays suspect after an empty backup was accepted by hand") {
    const Summary measure = holding({{"users", {0, 0}}});
    CHECK(ask(measure, &measure).reason == "no_documents");
}
