// What the attacks at named steps share: the child that is killed or stopped there, the steps that it passes, and the row of
// the table of tests/fault/run.sh.
#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../live/engine_restore_support.h"
#include "codec/json.h"
#include "stream/vault.h"

extern char** environ;

namespace attacks {

using namespace restore_test;

constexpr std::int64_t kShortTtlMs = 3000;
constexpr int kChildFailed = 3;
constexpr const char* kCopyLabel = "during a restore";  // in the label of what a swap saved on the way

inline std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}
inline bool long_run() { return !variable("REPRISE_LONG").empty(); }

inline std::string name_of(const std::string& point) { return point.substr(0, point.find(':')); }
// The names of all steps at which this run of the program did harm; engine_untouched.cpp compares them with the code's.
inline std::set<std::string>& attacked() {
    static std::set<std::string> names;
    return names;
}

// This program in another process, working on a database and a folder. engine_child.cpp says what each action does.
struct Child {
    std::string action, database, folder, file;

    pid_t start(const char* name, const std::string& value) const {
        std::vector<std::string> texts = {"REPRISE_CHILD_ACTION=" + action, "REPRISE_CHILD_DATABASE=" + database,
                                          "REPRISE_CHILD_FOLDER=" + folder, "REPRISE_CHILD_FILE=" + file};
        if (name != nullptr) texts.push_back(std::string(name) + "=" + value);
        std::vector<char*> environment;
        for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
        for (auto& text : texts) environment.push_back(text.data());
        environment.push_back(nullptr);
        std::vector<std::string> words = {"fault_engine", "-ns", "-tc=child of the attacks", "-m"};
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t pid = 0;
        REQUIRE(::posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, arguments.data(), environment.data()) == 0);
        return pid;
    }
    static int end_of(pid_t pid) {
        int status = 0;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        return status;
    }
    int run() const { return end_of(start(nullptr, "")); }  // as waitpid gives it
    bool is_killed_at(const std::string& point) const {
        attacked().insert(name_of(point));
        const int status = end_of(start("REPRISE_STEP_KILL", point));
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    }
    // Every passing of every step on an undisturbed way, as the variables name them: "restore.rename.after:2".
    std::vector<std::string> all_points() const {
        const std::string log =
            (std::filesystem::temp_directory_path() / (database + folder.substr(folder.size() - 6))).string();
        REQUIRE(end_of(start("REPRISE_STEP_LOG", log)) == 0);
        std::map<std::string, int> count;
        std::vector<std::string> out;
        std::ifstream file_(log);
        for (std::string name; std::getline(file_, name);) out.push_back(name + ":" + std::to_string(++count[name]));
        std::filesystem::remove(log);
        return out;
    }
};

// The first, second (unless `ends_only`) and last passing of each step, all of them with REPRISE_LONG: in between the same
// is repeated for other collections and files.
inline std::vector<std::string> telling(const std::vector<std::string>& all, bool ends_only = false) {
    if (long_run()) return all;
    std::map<std::string, std::vector<std::string>> by_name;
    for (const auto& one : all) by_name[name_of(one)].push_back(one);
    std::vector<std::string> out;
    for (auto& [name, ones] : by_name) {
        std::set<std::string> few = {ones.front(), ones.back()};
        if (!ends_only) few.insert(ones[std::min<std::size_t>(1, ones.size() - 1)]);
        out.insert(out.end(), few.begin(), few.end());
    }
    return out;
}

inline std::int64_t missing(const State& wanted, const State& now) {
    std::int64_t sum = 0;
    for (const auto& [name, seen] : wanted) {
        const auto found = now.find(name);
        const std::int64_t there = found == now.end() ? 0 : found->second.content.documents;
        sum += std::max<std::int64_t>(0, seen.content.documents - there);
    }
    return sum;
}

// One line of the table, written when it goes out of scope: into the file that REPRISE_FAULT_ROWS names.
struct Row {
    explicit Row(std::string attack_) : attack(std::move(attack_)) {}
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;
    ~Row() {
        const std::string file = variable("REPRISE_FAULT_ROWS");
        if (file.empty()) return;
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        const Json row = Json::object({{"attack", attack},
                                       {"points", points},
                                       {"seconds", took.count()},
                                       {"lost", lost},
                                       {"half_visible", half_visible},
                                       {"wrong_latest", wrong_latest},
                                       {"duplicates", duplicates}});
        std::ofstream(file, std::ios::app) << row.text() + "\n";
    }

    // Every visible file is whole, and `latest`, where it points somewhere, points to one of them. To be asked at any moment.
    void look_at(Store& store, const Context& context) {
        const auto whole = [&](const std::string& name) {
            return reason_of([&] { verify_file(store, name, false, context); }) == "nothing_thrown";
        };
        for (const Blob& blob : store.list())
            if (!whole(blob.name)) ++half_visible;
        for (const std::string& name : pointed_names(store))
            if (!whole(name)) ++wrong_latest;
        CHECK(half_visible == 0);
        CHECK(wrong_latest == 0);
    }
    // After one point: the state must be one of those allowed. Returns which (0…), or -1.
    int judge(const std::vector<State>& allowed, const State& now) {
        ++points;
        std::string differences;
        for (std::size_t i = 0; i < allowed.size(); ++i) {
            const std::string one = difference(allowed[i], now);
            if (one.empty()) return static_cast<int>(i);
            differences += (i > 0 ? " | " : "") + one;
        }
        std::int64_t least = missing(allowed.front(), now), twice = missing(now, allowed.front());
        for (const auto& one : allowed) least = std::min(least, missing(one, now)), twice = std::min(twice, missing(now, one));
        duplicates += twice;
        lost += least > 0 || twice > 0 ? least : 1;  // something else is wrong
        CHECK_MESSAGE(false, "against what it may be: " << differences);
        return -1;
    }

    std::string attack;
    std::int64_t points = 0, lost = 0, half_visible = 0, wrong_latest = 0, duplicates = 0;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
};

// The keys of the children that rekey: always the same.
inline std::unique_ptr<Vault> rekey_vault() {
    const std::string identity(32, 'k');
    Vault::Given given;
    given.recipients.push_back(parse_recipient(recipient_of(identity)));
    given.configured = true;
    given.secrets.identities = [identity] { return std::vector<Secret>{Secret(identity)}; };
    return std::make_unique<Vault>(std::move(given));
}

inline void make_good(Fixture& db) {
    db.fill("users", 40);
    create_indexes(db.client, db.place.database, "users",
                   {index_spec("salary_u", key("salary"), BsonBuilder().add("unique", true))});
    db.fill("teams", 10);
    db.create("sessions");
    create_indexes(db.client, db.place.database, "sessions",
                   {index_spec("seen", key("seen"), BsonBuilder().add("expireAfterSeconds", 3600))});
    db.fill("sessions", 3);
    db.create("weather", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str());
    std::string when;
    append_le(when, std::int64_t{1700000000000});
    for (int i = 0; i < 4; ++i) insert(db, "weather", BsonBuilder().raw(BsonType::date, "t", when).add("_id", i).str());
    db.create("v", BsonBuilder().add("viewOn", "users").array("pipeline", BsonArray().str()).str());
    db.create("w", BsonBuilder().add("viewOn", "v").array("pipeline", BsonArray().str()).str());
}

inline void make_old(Fixture& db) {
    drop_everything(db);
    db.fill("users", 6, 1000);
    db.create("v", BsonBuilder().add("viewOn", "teams").array("pipeline", BsonArray().str()).str());
    db.fill("stranger", 5);
    db.create("weather", BsonBuilder().doc("timeseries", BsonBuilder().add("timeField", "t").str()).str());
    std::string when;
    append_le(when, std::int64_t{1600000000000});
    insert(db, "weather", BsonBuilder().raw(BsonType::date, "t", when).add("_id", 77).str());
}

inline void forget_safety(Fixture& db) {
    for (const auto& name : db.files())
        if (parse_file_name(name) && parse_file_name(name)->kind == FileKind::before_restore) {
            db.store->remove(name);
            db.store->remove_state("manifests/" + name + ".json");
        }
}

}  // namespace attacks
