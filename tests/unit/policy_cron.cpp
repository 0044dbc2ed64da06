#include <doctest/doctest.h>

#include "policy/cron.h"
#include "policy_zone_support.h"

using namespace reprise;

namespace {

// The next times of `text` after a moment, on a clock without changes, "MM-DD hh:mm, …".
std::string next_of(const char* text, const std::string& after, int count) {
    std::string problem;
    const auto cron = parse_cron(text, problem);
    if (!cron) return problem;
    std::string out;
    std::int64_t minute = seconds_of(after) / 60;
    for (int i = 0; i < count; ++i) {
        const auto next = cron->next_minute(minute + 1);
        if (!next) return out + "never";
        out += (i > 0 ? ", " : "") + text_of_seconds(*next * 60).substr(5, 11);
        minute = *next;
    }
    return out;
}

std::string problem_of(const char* text) {
    std::string problem;
    return parse_cron(text, problem) ? "" : problem;
}

}  // namespace

TEST_CASE("a cron expression comes when Vixie's cron would come") {
    struct Row {
        const char* text;
        const char* next;
    };
    // 2026-11-28 is a Saturday.
    const Row rows[] = {
        {"0 2 * * *", "11-29 02:00, 11-30 02:00, 12-01 02:00"},
        {"*/20 * * * *", "11-28 12:40, 11-28 13:00, 11-28 13:20"},
        {"5-59/20 * * * *", "11-28 12:45, 11-28 13:05, 11-28 13:25"},
        {"0,30 8-10/2 * * *", "11-29 08:00, 11-29 08:30, 11-29 10:00"},
        {"0 0 1 * *", "12-01 00:00, 01-01 00:00, 02-01 00:00"},
        {"0 0 31 * *", "12-31 00:00, 01-31 00:00, 03-31 00:00"},
        {"0 0 * * 0", "11-29 00:00, 12-06 00:00, 12-13 00:00"},
        {"0 0 * * 7", "11-29 00:00, 12-06 00:00, 12-13 00:00"},
        {"0 0 * * SUN", "11-29 00:00, 12-06 00:00, 12-13 00:00"},
        {"0 0 * * mon-fri", "11-30 00:00, 12-01 00:00, 12-02 00:00"},
        {"0 0 * * fri-sun", "11-29 00:00, 12-04 00:00, 12-05 00:00"},
        {"0 0 * * 6-7", "11-29 00:00, 12-05 00:00, 12-06 00:00"},
        {"0 0 1 Jan,jul *", "01-01 00:00, 07-01 00:00, 01-01 00:00"},
        {"0 0 * jan-mar/2 *", "01-01 00:00, 01-02 00:00, 01-03 00:00"},
        // both days restricted: either one; one of them from *: both
        {"0 0 13 * fri", "12-04 00:00, 12-11 00:00, 12-13 00:00"},
        {"0 0 */2 * mon", "12-07 00:00, 12-21 00:00, 01-11 00:00"},
        {"0 0 1-7 * */7", "12-06 00:00, 01-03 00:00, 02-07 00:00"},
        {"0 0 29 2 *", "02-29 00:00, 02-29 00:00, 02-29 00:00"},
        {" 0\t0  29 2 */7 ", "02-29 00:00, 02-29 00:00, 02-29 00:00"},
        {"@hourly", "11-28 13:00, 11-28 14:00, 11-28 15:00"},
        {"@Daily", "11-29 00:00, 11-30 00:00, 12-01 00:00"},
        {"@weekly", "11-29 00:00, 12-06 00:00, 12-13 00:00"},
        {"@monthly", "12-01 00:00, 01-01 00:00, 02-01 00:00"},
        {"@yearly", "01-01 00:00, 01-01 00:00, 01-01 00:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(next_of(row.text, "2026-11-28 12:30", 3) == row.next);
    }
}

TEST_CASE("the time itself is the next one when it is asked for from then on") {
    std::string problem;
    const auto cron = parse_cron("30 12 28 11 *", problem);
    REQUIRE(cron);
    const std::int64_t minute = seconds_of("2026-11-28 12:30") / 60;
    CHECK(cron->next_minute(minute) == minute);
    CHECK(cron->next_minute(minute + 1) == seconds_of("2027-11-28 12:30") / 60);
}

TEST_CASE("a wrong cron expression is refused with a sentence about the field that is wrong") {
    for (const char* text : {"", "0 2 * *", "0 0 2 * * *", "@reboot", "@nightly"})
        CHECK(problem_of(text).find("five fields") != std::string::npos);
    struct Row {
        const char *text, *part;
    };
    const Row rows[] = {
        {"60 2 * * *", "minute takes *, numbers from 0 to 59"},
        {"0 24 * * *", "hour takes"},
        {"0 0 0 * *", "day of month takes *, numbers from 1 to 31"},
        {"0 0 * 13 *", "month takes"},
        {"0 0 * * 8", "day of week takes *, numbers from 0 to 7"},
        {"0 0 * * funday", "day of week takes"},
        {"0 0 L * *", "day of month takes"},
        {"0 0 ? * *", "day of month takes"},
        {"-1 0 * * *", "minute takes"},
        {"0, 0 * * *", "minute takes"},
        {"*/0 * * * *", "minute has a step that is no number"},
        {"*/x * * * *", "minute has a step that is no number"},
        {"1/2/3 * * * *", "minute has an item with two steps"},
        {"5/15 * * * *", "minute has a step behind a single value"},
        {"30-10 * * * *", "minute has a range that ends before it begins"},
        {"1-2-3 * * * *", "minute has a range with more than two ends"},
        {"0 0 31 2 *", "it never comes"},
        {"0 0 31 4,6,9,11 *", "it never comes"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        CHECK(problem_of(row.text).find(row.part) != std::string::npos);
    }
    CHECK(problem_of(std::string(2000, '*').c_str()).find("five fields") != std::string::npos);
}

TEST_CASE("a time of day is two digits, a colon, two digits") {
    const auto cron = parse_time_of_day("02:05");
    REQUIRE(cron);
    CHECK_FALSE(cron->repeats);
    CHECK(text_of_seconds(*cron->next_minute(0) * 60) == "1970-01-01 02:05:00");
    for (const char* text : {"", "2:05", "24:00", "02:60", "02:05:00", "02.05", "-2:05", "0x:05", "2am"})
        CHECK_FALSE_MESSAGE(parse_time_of_day(text), text);
}
