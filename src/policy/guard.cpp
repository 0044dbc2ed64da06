#include "policy/guard.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "base/text.h"

namespace reprise {
namespace {

struct Totals {
    std::int64_t documents = 0, bytes = 0;
};

std::int64_t bytes_of(const Manifest& manifest) {
    std::int64_t sum = 0;
    for (const auto& [name, collection] : manifest.summary.collections) sum += collection.bson_bytes;
    return sum;
}

bool larger(const Manifest& a, const Manifest& b) {
    return std::make_tuple(a.summary.documents, bytes_of(a), a.sequence) >
           std::make_tuple(b.summary.documents, bytes_of(b), b.sequence);
}

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

std::int64_t documents_in(const Summary& summary, const std::vector<std::string>& names) {
    std::int64_t sum = 0;
    for (const std::string& name : names) sum += documents_in(summary, name);
    return sum;
}

// nullopt: they hold what they should, or never did. The largest backup may be older than the first document in them.
std::optional<Verdict> compare_watched(const GuardFacts& facts, std::vector<std::string> names, std::int64_t least) {
    const auto left_out = [&](const std::string& name) { return !facts.scope->selects(name); };
    names.erase(std::remove_if(names.begin(), names.end(), left_out), names.end());
    const std::int64_t now = documents_in(*facts.now, names);
    const auto held = std::find_if(facts.counted.begin(), facts.counted.end(),
                                   [&](const Manifest* one) { return documents_in(one->summary, names) >= least; });
    if (now >= least || held == facts.counted.end()) return std::nullopt;
    std::string listed;
    for (const std::string& name : names) listed += (listed.empty() ? "" : ", ") + printable(name);
    const bool one = names.size() == 1;
    const std::string left = now > 0 ? (one ? " holds " : " hold ") + std::to_string(now) + " documents"
                                     : std::string(one ? " is empty" : " are empty");
    return trip("sentinel_empty", (one ? "collection " : "collections ") + listed + left +
                                      " where " + (*held)->name + " holds " +
                                      std::to_string(documents_in((*held)->summary, names)) + " documents");
}

Verdict decide(const GuardFacts& facts, const GuardRules& rules) {
    const Totals now = totals(*facts.now, *facts.scope);
    const Manifest* measure = largest(facts.counted);
    if (measure == nullptr) {
        if (now.documents == 0) return trip("no_documents", "the database holds no document at all");
        return {};
    }
    if (rules.watch_sentinel) {
        const std::string& sentinel = rules.sentinel.empty() ? std::string(kUsualSentinel) : rules.sentinel;
        if (auto tripped = compare_watched(facts, {sentinel}, 1)) return *tripped;
        if (auto tripped = compare_watched(facts, rules.together, rules.least_together)) return *tripped;
    }
    if (now.documents == 0) return trip("no_documents", "the database holds no document at all");
    return compare_totals(now, totals(measure->summary, *facts.scope), rules);
}

}  // namespace

const Manifest* largest(const std::vector<const Manifest*>& counted) {
    const Manifest* best = nullptr;
    for (const Manifest* one : counted)
        if (best == nullptr || larger(*one, *best)) best = one;
    return best;
}

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
