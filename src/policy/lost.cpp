#include "policy/lost.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace reprise {

std::vector<Lost> find_lost(const LostFacts& facts) {
    std::vector<Lost> out;
    std::set<std::string> seen;
    for (const Manifest* manifest : facts.before) {
        for (const auto& [name, held] : manifest->summary.collections) {
            if (held.documents == 0 || !facts.scope->selects(name) || !seen.insert(name).second) continue;
            if (std::count(facts.may_empty.begin(), facts.may_empty.end(), name) > 0) continue;
            const CollectionSummary* now = facts.now->find(name);
            if (now != nullptr && now->documents > 0) continue;
            out.push_back({name, now == nullptr, manifest->name, held.documents});
        }
    }
    return out;
}

std::string lost_sentence(const Lost& lost, bool accepted) {
    return "collection " + printable(lost.collection) + (lost.missing ? " is missing" : " became empty") + "; " + lost.holder +
           " still holds " + std::to_string(lost.documents) + " documents in it" +
           (accepted ? "" : " and is kept until the loss is accepted (accept latest)");
}

}  // namespace reprise
