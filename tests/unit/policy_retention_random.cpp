// Random histories of a folder: whatever happens, some things hold.
#include <random>

#include "policy_retention_support.h"

using namespace retention_facts;

namespace {

class History {
public:
    explicit History(unsigned seed) : random_(seed) {
        folder_.rules.keep_last = number(0, 4);
        folder_.rules.keep_hourly = number(0, 2);
        folder_.rules.keep_daily = number(0, 3);
        folder_.rules.keep_weekly = number(0, 2);
        folder_.rules.keep_monthly = number(0, 2);
        folder_.rules.keep_yearly = number(0, 1);
        if (chance(3)) folder_.rules.keep_within = std::to_string(number(0, 40)) + "d" + std::to_string(number(0, 30)) + "h";
        if (chance(4)) folder_.rules.max_total_bytes = number(1, 3000);
        if (chance(2)) folder_.facts.offset_s = [](std::int64_t us) { return us / kDayUs % 2 == 0 ? 7200 : -5 * 3600; };
        clock_us_ = folder_.facts.now_us;
    }

    void live(int steps) {
        for (int step = 0; step < steps; ++step) {
            something_happens();
            const auto before = folder_;
            folder_.apply();
            check(before);
        }
    }

private:
    std::int64_t number(std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution<std::int64_t>(from, to)(random_);
    }
    bool chance(int of) { return number(1, of) == 1; }
    Manifest* any() {
        if (folder_.facts.files.empty()) return nullptr;
        auto& held =
            folder_.facts.files[static_cast<std::size_t>(number(0, static_cast<std::int64_t>(folder_.facts.files.size()) - 1))];
        return held.manifest ? &*held.manifest : nullptr;
    }

    void something_happens() {
        clock_us_ += chance(20) ? number(-400, 4000) * kDayUs : number(0, 30) * kHourUs;
        folder_.facts.now_us = clock_us_;
        const std::int64_t what = number(0, 9);
        const std::string tail = std::to_string(++sequence_);
        Held& held = folder_.add((what == 0 ? "suspect_" : what == 1 ? "before_restore_" : "b") + tail, sequence_, clock_us_);
        held.size_bytes = number(0, 400);
        held.manifest->summary.documents = number(0, 100);
        if (what == 2) held.manifest->scope = "partial";
        if (what == 3) held.manifest->legacy = true;
        if (what == 4) held.manifest->database = "shop";
        if (what == 5 && chance(2)) held.manifest.reset();
        if (what == 6) held.manifest->keep_until_us = clock_us_ + number(-5, 60) * kDayUs;
        if (Manifest* one = any(); one != nullptr && chance(6)) one->pinned = !one->pinned;
        folder_.facts.lost.clear();
        if (Manifest* one = any(); one != nullptr && chance(5)) folder_.facts.lost = {{"logs", true, one->name, 5}};
        if (Manifest* one = any(); one != nullptr && chance(3)) folder_.facts.pointed = {one->name};
    }

    static const Held* newest_good(const Folder& folder) {
        const Held* newest = nullptr;
        for (const Held& held : folder.facts.files) {
            if (!held.manifest || held.kind != FileKind::backup || !is_good(*held.manifest)) continue;
            if (!is_own(*held.manifest, "hr", folder.facts.deployment)) continue;
            if (newest == nullptr || newest->manifest->sequence < held.manifest->sequence) newest = &held;
        }
        return newest;
    }

    void check(const Folder& before) {
        std::set<std::string> left;
        for (const Held& held : folder_.facts.files) left.insert(held.file);
        const Held* newest = newest_good(before);
        bool all_stay = true;
        std::size_t safety = 0, suspects = 0;
        for (const Held& held : before.facts.files) {
            const bool stays = left.count(held.file) > 0;
            const bool must = !held.manifest || held.manifest->pinned || held.manifest->legacy ||
                              held.manifest->database != "hr" || &held == newest ||
                              (held.manifest->keep_until_us && *held.manifest->keep_until_us > before.facts.now_us) ||
                              std::count(before.facts.pointed.begin(), before.facts.pointed.end(), held.file) > 0;
            if (must && !stays) all_stay = false;
            // What goes is older than what makes it superfluous.
            if (!stays && held.kind == FileKind::backup &&
                (newest == nullptr || held.manifest->sequence >= newest->manifest->sequence))
                all_stay = all_stay && held.manifest->scope == "partial";
            if (stays && held.kind == FileKind::before_restore) ++safety;
            if (held.kind == FileKind::suspect && stays) ++suspects;
        }
        CHECK(all_stay);
        std::size_t safety_before = 0;
        for (const Held& held : before.facts.files)
            if (held.kind == FileKind::before_restore) ++safety_before;
        CHECK(safety >= std::min(safety_before, kSafetyKept));
        CHECK(folder_.removed().empty());  // deciding again removes nothing
    }

    std::mt19937 random_;
    Folder folder_;
    std::int64_t clock_us_ = 0;
    std::int64_t sequence_ = 0;
};

}  // namespace

TEST_CASE("S3: in random histories the newest good one and pinned ones survive, and deciding again removes nothing") {
    for (unsigned seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        History(seed).live(60);
    }
}

TEST_CASE("10 000 files are decided at once") {
    Folder folder;
    folder.nights(10000);
    folder.rules.keep_daily = 30;
    folder.rules.keep_monthly = 12;
    CHECK(folder.kept().size() == 40);
    CHECK(folder.removed().size() == 9960);
    folder.apply();
    CHECK(folder.removed().empty());
}
