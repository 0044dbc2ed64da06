#include <doctest/doctest.h>

#include <set>

#include "policy/schedule.h"
#include "policy_zone_support.h"

using namespace reprise;

namespace {

Schedule by_cron(const char* text) {
    std::string problem;
    Schedule schedule;
    const auto cron = parse_cron(text, problem);
    REQUIRE_MESSAGE(cron, problem);
    schedule.cron = *cron;
    return schedule;
}

Schedule every(std::int64_t seconds) {
    Schedule schedule;
    schedule.every_s = seconds;
    return schedule;
}

struct Row {
    const char *zone, *cron, *after;  // after: UTC
    std::vector<std::string> due;     // on the wall there
};

void check(const Row& row) {
    CAPTURE(row.zone);
    CAPTURE(row.cron);
    const TimeZone zone = zone_named(row.zone);
    const Schedule schedule = by_cron(row.cron);
    std::int64_t at = seconds_of(row.after);
    for (const auto& due : row.due) {
        const auto next = next_due(schedule, zone, at);
        REQUIRE(next);
        CHECK(on_the_wall(zone, *next) == due);
        at = *next;
    }
}

}  // namespace

TEST_CASE("a time of day that the clock skips is due at the change, once") {
    check({"Europe/Paris",
           "30 2 * * *",
           "2026-03-27 12:00",
           {"2026-03-28 02:30:00 +1:00", "2026-03-29 03:00:00 +2:00", "2026-03-30 02:30:00 +2:00"}});
    check({"Europe/Paris", "0,30 2 * * *", "2026-03-29 00:00", {"2026-03-29 03:00:00 +2:00", "2026-03-30 02:00:00 +2:00"}});
    check({"America/New_York", "15 2 * * *", "2026-03-07 12:00", {"2026-03-08 03:00:00 -4:00", "2026-03-09 02:15:00 -4:00"}});
    check({"Australia/Lord_Howe",
           "10 2 * * *",
           "2026-10-02 20:00",
           {"2026-10-04 02:30:00 +11:00", "2026-10-05 02:10:00 +11:00"}});
    // Midnight itself is skipped.
    check({"Africa/Cairo", "0 0 * * *", "2026-04-23 12:00", {"2026-04-24 01:00:00 +3:00", "2026-04-25 00:00:00 +3:00"}});
}

TEST_CASE("a time of day that the clock repeats is due once, the first time") {
    check({"Europe/Paris", "30 2 * * *", "2026-10-24 12:00", {"2026-10-25 02:30:00 +2:00", "2026-10-26 02:30:00 +1:00"}});
    check({"Europe/Paris", "0 3 * * *", "2026-10-24 12:00", {"2026-10-25 03:00:00 +1:00", "2026-10-26 03:00:00 +1:00"}});
    check({"America/New_York", "30 1 * * *", "2026-10-31 12:00", {"2026-11-01 01:30:00 -4:00", "2026-11-02 01:30:00 -5:00"}});
    check({"Australia/Lord_Howe",
           "45 1 * * *",
           "2026-04-04 00:00",
           {"2026-04-05 01:45:00 +11:00", "2026-04-06 01:45:00 +10:30"}});
}

TEST_CASE("every so often goes by the clock: skipped times do not come, repeated ones come twice") {
    check({"Europe/Paris",
           "*/30 * * * *",
           "2026-03-29 00:20",
           {"2026-03-29 01:30:00 +1:00", "2026-03-29 03:00:00 +2:00", "2026-03-29 03:30:00 +2:00"}});
    check({"Europe/Paris",
           "30 * * * *",
           "2026-10-25 00:00",
           {"2026-10-25 02:30:00 +2:00", "2026-10-25 02:30:00 +1:00", "2026-10-25 03:30:00 +1:00"}});
    check({"Australia/Lord_Howe",
           "*/15 * * * *",
           "2026-10-03 15:10",
           {"2026-10-04 01:45:00 +10:30", "2026-10-04 02:30:00 +11:00"}});
}

TEST_CASE("a zone that is three quarters of an hour off has its own minutes") {
    check({"Asia/Kathmandu", "0 2 * * *", "2026-06-01 00:00", {"2026-06-02 02:00:00 +5:45", "2026-06-03 02:00:00 +5:45"}});
    check({"Asia/Kathmandu", "@hourly", "2026-06-01 00:00", {"2026-06-01 06:00:00 +5:45"}});
}

TEST_CASE("every n seconds means whole multiples since 1970") {
    CHECK(next_due(every(6 * 3600), TimeZone(), seconds_of("2026-11-28 05:59:59")) == seconds_of("2026-11-28 06:00"));
    CHECK(next_due(every(6 * 3600), TimeZone(), seconds_of("2026-11-28 06:00")) == seconds_of("2026-11-28 12:00"));
    CHECK(next_due(every(2), TimeZone(), 3) == 4);
    CHECK(next_due(every(2), TimeZone(), -3) == -2);
    CHECK(parse_every("90s") == 90);
    CHECK(parse_every("30m") == 1800);
    CHECK(parse_every("6h") == 21600);
    CHECK(parse_every("1d") == 86400);
    CHECK(parse_every("2w") == 14 * 86400);
    for (const char* text : {"", "h", "6", "0s", "-1h", "1.5h", "6 h", "6H", "1y", "367d", "99999999w", "999999999999s"})
        CHECK_FALSE_MESSAGE(parse_every(text), text);
}

TEST_CASE("a run is due when its time has come, and not a second before") {
    const Schedule daily = by_cron("0 2 * * *");
    TickFacts facts;
    facts.handled_s = seconds_of("2026-11-27 02:00");
    facts.now_s = seconds_of("2026-11-28 01:59:59");
    auto plan = plan_tick(daily, TimeZone(), facts);
    REQUIRE(plan);
    CHECK_FALSE(plan->run);
    CHECK(plan->at_s == seconds_of("2026-11-28 02:00"));
    facts.now_s += 1;
    plan = plan_tick(daily, TimeZone(), facts);
    CHECK(plan->run);
    CHECK(plan->due_s == facts.now_s);
    facts.handled_s = facts.now_s;
    CHECK_FALSE(plan_tick(daily, TimeZone(), facts)->run);
}

TEST_CASE("what was missed is made up for once, or passed over when catch_up is off") {
    Schedule daily = by_cron("0 2 * * *");
    TickFacts facts;
    facts.handled_s = seconds_of("2026-11-01 02:00");
    facts.now_s = seconds_of("2026-11-28 12:00");
    CHECK(plan_tick(daily, TimeZone(), facts)->run);
    TickFacts after = facts;
    after.handled_s = facts.now_s;
    const auto next = plan_tick(daily, TimeZone(), after);
    CHECK_FALSE(next->run);
    CHECK(next->at_s == seconds_of("2026-11-29 02:00"));
    daily.catch_up = false;
    const auto passed = plan_tick(daily, TimeZone(), facts);
    CHECK_FALSE(passed->run);
    CHECK(passed->handled_s == facts.now_s);
    CHECK(passed->due_s == seconds_of("2026-11-29 02:00"));
    facts.now_s = seconds_of("2026-11-28 02:00:45");
    facts.handled_s = seconds_of("2026-11-27 02:00");
    CHECK_MESSAGE(plan_tick(daily, TimeZone(), facts)->run, "a little late is not missed");
    facts.failures = 3;
    facts.now_s = seconds_of("2026-11-28 09:00");
    CHECK_MESSAGE(plan_tick(daily, TimeZone(), facts)->run, "what was begun is tried on");
}

TEST_CASE("hazard 15: a clock that steps back a little repeats no run, and one that was wrong by far stops nothing") {
    const Schedule daily = by_cron("0 2 * * *");
    TickFacts facts;
    facts.handled_s = seconds_of("2026-11-28 02:00");
    facts.now_s = seconds_of("2026-11-28 01:30");
    auto plan = plan_tick(daily, TimeZone(), facts);
    CHECK_FALSE(plan->run);
    CHECK(plan->due_s == seconds_of("2026-11-29 02:00"));
    // The clock had been a year ahead.
    facts.handled_s = seconds_of("2027-11-28 02:00");
    plan = plan_tick(daily, TimeZone(), facts);
    CHECK(plan->due_s == seconds_of("2026-11-28 02:00"));
    CHECK(plan->handled_s == facts.now_s);
    // A schedule that is denser than the step goes on at once.
    facts.handled_s = facts.now_s + 3600;
    CHECK(plan_tick(every(300), TimeZone(), facts)->at_s == facts.now_s + 300);
    // A leap forward is one missed run.
    facts.handled_s = seconds_of("2026-11-28 02:00");
    facts.now_s = seconds_of("2030-01-01 00:00");
    CHECK(plan_tick(daily, TimeZone(), facts)->run);
}

TEST_CASE("a failed run is tried again after a wait that doubles and ends at 15 minutes") {
    CHECK(retry_delay_s(1) == 5);
    CHECK(retry_delay_s(2) == 10);
    CHECK(retry_delay_s(8) == 640);
    CHECK(retry_delay_s(9) == 900);
    CHECK(retry_delay_s(1000000) == 900);
    TickFacts facts;
    facts.handled_s = seconds_of("2026-11-27 02:00");
    facts.now_s = seconds_of("2026-11-28 02:10");
    facts.failures = 4;
    facts.retry_s = facts.now_s + 30;
    auto plan = plan_tick(by_cron("0 2 * * *"), TimeZone(), facts);
    CHECK_FALSE(plan->run);
    CHECK(plan->at_s == facts.retry_s);
    facts.retry_s = facts.now_s + 86400;  // the clock went back meanwhile
    CHECK(plan_tick(by_cron("0 2 * * *"), TimeZone(), facts)->at_s == facts.now_s + 900);
}

TEST_CASE("jitter delays a run by chance, the same for all workers of a folder and another one for each time") {
    Schedule daily = by_cron("0 2 * * *");
    daily.jitter_s = 300;
    TickFacts facts;
    facts.now_s = facts.handled_s = seconds_of("2026-11-27 12:00");
    std::set<std::int64_t> delays;
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        facts.seed = seed;
        const auto plan = plan_tick(daily, TimeZone(), facts);
        REQUIRE((plan->at_s >= plan->due_s && plan->at_s <= plan->due_s + 300));
        CHECK(plan_tick(daily, TimeZone(), facts)->at_s == plan->at_s);
        delays.insert(plan->at_s - plan->due_s);
    }
    CHECK(delays.size() > 290);
    CHECK(*delays.begin() == 0);
    CHECK(*delays.rbegin() == 300);
}
