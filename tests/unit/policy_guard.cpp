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
    Manifest holder;
    holder.name = "backup_before.json";
    if (measure != nullptr) holder.summary = *measure, facts.before = facts.counted = {&holder};
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
    REQUIRE(verdict.lost.size() == 2);
    CHECK(lost_sentence(verdict.lost[0], true) ==
          "collection users became empty; backup_before.json still holds 10 documents in it");
    CHECK(
        lost_sentence(verdict.lost[1]).find("logs is missing; backup_before.json still holds 5 documents in it and is kept") !=
        std::string::npos);
}

TEST_CASE("a collection that the configuration now leaves out is not a loss") {
    const Summary measure = holding({{"users", {10, 400}}, {"logs", {1000, 90000}}});
    Scope scope;
    scope.is = "configured";
    scope.exclude = {"logs"};
    const Verdict verdict = ask(holding({{"users", {10, 400}}}), &measure, {}, scope);
    CHECK_FALSE(verdict.suspect);
    CHECK(verdict.lost.empty());
    scope.exclude = {"users"};
    CHECK_FALSE(ask(holding({{"logs", {1000, 90000}}}), &measure, {}, scope).suspect);
}

TEST_CASE("S7: an empty database stays suspect after an empty backup was accepted by hand") {
    const Summary measure = holding({{"users", {0, 0}}});
    CHECK(ask(measure, &measure).reason == "no_documents");
}

TEST_CASE("S7: the sentinel is watched against every backup that counts, totals against the largest alone") {
    Manifest early, late;
    early.name = "early", late.name = "late";
    early.summary = holding({{"work", {1000, 50000}}});
    late.summary = holding({{"work", {700, 35000}}, {"users", {200, 8000}}});
    const Scope scope;
    const auto judged = [&](std::int64_t users, const GuardRules& rules = {}) {
        const Summary now = holding({{"work", {700, 35000}}, {"users", {users, 40 * users}}});
        GuardFacts facts;
        facts.scope = &scope;
        facts.now = &now;
        facts.counted = {&late, &early};
        CHECK(largest(facts.counted) == &early);
        return judge(facts, rules);
    };
    CHECK(judged(0).reason == "sentinel_empty");
    CHECK(judged(0).message == "collection users is empty where late holds 200 documents");
    CHECK_FALSE(judged(1).suspect);
    GuardRules rules;
    rules.together = {"users"};
    rules.least_together = 2;
    CHECK(judged(1, rules).reason == "sentinel_empty");
    CHECK_FALSE(judged(2, rules).suspect);
    early.summary = holding({{"work", {2000, 50000}}});
    CHECK(judged(200).reason == "fewer_documents");
}

TEST_CASE("S7: a collection that became empty or missing is named with the newest backup that still holds it") {
    Manifest old, newer;
    old.name = "old", newer.name = "newer";
    old.summary = holding({{"users", {10, 400}}, {"logs", {5, 50}}, {"queue", {1, 9}}, {"news", {1, 9}}});
    newer.summary = holding({{"users", {10, 400}}, {"logs", {7, 70}}, {"news", {0, 0}}});
    const Summary now = holding({{"users", {10, 400}}, {"logs", {0, 0}}});
    Scope scope;
    const auto lost = find_lost({&scope, &now, {&newer, &old}, {"queue"}});
    REQUIRE(lost.size() == 2);
    CHECK(lost[0].collection == "logs");
    CHECK(lost[0].holder == "newer");
    CHECK_FALSE(lost[0].missing);
    CHECK(lost[1].collection == "news");
    CHECK(lost[1].holder == "old");
    CHECK(lost[1].missing);
    scope.exclude = {"logs", "news"};
    CHECK(find_lost({&scope, &now, {&newer, &old}, {"queue"}}).empty());
}

TEST_CASE("the guard's share and its sentinel are configured, but an empty database is never believed") {
    const Summary measure = holding({{"users", {10, 400}}, {"logs", {100, 9000}}});
    GuardRules rules;
    rules.least_share = 0.1;
    CHECK_FALSE(ask(holding({{"users", {10, 400}}, {"logs", {5, 800}}}), &measure, rules).suspect);
    CHECK(ask(holding({{"users", {10, 400}}}), &measure, rules).reason == "fewer_documents");
    rules.least_share = 0.95;
    CHECK(ask(holding({{"users", {10, 400}}, {"logs", {90, 9000}}}), &measure, rules).reason == "fewer_documents");
    rules.least_share = 0;
    CHECK(ask(holding({{"logs", {1, 9}}}), &measure, rules).reason == "sentinel_empty");
    rules.watch_sentinel = false;
    CHECK_FALSE(ask(holding({{"logs", {1, 9}}}), &measure, rules).suspect);
    CHECK(ask(holding({{"logs", {0, 0}}}), &measure, rules).reason == "no_documents");
}

TEST_CASE("S7: the collections that startup asks trip together, against the minimum that it asks for, beside the sentinel") {
    const Summary measure = holding({{"clerks", {4, 400}}, {"staff", {6, 400}}, {"logs", {1000, 9000}}, {"users", {2, 90}}});
    GuardRules rules;
    rules.together = {"clerks", "staff"};
    rules.least_together = 3;
    const auto left = [](std::int64_t clerks, std::int64_t staff, std::int64_t users) {
        return holding({{"clerks", {clerks, 90}}, {"staff", {staff, 900}}, {"logs", {1000, 9000}}, {"users", {users, 90}}});
    };
    CHECK_FALSE(ask(left(0, 3, 2), &measure, rules).suspect);
    const Verdict verdict = ask(left(1, 1, 2), &measure, rules);
    CHECK(verdict.reason == "sentinel_empty");
    CHECK(verdict.message == "collections clerks, staff hold 2 documents where backup_before.json holds 10 documents");
    CHECK(ask(left(0, 0, 2), &measure, rules).message.find("clerks, staff are empty") != std::string::npos);
    CHECK(ask(left(4, 6, 0), &measure, rules).message.find("collection users is empty") != std::string::npos);
    rules.least_together = 11;  // never held so many: no loss
    CHECK_FALSE(ask(left(2, 3, 2), &measure, rules).suspect);
    rules.watch_sentinel = false;
    rules.least_together = 3;
    CHECK_FALSE(ask(left(0, 3, 0), &measure, rules).suspect);
    CHECK_FALSE(ask(left(0, 0, 2), &measure, rules).suspect);
}
