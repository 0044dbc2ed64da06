#include "service/health.h"

#include "base/text.h"
#include "doctest/doctest.h"

using namespace reprise;

namespace {

constexpr std::int64_t kNow = 1760286400LL * 1000000;  // 2025-10-12T16:26:40Z

Json item(const std::string& name, std::int64_t age_h) {
    return Json::object({{"filename", name},
                         {"kind", "backup"},
                         {"state", "good"},
                         {"latest", false},
                         {"verified", true},
                         {"sequence", 1},
                         {"size_bytes", 1000},
                         {"documents", 5},
                         {"backup_date", iso_time(kNow - age_h * 3600 * 1000000)},
                         {"modified", "2025-10-12T16:26:40Z"},
                         {"problem", Json()}});
}

Json health(Json backups) {
    const Json status = Json::object({{"lost", Json::array()}, {"schedule", Json()}, {"free_bytes", 1000000}});
    return health_of(Json::object({{"backups", std::move(backups)}}), status, kHealthyAgeHours, kNow);
}

std::string first_problem(const Json& health) {
    const auto& problems = health.at("problems").as_array();
    return problems.empty() ? "" : problems.front().at("reason").as_string();
}

}  // namespace

TEST_CASE("a latest backup that was found damaged is not the last good one") {
    Json backups = Json::array();
    backups.push(item("backup_b.json", 1).set("latest", true).set("verified", false).set("problem", "cut off"));
    backups.push(item("backup_a.json", 5));
    const Json now = health(backups);
    CHECK(now.at("healthy").as_bool() == false);
    CHECK(first_problem(now) == "backup_damaged");
    CHECK(now.at("problems").as_array().size() == 1);
    CHECK(now.at("file").as_string() == "backup_a.json");
    CHECK(now.at("age_s").as_int() == 5 * 3600);
}

TEST_CASE("a file that was never read is as old as its name says") {
    Json backups = Json::array();
    backups.push(item("backup_20251010_162640.json", 0)
                     .set("latest", true)
                     .set("state", "unknown")
                     .set("verified", false)
                     .set("backup_date", Json()));
    const Json now = health(backups);
    CHECK(now.at("age_s").as_int() == 2 * 86400);
    CHECK(first_problem(now) == "backup_old");
}
