#include "policy/guard.h"

#include "base/text.h"

namespace reprise {
namespace {

constexpr const char* kUsualSentinel = "users";

struct Totals {
    std::int64_t documents = 0, bytes = 0;
};

Totals totals(const Summary& summary, const Scope& scope) {
    Totals sum;
    for (const auto& [name, collection] : summary.collections) {
        if (!scope.selects(name)) continue;
        sum.documents += collection.documents;
        sum.bytes += collection.bson_bytes;
    }
    return sum;
}

std::int64_t documents_in(const Summary& summary, const std::string& collection) {
    const CollectionSummary* found = summary.find(collection);
    return found != nullptr ? found->documents : 0;
}

Verdict trip(const char* reason, const std::string& message) {
    Verdict verdict;
    verdict.suspect = true;
    verdict.reason = reason;
    verdict.message = message;
    return verdict;
}

bool below(std::int64_t now, std::int64_t measure, double share) {
    return static_cast<double>(now) < static_cast<double>(measure) * share;
}

std::string against(std::int64_t now, std::int64_t measure, const char* what) {
    return std::to_string(now) + " " + what + " where the largest good backup holds " + std::to_string(measure);
}

Verdict compare_totals(const Totals& now, const Totals& measure, const GuardRules& rules) {
    if (below(now.documents, measure.documents, rules.least_share))
        return trip("fewer_documents", "the database holds " + against(now.documents, measure.documents, "documents"));
    if (below(now.bytes, measure.bytes, rules.least_share))
        return trip("fewer_bytes", "the database holds " + against(now.bytes, measure.bytes, "bytes"));
    return {};
}

Verdict decide(const GuardFacts& facts, const GuardRules& rules) {
    const Totals now = totals(*facts.now, *facts.scope);
    if (facts.measure == nullptr) {
        if (now.documents == 0) return trip("no_documents", "the database holds no document at all");
        return {};
    }
    const std::string& sentinel = rules.sentinel.empty() ? std::string(kUsualSentinel) : rules.sentinel;
    const std::int64_t before = documents_in(*facts.measure, sentinel);
    if (rules.watch_sentinel && facts.scope->selects(sentinel) && before > 0 && documents_in(*facts.now, sentinel) == 0)
        return trip("sentinel_empty", "collection " + printable(sentinel) + " is empty where the largest good backup holds " +
                                          std::to_string(before) + " documents");
    if (now.documents == 0) return trip("no_documents", "the database holds no document at all");
    return compare_totals(now, totals(*facts.measure, *facts.scope), rules);
}

}  // namespace

Verdict judge(const GuardFacts& facts, const GuardRules& rules) {
    Verdict verdict = decide(facts, rules);
    verdict.lost = find_lost({facts.scope, facts.now, facts.before, rules.may_empty});
    if (!rules.accept_smaller || (!verdict.suspect && verdict.lost.empty())) return verdict;
    Verdict accepted;
    accepted.overridden = true;
    accepted.lost = std::move(verdict.lost);
    return accepted;
}

}  // namespace reprise
