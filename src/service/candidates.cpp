#include "service/candidates.h"

#include <algorithm>
#include <set>

namespace reprise {
namespace {

bool is_backup(const ShelfItem& item) { return item.name.kind != FileKind::before_restore; }

// Something that cannot be read might be of format 1: a file whose header was stripped must not make room for itself.
bool format_1_exists(const std::vector<ShelfItem>& shelf) {
    return std::any_of(shelf.begin(), shelf.end(),
                       [](const ShelfItem& item) { return is_backup(item) && (!item.manifest || !item.manifest->legacy); });
}

// Without any id to go by, files of two deployments side by side leave no way to tell which is ours.
bool deployment_unclear(const std::vector<ShelfItem>& shelf, const Rule& rule) {
    if (rule.deployment) return false;
    std::set<std::string> ids;
    for (const auto& item : shelf)
        if (is_backup(item) && item.manifest && item.manifest->database == rule.database && item.manifest->deployment)
            ids.insert(*item.manifest->deployment);
    return ids.size() > 1;
}

struct Facts {
    bool format_1 = false, unclear = false;
};

std::optional<Skipped> why_not(const ShelfItem& item, const Rule& rule, const Facts& facts) {
    const auto skip = [&](const char* reason, const std::string& message) { return Skipped{item.blob.name, reason, message}; };
    if (!item.manifest) return skip(item.problem_reason.empty() ? "unverified" : item.problem_reason.c_str(), item.problem);
    const Manifest& m = *item.manifest;
    if (m.legacy && facts.format_1)
        return skip("legacy_beside_backup",
                    "a file of the replaced system is not restored by itself beside backups that prove themselves");
    if (m.legacy && rule.keys_configured)
        return skip("file_unproven",
                    "a file of the replaced system is not restored by itself where encryption or signatures are configured");
    if (!m.verified) return skip("unverified", "it was never read back whole");
    if (m.state != "good") return skip("suspect", "the guard did not believe it; accept it, or restore it by name");
    if (m.untrusted && m.signed_by.empty()) return skip("signature_missing", "nothing proves who wrote it: it is not signed");
    if (m.untrusted) return skip("signature_unknown", "it is signed by a key that is not trusted here");
    if (m.scope == "partial") return skip("partial", "it holds only a part of the database");
    if (!m.edited_from.empty()) return skip("edited", "it was edited by hand; restore it by name");
    if (m.database != rule.database && !(m.legacy && m.database.empty()))
        return skip("other_database", "it is of database " + m.database);
    if (rule.deployment && m.deployment && *m.deployment != *rule.deployment)
        return skip("other_deployment", "it is of another deployment of this database's name");
    if (facts.unclear)
        return skip("deployment_unclear", "the folder holds files of several deployments and nothing says which is this one");
    if (m.sequence < rule.least_sequence)
        return skip("sequence_old", "this host knows of a newer backup (number " + std::to_string(rule.least_sequence) +
                                        "), so this may be an old one that somebody put back; restore it by name");
    if (says_empty(m.summary, rule.empty))
        return skip("empty_by_rule",
                    "it holds " + too_few(rule.empty) + (rule.empty.whole_database() ? "" : " in " + what_counts(rule.empty)));
    if (!rule.failed_sha256.empty() && m.sha256 == rule.failed_sha256)
        return skip("failed_before", "the database was still empty after it was restored");
    return std::nullopt;
}

}  // namespace

Candidates choose(const std::vector<ShelfItem>& shelf, const Rule& rule) {
    const Facts facts{format_1_exists(shelf), deployment_unclear(shelf, rule)};
    Candidates out;
    bool good_without_sentinel = false;
    for (const auto& item : shelf) {
        if (!is_backup(item)) continue;
        auto skipped = why_not(item, rule, facts);
        if (!skipped) {
            out.files.push_back(item);
            continue;
        }
        const bool holds = !item.manifest || item.manifest->summary.documents > 0;
        out.data_elsewhere = out.data_elsewhere || holds;
        good_without_sentinel = good_without_sentinel || (holds && skipped->reason == "empty_by_rule");
        out.skipped.push_back(std::move(*skipped));
    }
    out.sentinel_nowhere = out.files.empty() && good_without_sentinel;
    return out;
}

EmptyRule usual_rule(const WantedRule& wanted) { return {{kUsualSentinel}, wanted.rule.minimum}; }

EmptyRule whole_rule(const WantedRule& wanted) { return {{}, wanted.rule.minimum}; }

std::optional<EmptyRule> rule_in_force(const std::vector<ShelfItem>& shelf, const WantedRule& wanted,
                                       const std::string& database, const std::optional<std::string>& deployment) {
    if (!wanted.automatic) return wanted.rule;
    const Rule rule{database, {}, deployment, {}};
    const Facts facts{format_1_exists(shelf), deployment_unclear(shelf, rule)};
    for (const auto& item : shelf)
        if (is_backup(item) && !item.manifest && item.problem_reason.empty()) return std::nullopt;
    bool unreadable = false;
    for (const auto& item : shelf) {
        if (!is_backup(item)) continue;
        unreadable = unreadable || !item.manifest;
        if (why_not(item, rule, facts)) continue;
        return says_empty(item.manifest->summary, usual_rule(wanted)) ? whole_rule(wanted) : usual_rule(wanted);
    }
    if (unreadable) return std::nullopt;
    return whole_rule(wanted);
}

}  // namespace reprise
