// forget and accept killed at every step. The child is this program, told by its environment; no server is asked.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "../unit/engine_backup_files.h"
#include "engine/forget.h"
#include "engine/mark.h"

using namespace backup_files;

namespace {

constexpr const char* kNewest = "backup_20251012_162709.json";
constexpr const char* kSuspect = "suspect_20251012_162710.json";

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

struct Nights : Shelf {
    Nights() {
        write_owner(*store, Owner{"hr", std::string(kDeployment), std::nullopt});
        for (int i = 1; i <= 9; ++i) make({"backup_20251012_16270" + std::to_string(i) + ".json", i, {{"users", 30}}});
        examined();
        set_latest(*store, kNewest);
    }
    bool there(const std::string& name) { return std::filesystem::exists(folder + "/" + name); }
};

int in_child(const Nights& on, const char* what, const char* variable_name, const std::string& value) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setenv("REPRISE_CHILD_DOES", what, 1);
        ::setenv("REPRISE_CHILD_FOLDER", on.folder.c_str(), 1);
        ::setenv(variable_name, value.c_str(), 1);
        ::execl("/proc/self/exe", "fault_engine", "-ns", "-tc=child of the forget tests", "-m", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return status;
}

std::vector<std::string> passings(const std::string& log) {
    std::map<std::string, int> count;
    std::vector<std::string> out;
    std::ifstream file(log);
    for (std::string name; std::getline(file, name);) out.push_back(name + ":" + std::to_string(++count[name]));
    return out;
}

// Runs `what` to its end for its steps, then once for each of them in a fresh folder, killed there; `check` looks at it.
void killed_everywhere(const char* what, const std::function<void(Nights&)>& prepare,
                       const std::function<void(Nights&)>& check) {
    std::vector<std::string> steps;
    {
        Nights on;
        prepare(on);
        const std::string log = on.folder + "/.reprise/steps";
        REQUIRE(in_child(on, what, "REPRISE_STEP_LOG", log) == 0);
        steps = passings(log);
    }
    REQUIRE(steps.size() > 8);
    for (const std::string& step : steps) {
        CAPTURE(step);
        Nights on;
        prepare(on);
        const int status = in_child(on, what, "REPRISE_STEP_KILL", step);
        CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
        check(on);
    }
}

Forgotten forget_all(const Nights& on) {
    ForgetRules rules;
    rules.keep.keep_last = 7;
    return forget(on.place, rules, false, on.context);
}

}  // namespace

TEST_CASE("child of the forget tests" * doctest::skip()) {
    const std::string folder = variable("REPRISE_CHILD_FOLDER");
    REQUIRE(!folder.empty());
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    const auto store = open_local_store(folder);
    Place place;
    place.database = "hr";
    place.store = store.get();
    place.folder = folder;
    place.job = "2";
    if (variable("REPRISE_CHILD_DOES") == "forget")
        forget(place, ForgetRules(), false, context);
    else
        mark(place, kSuspect, {std::nullopt, std::nullopt, true}, context);
}

TEST_CASE("S3, S13: retention killed at any step loses none but old files, and the next run ends it") {
    killed_everywhere(
        "forget", [](Nights&) {},
        [](Nights& on) {
            CHECK(on.names().size() >= 7);
            for (int i = 3; i <= 9; ++i) CHECK(on.there("backup_20251012_16270" + std::to_string(i) + ".json"));
            CHECK(latest_name(*on.store) == kNewest);
            for (const ShelfItem& item : read_shelf(*on.store, false, on.context))
                CHECK((item.manifest && item.manifest->verified));
            forget_all(on);
            CHECK(on.names().size() == 7);
            CHECK(on.store->list_state("manifests").size() == 7);
        });
}

TEST_CASE("S2, S7: an acceptance killed at any step leaves the file what it was or accepted, and accepting again ends it") {
    const auto prepare = [](Nights& on) {
        on.make({kSuspect, 10, {{"users", 5}}});
        on.examined();
    };
    killed_everywhere("accept", prepare, [](Nights& on) {
        const auto latest = on.store->pointer("backup_latest.json");
        REQUIRE(latest);
        CHECK(verify_file(*on.store, *latest, false, on.context).manifest.verified);
        const auto shelf = on.examined();
        REQUIRE(shelf.size() == 10);
        REQUIRE(shelf[0].manifest);
        CHECK(shelf[0].manifest->summary.documents == 5);
        CHECK((shelf[0].manifest->state == "suspect") == (shelf[0].name.kind == FileKind::suspect));
        const Manifest again = mark(on.place, shelf[0].blob.name, {std::nullopt, std::nullopt, true}, on.context);
        CHECK(again.state == "good");
        CHECK(latest_name(*on.store) == again.name);
        CHECK(on.names().size() == 10);
        on.make({"backup_20251012_162755.json", 11, {{"users", 4}}});
        CHECK(on.examined()[0].manifest->state == "good");  // judged by the accepted one
        forget_all(on);
        CHECK(on.store->list_state("manifests").size() == on.names().size());
    });
}
