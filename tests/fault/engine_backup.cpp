// A backup killed at every step. The child is this program, told by its environment.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>

#include "../live/engine_backup_support.h"

using namespace backup_test;

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

// Runs one backup in a child and returns its status as waitpid gives it. `variable_name` is REPRISE_STEP_KILL or …_LOG.
int back_up_in_child(const Fixture& on, const char* variable_name, const std::string& value) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setenv("REPRISE_CHILD_DATABASE", on.place.database.c_str(), 1);
        ::setenv("REPRISE_CHILD_FOLDER", on.folder.c_str(), 1);
        ::setenv(variable_name, value.c_str(), 1);
        ::execl("/proc/self/exe", "fault_engine", "-ns", "-tc=child of the backup tests", "-m", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return status;
}

// The first, second and last passing of every step, as the kill variable names them: "store.fsync.before:2".
std::vector<std::string> telling_passings(const std::string& log) {
    std::map<std::string, int> count;
    std::ifstream file(log);
    for (std::string name; std::getline(file, name);) ++count[name];
    std::vector<std::string> out;
    for (const auto& [name, passed] : count)
        for (int number = 1; number <= passed; ++number)
            if (number <= 2 || number == passed) out.push_back(name + ":" + std::to_string(number));
    return out;
}

bool is_temporary(const std::string& name) { return name.rfind(".reprise_tmp_", 0) == 0; }

std::vector<std::string> leftovers(const std::string& folder) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (is_temporary(entry.path().filename().string())) found.push_back(entry.path().string());
    return found;
}

// Every visible file is whole, and latest is one of them.
void check_whole(const Fixture& on) {
    const auto latest = on.store->pointer("backup_latest.json");
    REQUIRE(latest);
    const auto files = on.files();
    CHECK(std::find(files.begin(), files.end(), *latest) != files.end());
    for (const std::string& name : files) CHECK(verify_file(*on.store, name, false, on.context).manifest.verified);
}

}  // namespace

TEST_CASE("child of the backup tests" * doctest::skip()) {
    const std::string folder = variable("REPRISE_CHILD_FOLDER");
    REQUIRE(!folder.empty());
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    const auto store = open_local_store(folder);
    Place place;
    place.url = server_url();
    place.database = variable("REPRISE_CHILD_DATABASE");
    place.store = store.get();
    place.folder = folder;
    place.job = "2";
    CHECK(backup(place, {}, context).became_latest);
}

TEST_CASE(
    "S1, S2: a backup killed at any step leaves the old files, or one whole one more, and nothing besides after the next") {
    Fixture on;
    on.fill("users", 40);
    on.fill("absences", 10);
    on.create("empty");
    REQUIRE(on.back_up().became_latest);
    const std::string log = on.folder + "/.reprise/steps";
    REQUIRE(back_up_in_child(on, "REPRISE_STEP_LOG", log) == 0);
    const auto passings = telling_passings(log);
    REQUIRE(passings.size() > 30);
    for (const std::string& step : passings) {
        CAPTURE(step);
        const std::size_t before = on.files().size();
        const int status = back_up_in_child(on, "REPRISE_STEP_KILL", step);
        CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
        const std::size_t after = on.files().size();
        CHECK((after == before || after == before + 1));
        check_whole(on);
        const BackupResult next = on.back_up();
        CHECK(next.became_latest);
        CHECK(next.manifest.summary.documents == 50);
        CHECK(latest_name(*on.store) == next.manifest.name);
        CHECK(leftovers(on.folder).empty());
        for (const std::string& name : on.files())  // keeps the folder small
            if (name != next.manifest.name) on.store->remove(name);
    }
}
