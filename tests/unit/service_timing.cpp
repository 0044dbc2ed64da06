#include <doctest/doctest.h>

#include "base/failure.h"
#include "service/config.h"

using namespace reprise;

namespace {

std::string with(const std::string& keys) {
    return R"({"mongo_url": "mongodb://127.0.0.1:1", "database": "hr", "directory": "/tmp/x", )" + keys + "}";
}

std::string refusal(const std::string& keys) {
    try {
        parse_config(with(keys));
        return "";
    } catch (const Failure& failure) {
        CHECK(failure.code == Code::invalid_config);
        return failure.reason + ": " + failure.message;
    }
}

}  // namespace

TEST_CASE("S12: a schedule is one of at, every and cron; all else is refused by path") {
    struct Row {
        const char *keys, *reason, *path;
    };
    const Row rows[] = {
        {R"("schedule": {})", "keys_contradict", "schedule.at"},
        {R"("schedule": {"at": "02:00", "cron": "0 2 * * *"})", "keys_contradict", "schedule.cron"},
        {R"("schedule": {"every": "6h", "time_zone": "Europe/Paris"})", "keys_contradict", "schedule.time_zone"},
        {R"("schedule": {"at": "25:00"})", "key_value_wrong", "schedule.at"},
        {R"("schedule": {"every": "sometimes"})", "key_value_wrong", "schedule.every"},
        {R"("schedule": {"cron": "0 2 * *"})", "key_value_wrong", "schedule.cron"},
        {R"("schedule": {"cron": "0 99 * * *"})", "key_value_wrong", "schedule.cron"},
        {R"("schedule": {"every": "10m", "jitter_s": 600})", "key_value_wrong", "schedule.jitter_s"},
        {R"("schedule": {"at": "02:00", "jitter_s": -1})", "key_value_wrong", "schedule.jitter_s"},
        {R"("schedule": {"at": "02:00", "time_zone": "Mars/Olympus"})", "time_zone_unknown", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "time_zone": "../../../etc/passwd"})", "time_zone_unknown", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "time_zone": "/etc/localtime"})", "time_zone_unknown", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "time_zone": "Europe"})", "time_zone_unknown", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "time_zone": "tzdata"})", "time_zone_unknown", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "time_zone": "right/UTC"})", "time_zone", "schedule.time_zone"},
        {R"("schedule": {"at": "02:00", "timezone": "UTC"})", "key_unknown", "schedule.time_zone"},
        {R"("schedule": "daily")", "key_type_wrong", "schedule"},
        {R"("schedule": {"at": 2})", "key_type_wrong", "schedule.at"},
        {R"("before": {"keep_days": -1})", "key_value_wrong", "before.keep_days"},
        {R"("before": {"keep": 3})", "key_unknown", "before.keep"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.keys);
        const std::string said = refusal(row.keys);
        CAPTURE(said);
        CHECK(said.rfind(row.reason, 0) == 0);
        CHECK(said.find(row.path) != std::string::npos);
        CHECK_MESSAGE(said.find("Olympus") == std::string::npos, "values are not repeated");
    }
}

TEST_CASE("what is configured is shown with its defaults, and nothing is the default") {
    const Config none = parse_config(with(R"("log_level": "info")"));
    CHECK_FALSE(none.schedule);
    CHECK(config_to_json(none).at("schedule").is_null());
    CHECK(config_to_json(none).at("before").text() == R"({"keep_days":7})");
    const Config daily =
        parse_config(with(R"("schedule": {"at": "02:00", "time_zone": "Europe/Paris"}, "before": {"keep_days": 30})"));
    REQUIRE(daily.schedule);
    CHECK(daily.schedule->zone.at(0).offset_s == 3600);
    CHECK(daily.before_keep_days == 30);
    CHECK(config_to_json(daily).at("schedule").text() ==
          R"({"at":"02:00","time_zone":"Europe/Paris","jitter_s":0,"catch_up":true})");
    const Config often = parse_config(with(R"("schedule": {"every": "2s", "catch_up": false, "jitter_s": 1})"));
    CHECK(config_to_json(often).at("schedule").text() == R"({"every":"2s","jitter_s":1,"catch_up":false})");
}
