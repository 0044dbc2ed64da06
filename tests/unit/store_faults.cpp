#include <doctest/doctest.h>

#ifdef REPRISE_FAULTS
#include <csignal>
#include <fstream>
#include <map>
#include <set>

#include "store_support.h"

using namespace reprise;
using namespace store_test;

namespace {

// One backup as the engine makes it: file, manifest, pointer, then the oldest goes.
void work(const std::string& folder) {
    const auto store = open_local_store(folder);
    const auto lock = FolderLock::try_acquire(folder, "work");
    store->sweep();
    put(*store, "new", "new whole");
    store->write_state("manifests/new", "about new");
    store->set_pointer("latest", "new", {"latest.gz"});
    store->remove("oldest");
    store->remove_state("manifests/oldest");
}

void prepare(const std::string& folder) {
    const auto store = open_local_store(folder);
    put(*store, "old", "old whole");
    put(*store, "oldest", "oldest whole");
    store->write_state("manifests/oldest", "about oldest");
    store->set_pointer("latest.gz", "old", {});
    store->set_pointer("latest", "old", {});
}

std::map<std::string, int> steps_of_work() {
    const TempFolder temp;
    const std::string log = temp.of("steps");
    prepare(temp.of("b"));
    CHECK(in_child([&] {
              ::setenv("REPRISE_STEP_LOG", log.c_str(), 1);
              work(temp.of("b"));
              return 0;
          }) == 0);
    std::map<std::string, int> steps;
    std::ifstream in(log);
    for (std::string line; std::getline(in, line);) ++steps[line];
    return steps;
}

}  // namespace

TEST_CASE("a kill at any step leaves the old files or the new ones, whole, and the next run sweeps (S1, S2)") {
    const auto steps = steps_of_work();
    CHECK(steps.size() >= 20);
    int kills = 0;
    for (const auto& [step, count] : steps) {
        for (int n = 1; n <= count; ++n) {
            CAPTURE(step);
            CAPTURE(n);
            const TempFolder temp;
            const std::string folder = temp.of("b");
            prepare(folder);
            const std::string kill = step + ":" + std::to_string(n);
            REQUIRE(in_child([&] {
                        ::setenv("REPRISE_STEP_KILL", kill.c_str(), 1);
                        work(folder);
                        return 0;
                    }) == -SIGKILL);
            ++kills;
            const auto store = open_local_store(folder);
            std::set<std::string> seen;
            for (const Blob& blob : store->list()) {
                CHECK(get(*store->open(blob.name)) == blob.name + " whole");
                seen.insert(blob.name);
            }
            CHECK(seen.count("old") == 1);
            const auto latest = store->pointer("latest");
            REQUIRE(latest);
            CHECK(get(*store->open("latest")) == *latest + " whole");
            if (*latest == "old") CHECK(seen.count("oldest") == 1);
            for (const std::string& name : store->list_state("manifests"))
                CHECK(store->read_state("manifests/" + name) == "about " + name);
            REQUIRE(FolderLock::try_acquire(folder, "next"));
            store->sweep();
            for (const std::string& place : {folder, folder + "/.reprise", folder + "/.reprise/manifests"})
                if (std::filesystem::exists(place))
                    for (const std::string& name : entries(place)) CHECK(name.find("tmp") == std::string::npos);
        }
    }
    MESSAGE(kills << " kills");
}
#endif
