#include "service/health.h"

#include <algorithm>

#include "base/text.h"
#include "format/names.h"

namespace reprise {
namespace {

struct Facts {
    const Json* latest = nullptr;  // the backup that the pointer names
    const Json* whole = nullptr;   // the same, or, where that was found damaged, the newest good one that was not
    std::int64_t backups = 0, suspects = 0, newest_suspect = 0;
};

bool is_damaged(const Json& item) {
    const Json* problem = item.find("problem");
    return problem != nullptr && !problem->is_null();
}

Facts facts_of(const Json& list) {
    Facts facts;
    for (const auto& item : list.at("backups").as_array()) {
        ++facts.backups;
        if (item.at("latest").as_bool()) facts.latest = &item;
        const bool good = item.at("kind").as_string() == "backup" && item.at("state").as_string() == "good";
        if (facts.whole == nullptr && good && !is_damaged(item)) facts.whole = &item;  // newest first
        if (item.at("state").as_string() != "suspect") continue;
        ++facts.suspects;
        facts.newest_suspect = std::max(facts.newest_suspect, item.at("sequence").as_int());
    }
    if (facts.latest != nullptr && !is_damaged(*facts.latest)) facts.whole = facts.latest;
    return facts;
}

// A file that was never read tells when it was taken by its name alone.
std::int64_t taken_us(const Json& item) {
    const Json& date = item.at("backup_date");
    if (const auto time = date.is_string() ? from_iso_time(date.as_string()) : std::nullopt) return *time;
    const auto name = parse_file_name(item.at("filename").as_string());
    const auto named = name ? from_compact_time(name->stamp) : std::nullopt;
    return named.value_or(from_iso_time(item.at("modified").as_string()).value_or(0));
}

void complain(Json& problems, const char* reason, const std::string& message) {
    problems.push(Json::object({{"reason", reason}, {"message", message}}));
}

Json problems_of(const Facts& facts, const Json& status, std::int64_t age_s, std::int64_t max_age_s) {
    Json problems = Json::array();
    if (facts.latest == nullptr) {
        complain(problems, "no_backup", "there is no good backup yet");
        return problems;
    }
    if (age_s > max_age_s)
        complain(problems, "backup_old", "the last good backup is " + std::to_string(age_s / 3600) + " hours old");
    if (is_damaged(*facts.latest))
        complain(problems, "backup_damaged", "the latest backup was read and is damaged: make a new one");
    else if (!facts.latest->at("verified").as_bool())
        complain(problems, "backup_unverified", "the last backup was never read back whole");
    if (facts.newest_suspect > facts.latest->at("sequence").as_int())
        complain(problems, "newer_suspect", "a newer backup was kept aside as suspect: accept it, or look for what was lost");
    if (!status.at("lost").as_array().empty())
        complain(problems, "collections_lost",
                 "the last backup lacks collections that an older one holds: restore them, or accept it");
    const Json& schedule = status.at("schedule");
    if (!schedule.is_null() && schedule.at("failures").as_int() > 0)
        complain(problems, "schedule_failing", "the last scheduled backup failed");
    const Json& free = status.at("free_bytes");
    if (free.is_int() && free.as_int() < 2 * facts.latest->at("size_bytes").as_int())
        complain(problems, "space_low", "the disk has no room for two more backups");
    return problems;
}

void gauge(std::string& out, const std::string& name, const std::string& help, const Json& value) {
    if (value.is_null()) return;
    out += "# HELP reprise_" + name + " " + help + "\n# TYPE reprise_" + name + " gauge\nreprise_" + name + " " +
           (value.is_bool() ? (value.as_bool() ? "1" : "0") : value.text()) + "\n";
}

}  // namespace

Json health_of(const Json& list, const Json& status, std::int64_t max_age_hours, std::int64_t now_us) {
    const Facts facts = facts_of(list);
    Json out = Json::object({{"healthy", false},
                             {"problems", Json::array()},
                             {"last_backup", Json()},
                             {"age_s", Json()},
                             {"file", Json()},
                             {"size_bytes", Json()},
                             {"documents", Json()},
                             {"verified", false}});
    std::int64_t age_s = 0;
    if (facts.whole != nullptr) {
        const std::int64_t taken = taken_us(*facts.whole);
        age_s = std::max<std::int64_t>(0, (now_us - taken) / 1000000);
        out.set("last_backup", iso_time(taken)).set("age_s", age_s).set("file", facts.whole->at("filename"));
        for (const char* key : {"size_bytes", "documents", "verified"}) out.set(key, facts.whole->at(key));
    }
    Json problems = problems_of(facts, status, age_s, max_age_hours * 3600);
    out.set("healthy", problems.as_array().empty()).set("problems", std::move(problems));
    out.set("free_bytes", status.at("free_bytes")).set("backups", facts.backups).set("suspects", facts.suspects);
    const Json& schedule = status.at("schedule");
    return out.set("next_run", schedule.is_null() ? Json() : schedule.at("next_run"));
}

std::string metrics_of(const Json& health, const Json& status) {
    std::string out;
    gauge(out, "healthy", "1 when there is a good, recent backup to go back to", health.at("healthy"));
    const Json& last = health.at("last_backup");
    const auto taken = last.is_string() ? from_iso_time(last.as_string()) : std::nullopt;
    if (taken) gauge(out, "last_backup_timestamp_seconds", "when the last good backup was taken", Json(*taken / 1000000));
    gauge(out, "last_backup_age_seconds", "how old the last good backup is", health.at("age_s"));
    gauge(out, "last_backup_size_bytes", "size of its file", health.at("size_bytes"));
    gauge(out, "last_backup_documents", "documents in it", health.at("documents"));
    gauge(out, "last_backup_verified", "1 when it was read back whole", health.at("verified"));
    gauge(out, "backups", "files in the folder", health.at("backups"));
    gauge(out, "suspect_backups", "files that the guard did not believe", health.at("suspects"));
    gauge(out, "backups_size_bytes", "size of all files in the folder", status.at("size_bytes"));
    gauge(out, "job_running", "1 while an operation runs", Json(!status.at("running").is_null()));
    const Json& next = health.at("next_run");
    const auto due = next.is_string() ? from_iso_time(next.as_string()) : std::nullopt;
    if (due) gauge(out, "next_run_timestamp_seconds", "when the schedule is due", Json(*due / 1000000));
    const Json& schedule = status.at("schedule");
    if (!schedule.is_null()) gauge(out, "schedule_failures", "scheduled backups that failed in a row", schedule.at("failures"));
    gauge(out, "free_bytes", "space left on the folder's disk", health.at("free_bytes"));
    return out;
}

}  // namespace reprise
