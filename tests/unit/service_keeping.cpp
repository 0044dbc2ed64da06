// What the configuration makes of guards and retention.
#include <set>

#include "engine_backup_files.h"
#include "service/work.h"

using namespace backup_files;

namespace {

Config config_with(const std::string& keys, const std::string& folder = "/tmp/x") {
    return parse_config(R"({"mongo_url":"mongodb://h","database":"hr","directory":")" + folder + "\"," + keys + "}");
}

}  // namespace

TEST_CASE("S7: the guard watches the sentinel and what startup asks, with startup's minimum") {
    const GuardRules list =
        config_with(R"("sentinel":"staff","startup":{"collections":["absences","teams"],"minimum":5})").guard;
    CHECK(list.sentinel == "staff");
    CHECK(list.together == std::vector<std::string>{"absences", "teams"});
    CHECK(list.least_together == 5);
    const GuardRules one = config_with(R"("sentinel":"staff","startup":{"minimum":3})").guard;
    CHECK(one.together == std::vector<std::string>{"staff"});
    CHECK(one.least_together == 3);
    CHECK(config_with(R"("startup":{"empty":"database"})").guard.together.empty());
}

TEST_CASE("hazard 10: where no sentinel is configured the guard asks users for startup's minimum, as startup does") {
    const GuardRules rules = config_with(R"("startup":{"minimum":2})").guard;
    CHECK(rules.together == std::vector<std::string>{"users"});
    CHECK(rules.least_together == 2);
}

TEST_CASE("whose days retention counts is configured, or the schedule's, or UTC") {
    CHECK(config_with(R"("log_level":"info")").keep_zone.name == "UTC");
    const std::string schedule = R"("schedule":{"at":"02:00","time_zone":"Europe/Paris"})";
    CHECK(config_with(schedule).keep_zone.name == "Europe/Paris");
    const Config other = config_with(schedule + R"(,"retention":{"time_zone":"Asia/Tokyo"})");
    CHECK(other.keep_zone.name == "Asia/Tokyo");
    CHECK(config_to_json(other).at("retention").at("time_zone").as_string() == "Asia/Tokyo");
    CHECK(config_with(schedule + R"(,"retention":false)").keep_zone.name == "Europe/Paris");
    const Failure wrong = failure_of([] { config_with(R"("retention":{"time_zone":"Europe/Pairs"})"); });
    CHECK(wrong.reason == "time_zone_unknown");
    CHECK(wrong.message.find("retention.time_zone") != std::string::npos);
}

TEST_CASE("a day of retention is the owner's: 23:00 and 01:27 in Paris are two days, though one in UTC") {
    Shelf shelf;
    write_owner(*shelf.store, Owner{"hr", std::string(kDeployment), std::nullopt});
    // Made dates them so many seconds after 16:27:21 UTC, which is 18:27:21 in Paris.
    shelf.make({"backup_20251012_162722.json", 1});  // the oldest stays while there are days left
    shelf.make({"backup_20251013_162722.json", 86401});
    shelf.make({"backup_20251013_210000.json", 102759});
    shelf.make({"backup_20251013_232721.json", 111600});
    shelf.examined();
    set_latest(*shelf.store, "backup_20251013_232721.json");
    const auto removed_in = [&](const std::string& zone) {
        const auto config = std::make_shared<Config>(
            config_with(R"("retention":{"keep_last":0,"keep_daily":5,"time_zone":")" + zone + "\"}", shelf.folder));
        Workbench bench{shelf.context, "1", [] {}};
        const Json result =
            plan_job({config, std::make_shared<PushedSecrets>()}, Kind::forget, Json::object({{"dry_run", true}})).work(bench);
        std::set<std::string> names;
        for (const Json& one : result.at("removed").as_array()) names.insert(one.at("file").as_string());
        return names;
    };
    CHECK(removed_in("UTC") == std::set<std::string>{"backup_20251013_162722.json", "backup_20251013_210000.json"});
    CHECK(removed_in("Europe/Paris") == std::set<std::string>{"backup_20251013_162722.json"});
}
