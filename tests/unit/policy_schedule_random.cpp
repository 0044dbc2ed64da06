// The schedule against a cron that walks minute by minute, as Vixie's daemon does.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "base/civil.h"
#include "policy/schedule.h"
#include "policy_zone_support.h"

using namespace reprise;

namespace {

bool shows(const Cron& cron, std::int64_t local_minute) {
    const std::int64_t day = floor_div(local_minute, 1440), of_day = local_minute - day * 1440;
    return cron.on_day(day) && cron.hours[static_cast<std::size_t>(of_day / 60)] &&
           cron.minutes[static_cast<std::size_t>(of_day % 60)];
}

// All due times in [from, until), found without any arithmetic over changes: a walk over real minutes.
std::vector<std::int64_t> walk(const Cron& cron, const TimeZone& zone, std::int64_t from_s, std::int64_t until_s) {
    std::vector<std::int64_t> due;
    std::int64_t farthest = floor_div(zone.local(from_s - 7200), 60);
    for (std::int64_t at = from_s - 7200 + 60; at < until_s; at += 60) {
        const std::int64_t shown = floor_div(zone.local(at), 60);
        bool run = cron.repeats && shows(cron, shown);
        for (std::int64_t each = farthest + 1; !cron.repeats && each <= shown; ++each) run = run || shows(cron, each);
        farthest = std::max(farthest, shown);
        if (run && at >= from_s) due.push_back(at);
    }
    return due;
}

std::string random_field(std::mt19937& random, int least, int most) {
    const auto pick = [&](int low, int high) {
        return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
    };
    switch (random() % 5) {
        case 0: return "*";
        case 1: return "*/" + std::to_string(pick(1, most));
        case 2: return std::to_string(pick(least, most));
        case 3: {
            const int low = pick(least, most);
            return std::to_string(low) + "-" + std::to_string(pick(low, most)) + "/" + std::to_string(pick(1, 5));
        }
        default: return std::to_string(pick(least, most)) + "," + std::to_string(pick(least, most));
    }
}

struct Days {
    const char *zone, *from, *until;
};

}  // namespace

TEST_CASE("every due time of a walk minute by minute is found, each is later than the one before, and no other") {
    const Days days[] = {{"Europe/Paris", "2026-03-27 12:00", "2026-03-31 12:00"},
                         {"Europe/Paris", "2026-10-23 12:00", "2026-10-27 12:00"},
                         {"America/New_York", "2026-03-07 00:00", "2026-03-10 00:00"},
                         {"America/New_York", "2026-10-31 00:00", "2026-11-03 00:00"},
                         {"Australia/Lord_Howe", "2026-04-03 00:00", "2026-04-06 00:00"},
                         {"Australia/Lord_Howe", "2026-10-02 00:00", "2026-10-05 00:00"},
                         {"Asia/Kathmandu", "2026-02-27 00:00", "2026-03-02 00:00"},
                         {"Africa/Cairo", "2026-04-22 00:00", "2026-04-25 00:00"},
                         {"UTC", "2027-12-30 00:00", "2028-01-02 00:00"}};
    std::mt19937 random(20261128);
    int found = 0, compared = 0;
    for (const Days& span : days) {
        const TimeZone zone = zone_named(span.zone);
        const std::int64_t from = seconds_of(span.from), until = seconds_of(span.until);
        for (int i = 0; i < 60; ++i) {
            const std::string text = random_field(random, 0, 59) + " " + random_field(random, 0, 23) + " " +
                                     (random() % 2 == 0 ? "*" : random_field(random, 1, 28)) + " * " +
                                     (random() % 2 == 0 ? "*" : random_field(random, 0, 6));
            std::string problem;
            Schedule schedule;
            const auto cron = parse_cron(text, problem);
            REQUIRE_MESSAGE(cron, text);
            schedule.cron = *cron;
            CAPTURE(span.zone);
            CAPTURE(text);
            std::int64_t at = from - 1;
            for (const std::int64_t due : walk(*cron, zone, from, until)) {
                const std::int64_t between = at + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(due - at));
                REQUIRE(next_due(schedule, zone, at) == due);
                REQUIRE(next_due(schedule, zone, between) == due);
                at = due;
                ++found;
            }
            const auto beyond = next_due(schedule, zone, at);
            REQUIRE((!beyond || *beyond >= until));
            ++compared;
        }
    }
    CHECK(compared == 540);
    CHECK(found > 5000);
}
