#include <doctest/doctest.h>

#include <ctime>
#include <random>
#include <sstream>
#include <vector>

#include "base/failure.h"
#include "policy/zone_rule.h"
#include "policy_zone_support.h"

using namespace reprise;

namespace {

std::vector<std::string> all_zones() {
    std::vector<std::string> names;
    std::ifstream table("/usr/share/zoneinfo/zone.tab");
    for (std::string line; std::getline(table, line);) {
        std::string country, place, name;
        std::istringstream fields(line);
        if (line.rfind('#', 0) != 0 && fields >> country >> place >> name) names.push_back(name);
    }
    return names;
}

std::string big_endian(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xFF);
    return out;
}

struct ZoneText {
    std::vector<std::int64_t> times;
    std::string kinds;
    std::vector<std::int32_t> offsets;
    std::string rule;
    std::uint32_t leaps = 0;

    std::string text() const {
        const std::string empty = "TZif2" + std::string(15 + 24, '\0');
        std::string out = empty + "TZif2" + std::string(15, '\0') + big_endian(0, 4) + big_endian(0, 4) + big_endian(leaps, 4) +
                          big_endian(times.size(), 4) + big_endian(offsets.size(), 4) + big_endian(4, 4);
        for (const auto time : times) out += big_endian(static_cast<std::uint64_t>(time), 8);
        out += kinds;
        for (const auto offset : offsets) out += big_endian(static_cast<std::uint32_t>(offset), 4) + std::string(2, '\0');
        return out + std::string("XYZ\0", 4) + std::string(leaps * 12, '\0') + "\n" + rule + "\n";
    }
};

std::string reason_of(const std::string& tzif) {
    try {
        TimeZone::parse(tzif);
        return "";
    } catch (const Failure& failure) {
        return failure.reason;
    }
}

}  // namespace

TEST_CASE("every zone of the system's database shows what the C library shows, from 1900 to 2300") {
    const auto names = all_zones();
    REQUIRE(names.size() > 300);
    std::mt19937_64 random(7);
    std::uniform_int_distribution<std::int64_t> any(-2208988800, 10413792000), near(0, 86400 * 366);
    for (const auto& name : names) {
        CAPTURE(name);
        const TimeZone zone = TimeZone::parse(zone_bytes(name));
        ::setenv("TZ", name.c_str(), 1);
        ::tzset();
        for (int i = 0; i < 400; ++i) {
            std::int64_t at = any(random);
            // Both sides of a change are looked at every other time.
            if (i % 2 == 0) at = zone.at(at).until_s - i / 2 % 2;
            if (at > 10413792000) at = seconds_of("2026-01-01 00:00") + near(random);
            const std::time_t when = at;
            std::tm local{};
            ::localtime_r(&when, &local);
            REQUIRE_MESSAGE(zone.at(at).offset_s == local.tm_gmtoff, text_of_seconds(at));
        }
    }
    ::unsetenv("TZ");
    ::tzset();
}

TEST_CASE("a local time that is skipped is the moment of the change, one that is repeated the first of the two") {
    struct Row {
        const char *zone, *local, *instant;
    };
    const Row rows[] = {
        {"Europe/Paris", "2026-03-29 01:59", "2026-03-29 00:59"},
        {"Europe/Paris", "2026-03-29 02:00", "2026-03-29 01:00"},
        {"Europe/Paris", "2026-03-29 02:30", "2026-03-29 01:00"},
        {"Europe/Paris", "2026-03-29 03:00", "2026-03-29 01:00"},
        {"Europe/Paris", "2026-10-25 02:30", "2026-10-25 00:30"},
        {"Europe/Paris", "2026-10-25 03:00", "2026-10-25 02:00"},
        {"America/New_York", "2026-03-08 02:15", "2026-03-08 07:00"},
        {"America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"},
        {"Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:30"},
        {"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"},
        {"Asia/Kathmandu", "2026-06-01 02:00", "2026-05-31 20:15"},
        {"Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00"},
        {"UTC", "2026-06-01 02:00", "2026-06-01 02:00"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.zone);
        CAPTURE(row.local);
        CHECK(text_of_seconds(zone_named(row.zone).first_instant(seconds_of(row.local))) == std::string(row.instant) + ":00");
    }
}

TEST_CASE("a rule of the last line holds for ever, summer time all year included") {
    const TimeZone paris = zone_named("Europe/Paris");
    CHECK(paris.at(seconds_of("2390-01-15 12:00")).offset_s == 3600);
    CHECK(paris.at(seconds_of("2390-07-15 12:00")).offset_s == 7200);
    const TimeZone always = TimeZone::parse(ZoneText{{}, "", {-10800}, "XXX3EDT4,0/0,J365/23", 0}.text());
    for (const char* when : {"2026-01-01 00:00", "2026-07-01 00:00", "2026-12-31 23:59"})
        CHECK(always.at(seconds_of(when)).offset_s == -4 * 3600);
    const TimeZone fixed = TimeZone::parse(ZoneText{{}, "", {0}, "<+0330>-3:30", 0}.text());
    CHECK(fixed.at(0).offset_s == 12600);
}

TEST_CASE("a zone file that is damaged in any way is refused") {
    const ZoneText good{{100, 200}, std::string("\1\0", 2), {3600, 7200}, "CET-1CEST,M3.5.0,M10.5.0/3", 0};
    CHECK(reason_of(good.text()) == "");
    CHECK(TimeZone::parse(good.text()).at(150).offset_s == 7200);
    const std::string whole = good.text();
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK(reason_of(whole.substr(0, size)) == "time_zone_invalid");
    auto bad = good;
    bad.times = {200, 100};
    CHECK(reason_of(bad.text()) == "time_zone_invalid");
    bad = good;
    bad.kinds = std::string("\2\0", 2);
    CHECK(reason_of(bad.text()) == "time_zone_invalid");
    bad = good;
    bad.leaps = 1;
    CHECK(reason_of(bad.text()) == "time_zone_invalid");
    bad = good;
    bad.offsets = {3600, 1 << 20};
    CHECK(reason_of(bad.text()) == "time_zone_invalid");
    bad = good;
    bad.rule = "CET-1CEST";
    CHECK(reason_of(bad.text()) == "time_zone_invalid");
    std::mt19937 random(3);
    for (int i = 0; i < 20000; ++i) {
        std::string flipped = whole;
        flipped[random() % flipped.size()] = static_cast<char>(random());
        const std::string reason = reason_of(flipped);  // never a crash, whatever the answer
        CHECK((reason.empty() || reason == "time_zone_invalid"));
    }
}

TEST_CASE("rules of POSIX and RFC 8536 are read, and malformed ones are not") {
    for (const char* rule : {"UTC0", "EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                             "IST-2IDT,M3.4.4/26,M10.5.0", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "AAA3BBB,J60,300/167:59:59"})
        CHECK_MESSAGE(parse_zone_rule(rule), rule);
    for (const char* rule : {"", "UT0", "UTC", "UTC25", "UTC0x", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
                             "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J300", "EST5EDT,J366,J300",
                             "EST5EDT,366,J300", "EST5EDT,J1/168,J300", "<+1030-10:30", "EST5EDT,J1,J300,"})
        CHECK_FALSE_MESSAGE(parse_zone_rule(rule), rule);
}
