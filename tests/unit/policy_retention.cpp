#include "policy_retention_support.h"

using namespace retention_facts;

TEST_CASE("the last 7 stay by default, as in the replaced system") {
    Folder folder;
    folder.nights(10);
    CHECK(folder.removed() == std::set<std::string>{"b7", "b8", "b9"});
    CHECK(folder.why("b0") == "newest keep_last");
    CHECK(folder.why("b6") == "keep_last");
    CHECK(folder.why("b7") == "by_rule");
    folder.rules.keep_last = RetentionRules::kAll;
    CHECK(folder.removed().empty());
}

TEST_CASE("daily, weekly, monthly and yearly keep the newest of each, as restic does") {
    Folder folder;
    folder.nights(800);
    folder.rules.keep_last = 0;
    folder.rules.keep_daily = 3;
    folder.rules.keep_weekly = 2;
    folder.rules.keep_monthly = 3;
    folder.rules.keep_yearly = 3;
    // Saturday 2026-11-28; Sunday 2026-11-22; the ends of October and September; of 2025 and 2024.
    CHECK(folder.kept() == std::set<std::string>{"b0", "b1", "b2", "b6", "b28", "b59", "b332", "b697"});
    CHECK(folder.why("b0") == "newest keep_daily keep_weekly keep_monthly keep_yearly");
    CHECK(folder.why("b6") == "keep_weekly");
    CHECK(folder.why("b332") == "keep_yearly");
}

TEST_CASE("while a rule has counts left the oldest stays, as restic does") {
    Folder folder;
    folder.nights(20);
    folder.rules.keep_last = 2;
    folder.rules.keep_yearly = 5;
    CHECK(folder.kept() == std::set<std::string>{"b0", "b1", "b19"});
    CHECK(folder.why("b19") == "keep_yearly");
    folder.rules.keep_yearly = 1;
    CHECK(folder.kept() == std::set<std::string>{"b0", "b1"});
}

TEST_CASE("hourly keeps the newest of each hour, within a span everything") {
    Folder folder;
    for (int minutes = 0; minutes < 300; minutes += 20)
        folder.add("m" + std::to_string(minutes), 1000 - minutes,
                   at("2026-11-28T01:50:00Z") - minutes * std::int64_t{60000000});
    folder.rules.keep_last = 0;
    folder.rules.keep_hourly = 3;
    CHECK(folder.kept() == std::set<std::string>{"m0", "m60", "m120"});
    folder.rules.keep_hourly = 0;
    folder.rules.keep_within = "1h";
    CHECK(folder.kept() == std::set<std::string>{"m0", "m20", "m40", "m60"});
}

TEST_CASE("within counts the calendar's years, months and days, as restic does") {
    Folder folder;
    folder.rules.keep_last = 0;
    folder.facts.now_us = at("2026-03-31T12:00:00Z");
    folder.add("newest", 9, at("2026-03-31T12:00:00Z"));
    folder.add("march_3", 8, at("2026-03-03T12:00:00Z"));
    folder.add("march_2", 7, at("2026-03-02T12:00:00Z"));
    folder.rules.keep_within = "1m";  // February 31st is March 3rd
    CHECK(folder.kept() == std::set<std::string>{"newest", "march_3"});
    folder.rules.keep_within = "29d";
    CHECK(folder.removed().empty());
    folder.rules.keep_within = "9999y";
    CHECK(folder.removed().empty());
}

TEST_CASE("a span is told from what is none") {
    for (const char* good : {"7d", "2y5m7d3h", "1h", "0d", "3h2y"}) CHECK(parse_span(good));
    for (const char* bad : {"", "7", "d", "7w", "7d7d", "-7d", "7 d", "99999d", "7D", "7d "}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_span(bad));
    }
}

TEST_CASE("S3: what people pinned, latest, the newest good one and files inside their keep time stay under every rule") {
    Folder folder;
    folder.nights(10);
    folder.rules.keep_last = 1;
    folder.facts.files[0].manifest->pinned = true;                            // b9
    folder.facts.files[1].manifest->keep_until_us = folder.facts.now_us + 1;  // b8
    folder.facts.files[2].manifest->keep_until_us = folder.facts.now_us;      // b7: over
    folder.facts.pointed = {"b5"};
    folder.facts.lost = {{"logs", true, "b4", 7}};
    CHECK(folder.kept() == std::set<std::string>{"b0", "b9", "b8", "b5", "b4"});
    CHECK(folder.why("b9") == "pinned");
    CHECK(folder.why("b8") == "keep_until");
    CHECK(folder.why("b5") == "latest");
    CHECK(folder.why("b4") == "holds_lost");
    folder.rules.keep_last = 0;
    folder.rules.max_total_bytes = 1;
    CHECK(folder.kept() == std::set<std::string>{"b0", "b9", "b8", "b5", "b4"});
    CHECK(folder.decide().warnings.size() == 1);
}

TEST_CASE("hazard 21: files of other databases and deployments are never touched, nor counted") {
    Folder folder;
    folder.nights(3);
    folder.rules.keep_last = 1;
    folder.add("other", 100, folder.facts.now_us).manifest->database = "shop";
    folder.add("staging", 101, folder.facts.now_us).manifest->deployment = std::string(32, 'f');
    folder.add("from_before_the_id", 2, folder.facts.now_us - kDayUs).manifest->deployment.reset();
    CHECK(folder.kept() == std::set<std::string>{"b0", "other", "staging"});
    CHECK(folder.why("other") == "other_database");
    CHECK(folder.why("staging") == "other_deployment");
    folder.facts.deployment.reset();  // nobody knows which one is ours: those that name one are left alone
    CHECK(folder.removed().empty());
}

TEST_CASE("S3: unknown, unverified, edited files and files of the replaced system are never touched, nor counted") {
    Folder folder;
    folder.nights(3);
    folder.rules.keep_last = 2;
    folder.add("unknown", 50, folder.facts.now_us).manifest.reset();
    folder.add("unverified", 51, folder.facts.now_us).manifest->verified = false;
    folder.add("edited", 52, folder.facts.now_us).manifest->edited_from = "id1";
    folder.add("old", 53, folder.facts.now_us).manifest->legacy = true;
    CHECK(folder.removed() == std::set<std::string>{"b2"});
    for (const char* word : {"unknown", "unverified", "edited"}) CHECK(folder.why(word) == word);
    CHECK(folder.why("old") == "legacy");
}

TEST_CASE("S3: without a good backup nothing goes") {
    Folder folder;
    folder.nights(5);
    folder.rules.keep_last = 1;
    for (Held& held : folder.facts.files) held.manifest->state = "suspect";
    for (Held& held : folder.facts.files) held.manifest->scope = "partial";
    CHECK(folder.decide().frozen);
    for (Held& held : folder.facts.files) held.manifest->state = "good";
    CHECK(folder.decide().frozen);
    CHECK(folder.removed().empty());
}

TEST_CASE("S7, hazard 1: while the newest backup is suspect no good one goes, however many nights pass") {
    Folder folder;
    folder.nights(7);
    for (int night = 1; night <= 30; ++night) {
        folder.add("suspect_" + std::to_string(100 + night), 7 + night, folder.facts.now_us + night * kDayUs);
        folder.facts.now_us += kDayUs;
        folder.apply();
    }
    CHECK(folder.decide().frozen);
    for (int ago = 0; ago < 7; ++ago) CHECK(folder.kept().count("b" + std::to_string(ago)) == 1);
    CHECK(folder.kept().count("suspect_130") == 1);
    CHECK(folder.facts.files.size() == 7 + kSuspectsKept);
    folder.add("good_again", 100, folder.facts.now_us);
    CHECK_FALSE(folder.decide().frozen);
    CHECK(folder.removed() == std::set<std::string>{"b6"});
}

TEST_CASE("S7, S3: what was made as a good backup and is suspect only now stays, however many suspects there are") {
    Folder folder;
    folder.nights(9);
    folder.rules.keep_last = 100;
    for (std::size_t i = 0; i < 6; ++i) folder.facts.files[i].manifest->state = "suspect";
    folder.facts.files[8].manifest->state = "good";
    CHECK(folder.removed().empty());
    CHECK(folder.why("b8") == "suspect_kept");
    for (int i = 1; i <= 4; ++i) folder.add("suspect_" + std::to_string(i), i, folder.facts.now_us);
    CHECK(folder.removed() == std::set<std::string>{"suspect_1"});
}

TEST_CASE("S7: of many suspects the newest stays, and the two others that hold most") {
    Folder folder;
    folder.nights(1);
    const std::vector<int> documents = {40, 3, 90, 0, 0, 0};
    for (std::size_t i = 0; i < documents.size(); ++i)
        folder.add("suspect_" + std::to_string(i), 10 + static_cast<std::int64_t>(i), folder.facts.now_us)
            .manifest->summary.documents = documents[i];
    CHECK(folder.kept() == std::set<std::string>{"b0", "suspect_5", "suspect_0", "suspect_2"});
    CHECK(folder.why("suspect_1") == "suspect_surplus");
    folder.facts.files[2].manifest->pinned = true;
    CHECK(folder.kept().count("suspect_1") == 1);
}

TEST_CASE("S3: the newest 3 safety backups stay, and all that are younger than 30 days") {
    Folder folder;
    folder.nights(1);
    folder.rules.keep_last = 1;
    for (int i = 0; i < 6; ++i)
        folder.add("before_restore_" + std::to_string(i), 10 + i, folder.facts.now_us - (6 - i) * 20 * kDayUs);
    CHECK(folder.removed() == std::set<std::string>{"before_restore_0", "before_restore_1", "before_restore_2"});
    CHECK(folder.why("before_restore_2") == "safety_old");
    for (Held& held : folder.facts.files)
        if (held.kind == FileKind::before_restore) held.manifest->backup_date_us = folder.facts.now_us - 29 * kDayUs;
    CHECK(folder.removed().empty());
}

TEST_CASE("hazard 15: a clock that went backwards, and files from the future, cost no backup its place") {
    Folder folder;
    folder.nights(7);
    folder.add("after_the_jump", 8, at("1970-01-01T00:10:00Z"));
    folder.facts.now_us = at("1970-01-01T00:20:00Z");
    CHECK(folder.removed() == std::set<std::string>{"b6"});  // by sequence: the oldest of 8
    CHECK(folder.why("after_the_jump") == "newest keep_last");
    folder.rules.keep_last = 0;
    folder.rules.keep_within = "7d";
    CHECK(folder.removed().empty());  // all are newer than 7 days before 1970-01-01T00:20
    folder.facts.files.back().manifest->backup_date_us = at("2099-01-01T00:00:00Z");
    folder.facts.now_us = at("2026-11-28T02:10:00Z");
    CHECK(folder.removed().empty());  // the file from the future does not push the others out of the span
    folder.rules.keep_within.clear();
    folder.rules.keep_daily = 7;
    CHECK(folder.removed() == std::set<std::string>{"b6"});
    folder.facts.files.back().manifest->backup_date_us = at("9999-12-31T23:59:59Z");
    CHECK(folder.removed() == std::set<std::string>{"b6"});
    folder.facts.files.back().manifest->backup_date_us = INT64_MIN;
    CHECK(folder.removed() == std::set<std::string>{"b6"});
}

TEST_CASE("two backups of one second are two, and copies of one are one") {
    Folder folder;
    folder.rules.keep_last = 2;
    folder.add("first", 1, folder.facts.now_us);
    folder.add("second", 2, folder.facts.now_us);
    folder.add("third", 3, folder.facts.now_us);
    CHECK(folder.removed() == std::set<std::string>{"first"});
    folder.add("a copy of the third", 3, folder.facts.now_us);
    CHECK(folder.removed() == std::set<std::string>{"first"});
}

TEST_CASE("days are those of the time zone, and the hour that a change of the clock repeats is two hours") {
    Folder folder;
    folder.facts.offset_s = [](std::int64_t us) { return us < at("2026-10-25T01:00:00Z") ? 7200 : 3600; };  // Paris
    folder.facts.now_us = at("2026-10-25T03:00:00Z");
    folder.add("saturday_evening", 1, at("2026-10-24T21:59:00Z"));  // 23:59 there
    folder.add("first_two", 2, at("2026-10-25T00:30:00Z"));         // 02:30, summer
    folder.add("second_two", 3, at("2026-10-25T01:30:00Z"));        // 02:30, winter
    folder.rules.keep_last = 0;
    folder.rules.keep_hourly = 2;
    CHECK(folder.kept() == std::set<std::string>{"second_two", "first_two"});
    folder.rules.keep_hourly = 0;
    folder.rules.keep_daily = 2;
    CHECK(folder.kept() == std::set<std::string>{"second_two", "saturday_evening"});
    folder.facts.offset_s = nullptr;  // UTC: Saturday 21:59 and Sunday all the same
    CHECK(folder.kept() == std::set<std::string>{"second_two", "saturday_evening"});
    folder.add("long_ago", 0, at("2026-10-20T12:00:00Z"));
    folder.facts.offset_s = [](std::int64_t) { return 4 * 3600; };  // there the three lie on Sunday
    CHECK(folder.kept() == std::set<std::string>{"second_two", "long_ago"});
}

TEST_CASE("a span over a change of the clock never loses an hour") {
    Folder folder;
    folder.facts.offset_s = [](std::int64_t us) { return us < at("2026-03-29T01:00:00Z") ? 3600 : 7200; };
    folder.facts.now_us = at("2026-03-29T01:30:00Z");
    folder.add("an_hour_ago", 1, at("2026-03-29T00:30:00Z"));
    folder.add("newest", 2, at("2026-03-29T01:30:00Z"));
    folder.rules.keep_last = 0;
    folder.rules.keep_within = "1h";
    CHECK(folder.removed().empty());
}

TEST_CASE("the cap takes the oldest that only rules keep") {
    Folder folder;
    folder.nights(7);
    folder.facts.files[0].manifest->pinned = true;  // b6
    folder.rules.max_total_bytes = 400;
    CHECK(folder.removed() == std::set<std::string>{"b5", "b4", "b3"});
    CHECK(folder.why("b3") == "size_cap");
    CHECK(folder.decide().kept_bytes == 400);
    CHECK(folder.decide().warnings.empty());
    folder.add("suspect_1", 50, folder.facts.now_us);
    CHECK(folder.removed().empty());  // frozen
}

TEST_CASE("hazard 22: partial backups are rotated among their like, and push no whole one out") {
    Folder folder;
    folder.nights(2);
    folder.rules.keep_last = 2;
    for (int i = 0; i < 5; ++i) {
        Held& held = folder.add("part" + std::to_string(i), 10 + i, folder.facts.now_us);
        held.manifest->scope = "partial";
        held.manifest->summary.collections.emplace_back(i < 4 ? "users" : "logs", CollectionSummary());
    }
    CHECK(folder.removed() == std::set<std::string>{"part0", "part1"});
    CHECK(folder.why("part4") == "partial_newest keep_last");
}

TEST_CASE("what was made before risky work comes on top of the others while its time runs, and is one of them afterwards") {
    Folder folder;
    folder.nights(7);
    for (int i = 0; i < 5; ++i) {
        Held& held = folder.add("import" + std::to_string(i), 100 + i, folder.facts.now_us);
        held.manifest->keep_until_us = folder.facts.now_us + 30 * kDayUs;
    }
    CHECK(folder.removed().empty());
    folder.facts.now_us += 31 * kDayUs;
    CHECK(folder.removed() == std::set<std::string>{"b2", "b3", "b4", "b5", "b6"});
}

TEST_CASE("hazard 26: what nobody signed whom the host trusts neither counts nor pushes out what is signed") {
    Folder folder;
    folder.nights(5);
    for (int forged = 0; forged < 9; ++forged)
        folder.add("forged" + std::to_string(forged), 2000 + forged, folder.facts.now_us).manifest->untrusted = true;
    CHECK(folder.removed().empty());
    CHECK(folder.why("b0") == "newest keep_last");
    CHECK(folder.why("forged8") == "unsigned");
}
