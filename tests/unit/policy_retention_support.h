// Folders that exist only as facts.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "policy/retention.h"

namespace retention_facts {

using namespace reprise;

constexpr const char* kOurs = "0123456789abcdef0123456789abcdef";
constexpr std::int64_t kDayUs = std::int64_t{86400} * 1000000;
constexpr std::int64_t kHourUs = std::int64_t{3600} * 1000000;

inline std::int64_t at(const char* iso) { return *from_iso_time(iso); }

struct Folder {
    RetentionFacts facts;
    RetentionRules rules;

    Folder() {
        facts.database = "hr";
        facts.deployment = kOurs;
        facts.now_us = at("2026-11-28T02:00:00Z");
    }

    // One more verified file of ours; the sequence orders, not the date.
    Held& add(const std::string& file, std::int64_t sequence, std::int64_t date_us) {
        Held held;
        held.file = file;
        held.size_bytes = 100;
        Manifest m;
        m.name = file;
        m.id = "id" + std::to_string(sequence);
        m.database = "hr";
        m.deployment = kOurs;
        m.verified = true;
        m.sequence = sequence;
        m.backup_date_us = date_us;
        if (file.rfind("suspect_", 0) == 0) held.kind = FileKind::suspect, m.state = "suspect";
        if (file.rfind("before_restore_", 0) == 0) held.kind = FileKind::before_restore, m.kind = "before_restore";
        held.manifest = m;
        facts.files.push_back(held);
        return facts.files.back();
    }

    // One every day up to now, sequences 1 … days, named after the days before now.
    void nights(int days) {
        for (int ago = days - 1; ago >= 0; --ago) add("b" + std::to_string(ago), days - ago, facts.now_us - ago * kDayUs);
    }

    Decisions decide() const { return decide_retention(facts, rules); }

    std::set<std::string> removed() const {
        std::set<std::string> names;
        for (const Decision& one : decide().all)
            if (!one.keep) names.insert(one.file);
        return names;
    }
    std::set<std::string> kept() const {
        std::set<std::string> names;
        for (const Decision& one : decide().all)
            if (one.keep) names.insert(one.file);
        return names;
    }
    std::string why(const std::string& file) const {
        for (const Decision& one : decide().all) {
            if (one.file != file) continue;
            std::string words;
            for (const auto& [word, sentence] : one.reasons) words += (words.empty() ? "" : " ") + word;
            return words;
        }
        return "not there";
    }
    void apply() {
        const auto gone = removed();
        auto& files = facts.files;
        files.erase(std::remove_if(files.begin(), files.end(), [&](const Held& held) { return gone.count(held.file) > 0; }),
                    files.end());
    }
};

}  // namespace retention_facts
