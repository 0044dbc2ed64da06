#include "policy/retention.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "policy/retention_time.h"

namespace reprise {
namespace {

constexpr std::int64_t kDayUs = std::int64_t{24} * 3600 * 1000000;

enum class Class { whole, partial, safety, suspect, not_ours };

struct Entry {
    const Held* held = nullptr;
    Class is = Class::not_ours;
    bool bound = false;  // stays whatever the rules say
    Decision decision;

    const Manifest& manifest() const { return *held->manifest; }
    void keep(const char* word, const std::string& sentence) { decision.reasons.emplace_back(word, sentence); }
    void bind(const char* word, const std::string& sentence) {
        keep(word, sentence);
        bound = true;
    }
    void go(const char* word, const std::string& sentence) {
        decision.keep = false;
        decision.reasons = {{word, sentence}};
    }
};

// Why a file is none of retention's business, or what it is.
Class classify(Entry& entry, const RetentionFacts& facts) {
    const auto leave = [&](const char* word, const std::string& sentence) {
        entry.bind(word, sentence);
        return Class::not_ours;
    };
    if (!entry.held->manifest) return leave("unknown", "it is not known what it holds: verify it");
    const Manifest& m = entry.manifest();
    if (m.legacy) return leave("legacy", "the replaced system wrote it, not reprise");
    if (m.database != facts.database) return leave("other_database", "it is of database " + printable(m.database));
    if (m.deployment && m.deployment != facts.deployment)
        return leave("other_deployment", "it is of another deployment of this database's name");
    if (!m.verified) return leave("unverified", "it was not read back whole");
    if (m.untrusted && entry.held->kind != FileKind::before_restore)
        return leave("unsigned", "nobody signed it whom this host trusts, so it does not count");
    if (!m.edited_from.empty()) return leave("edited", "somebody edited it on purpose");
    if (entry.held->kind == FileKind::suspect || m.state != "good") return Class::suspect;
    if (entry.held->kind == FileKind::before_restore) return Class::safety;
    return m.scope == "partial" ? Class::partial : Class::whole;
}

std::string group_of(const Entry& entry) {
    std::string names;
    if (entry.is == Class::partial)
        for (const auto& [name, collection] : entry.manifest().summary.collections) names += name + '\n';
    return names;
}

bool inside_keep_time(const Entry& entry, const RetentionFacts& facts) {
    return entry.manifest().keep_until_us && *entry.manifest().keep_until_us > facts.now_us;
}

class Deciding {
public:
    Deciding(const RetentionFacts& facts, const RetentionRules& rules) : facts_(facts), rules_(rules), calendar_(facts) {}
    Decisions run();

private:
    std::vector<Entry*> of(Class wanted) {
        std::vector<Entry*> found;
        for (Entry& entry : entries_)
            if (entry.is == wanted) found.push_back(&entry);
        return found;
    }
    void gather();
    void bind_by_word();
    void freeze();
    void apply_rules(const std::vector<Entry*>& group);
    void keep_newest_of(const std::vector<Entry*>& group, const char* word, std::int64_t count,
                        const std::function<std::string(const Entry&)>& bucket);
    void keep_within(const std::vector<Entry*>& group);
    void trim_safety();
    void trim_suspects();
    void apply_cap();
    Decisions told();

    const RetentionFacts& facts_;
    const RetentionRules& rules_;
    const Calendar calendar_;
    std::vector<Entry> entries_;
    const Manifest* newest_ = nullptr;  // the newest good backup
    Decisions out_;
};

void Deciding::gather() {
    for (const Held& held : facts_.files) {
        Entry entry;
        entry.held = &held;
        entry.decision.file = held.file;
        entry.decision.size_bytes = held.size_bytes;
        entry.is = classify(entry, facts_);
        entries_.push_back(std::move(entry));
    }
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        if ((a.is == Class::not_ours) != (b.is == Class::not_ours)) return b.is == Class::not_ours;
        if (a.is == Class::not_ours) return a.held->file > b.held->file;
        if (older(b.manifest(), a.manifest())) return true;
        return !older(a.manifest(), b.manifest()) && a.held->file > b.held->file;
    });
    for (Entry* entry : of(Class::whole)) {
        if (!is_good(entry->manifest())) continue;
        newest_ = &entry->manifest();
        entry->bind("newest", "the newest good backup");
        break;
    }
}

// What people and the rest of the system rely on.
void Deciding::bind_by_word() {
    for (Entry& entry : entries_) {
        if (entry.is == Class::not_ours) continue;
        const std::string& file = entry.held->file;
        if (std::count(facts_.pointed.begin(), facts_.pointed.end(), file) > 0) entry.bind("latest", "latest points to it");
        if (std::count(facts_.needed.begin(), facts_.needed.end(), file) > 0)
            entry.bind("restoring", "an unfinished restore needs it: the next operation finishes that");
        if (entry.manifest().pinned) entry.bind("pinned", "pinned");
        if (inside_keep_time(entry, facts_))
            entry.bind("keep_until", "to be kept until " + iso_time(*entry.manifest().keep_until_us));
        for (const Lost& lost : facts_.lost)
            if (lost.holder == file)
                entry.bind("holds_lost", "the newest that holds documents in collection " + printable(lost.collection) +
                                             ", which " + (lost.missing ? "is missing" : "became empty") + " (until: accept)");
    }
}

// While nobody has said that what the guard did not believe is right, everything good stays.
void Deciding::freeze() {
    const auto suspects = of(Class::suspect);
    const bool suspect_newer = newest_ != nullptr && !suspects.empty() && older(*newest_, suspects.front()->manifest());
    out_.frozen = newest_ == nullptr || suspect_newer;
    if (!out_.frozen) return;
    for (Entry& entry : entries_)
        if (entry.is == Class::whole || entry.is == Class::partial || entry.is == Class::safety)
            entry.bind("suspect_newer", newest_ == nullptr
                                            ? "no backup in the folder is good"
                                            : "the newest backup is suspect: nothing good goes until it is accepted "
                                              "or a good one follows");
}

// Copies of one backup share its place and its fate. While there are counts left the oldest stays as well, as in restic: the
// history reaches as far back as it can.
void Deciding::keep_newest_of(const std::vector<Entry*>& group, const char* word, std::int64_t count,
                              const std::function<std::string(const Entry&)>& bucket) {
    if (count == 0 || group.empty()) return;
    std::map<std::string, std::string> chosen;  // bucket → id of its newest
    const std::string words = std::string(word) + " " + (count == RetentionRules::kAll ? "-1" : std::to_string(count));
    for (Entry* entry : group) {
        const std::string where = bucket(*entry);
        const auto known = chosen.find(where);
        if (known != chosen.end() && known->second != entry->manifest().id) continue;
        if (known == chosen.end()) {
            if (count != RetentionRules::kAll && static_cast<std::int64_t>(chosen.size()) >= count) continue;
            chosen.emplace(where, entry->manifest().id);
        }
        entry->keep(word, words);
    }
    if (count != RetentionRules::kAll && static_cast<std::int64_t>(chosen.size()) >= count) return;
    const std::string& oldest = group.back()->manifest().id;
    for (Entry* entry : group)
        if (entry->manifest().id == oldest && chosen[bucket(*entry)] != oldest) entry->keep(word, words + ", the oldest");
}

void Deciding::keep_within(const std::vector<Entry*>& group) {
    const auto span = parse_span(rules_.keep_within);
    if (!span || group.empty()) return;
    // A newest file from the future would push all others out of the span: then the clock's word counts.
    const std::int64_t from = std::min(facts_.now_us, group.front()->manifest().backup_date_us);
    const std::int64_t since = calendar_.before(from, *span);
    for (Entry* entry : group)
        if (entry->manifest().backup_date_us >= since) entry->keep("keep_within", "keep_within " + rules_.keep_within);
}

void Deciding::apply_rules(const std::vector<Entry*>& group) {
    const auto date = [](const Entry& entry) { return entry.manifest().backup_date_us; };
    keep_newest_of(group, "keep_last", rules_.keep_last, [](const Entry& e) { return e.manifest().id; });
    keep_newest_of(group, "keep_hourly", rules_.keep_hourly, [&](const Entry& e) { return calendar_.hour(date(e)); });
    keep_newest_of(group, "keep_daily", rules_.keep_daily, [&](const Entry& e) { return calendar_.day(date(e)); });
    keep_newest_of(group, "keep_weekly", rules_.keep_weekly, [&](const Entry& e) { return calendar_.week(date(e)); });
    keep_newest_of(group, "keep_monthly", rules_.keep_monthly, [&](const Entry& e) { return calendar_.month(date(e)); });
    keep_newest_of(group, "keep_yearly", rules_.keep_yearly, [&](const Entry& e) { return calendar_.year(date(e)); });
    keep_within(group);
    for (Entry* entry : group)
        if (entry->decision.reasons.empty()) entry->go("by_rule", "no rule keeps it");
}

void Deciding::trim_safety() {
    std::size_t rank = 0;
    for (Entry* entry : of(Class::safety)) {
        if (rank++ < kSafetyKept) entry->keep("safety_newest", "one of the newest 3 safety backups");
        if (facts_.now_us - entry->manifest().backup_date_us < kSafetyDays * kDayUs)
            entry->keep("safety_young", "a safety backup younger than 30 days");
        if (entry->decision.reasons.empty())
            entry->go("safety_old", "a safety backup older than 30 days, and 3 newer ones are there");
    }
}

// The newest one, and of the others those that hold most: what an accident left of the data is worth more than what came
// after it.
void Deciding::trim_suspects() {
    std::vector<Entry*> suspects;
    for (Entry* entry : of(Class::suspect))
        if (entry->held->kind == FileKind::suspect)
            suspects.push_back(entry);
        else
            entry->bind("suspect_kept", "it was good when it was made, and suspect when judged again: accept or remove it");
    if (suspects.size() <= kSuspectsKept) {
        for (Entry* entry : suspects) entry->keep("suspect_kept", "suspect: accept it, or remove it");
        return;
    }
    std::stable_sort(suspects.begin() + 1, suspects.end(), [](const Entry* a, const Entry* b) {
        return a->manifest().summary.documents > b->manifest().summary.documents;
    });
    for (std::size_t i = 0; i < suspects.size(); ++i) {
        if (i < kSuspectsKept)
            suspects[i]->keep("suspect_kept", "suspect: the newest one, or one of the two others that hold most");
        else if (!suspects[i]->bound)
            suspects[i]->go("suspect_surplus", "3 suspect backups that are newer or hold more are kept");
    }
}

void Deciding::apply_cap() {
    if (rules_.max_total_bytes <= 0) return;
    std::int64_t total = 0;
    for (const Entry& entry : entries_)
        if (entry.is != Class::not_ours && entry.decision.keep) total += entry.decision.size_bytes;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && total > rules_.max_total_bytes; ++entry) {
        if (!entry->decision.keep || entry->bound || (entry->is != Class::whole && entry->is != Class::partial)) continue;
        entry->go("size_cap", "together the files are over max_total_bytes, and it is the oldest that may go");
        total -= entry->decision.size_bytes;
    }
    if (total > rules_.max_total_bytes)
        out_.warnings.push_back("the backups that have to stay take " + std::to_string(total) +
                                " bytes, more than max_total_bytes (" + std::to_string(rules_.max_total_bytes) + ")");
}

Decisions Deciding::told() {
    for (Entry& entry : entries_) {
        if (entry.decision.keep) out_.kept_bytes += entry.decision.size_bytes;
        out_.all.push_back(std::move(entry.decision));
    }
    return std::move(out_);
}

Decisions Deciding::run() {
    gather();
    bind_by_word();
    freeze();
    std::map<std::string, std::vector<Entry*>> groups;
    for (Entry& entry : entries_) {
        if (entry.is != Class::whole && entry.is != Class::partial) continue;
        const auto [group, first] = groups.try_emplace(group_of(entry));
        if (first && entry.is == Class::partial) entry.bind("partial_newest", "the newest backup of these collections");
        // What was made before risky work comes on top of the others while its time runs.
        if (!inside_keep_time(entry, facts_)) group->second.push_back(&entry);
    }
    for (const auto& [names, group] : groups) apply_rules(group);
    trim_safety();
    trim_suspects();
    if (!out_.frozen) apply_cap();
    return told();
}

}  // namespace

bool RetentionRules::keep_nothing() const {
    const auto nothing = [](std::int64_t n) { return n == 0; };
    return nothing(keep_last) && nothing(keep_hourly) && nothing(keep_daily) && nothing(keep_weekly) && nothing(keep_monthly) &&
           nothing(keep_yearly) && keep_within.empty();
}

Decisions decide_retention(const RetentionFacts& facts, const RetentionRules& rules) { return Deciding(facts, rules).run(); }

}  // namespace reprise
