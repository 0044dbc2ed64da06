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
    if (facts.scope->selects(sentinel) && before > 0 && documents_in(*facts.now, sentinel) == 0)
        return trip("sentinel_empty", "collection " + printable(sentinel) + " is empty where the largest good backup holds " +
                                          std::to_string(before) + " documents");
    const Totals measure = totals(*facts.measure, *facts.scope);
    if (now.documents == 0 && measure.documents == 0) return trip("no_documents", "the database holds no document at all");
    return compare_totals(now, measure, rules);
}

std::vector<std::string> lost_collections(const GuardFacts& facts) {
    std::vector<std::string> warnings;
    if (facts.measure == nullptr) return warnings;
    for (const auto& [name, before] : facts.measure->collections) {
        if (before.documents == 0 || !facts.scope->selects(name)) continue;
        const CollectionSummary* now = facts.now->find(name);
        if (now != nullptr && now->documents > 0) continue;
        warnings.push_back("collection " + printable(name) + (now != nullptr ? " became empty" : " is missing") +
                           "; the largest good backup holds " + std::to_string(before.documents) + " documents in it");
    }
    return warnings;
}

}  // namespace

Verdict judge(const GuardFacts& facts, const GuardRules& rules) {
    Verdict verdict = decide(facts, rules);
    if (verdict.suspect && rules.accept_smaller) {
        verdict = Verdict();
        verdict.overridden = true;
    }
    if (verdict.suspect) verdict.message += "; if that is right: backup with accept_smaller";
    verdict.warnings = lost_collections(facts);
    return verdict;
}

}  // namespace reprise
