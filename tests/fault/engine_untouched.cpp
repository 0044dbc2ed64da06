// No step is forgotten: what the code names is what the attacks of this program did harm at. Runs last, by its file's name.
#include <regex>

#include "engine_attacks.h"

using namespace attacks;

namespace {

// Steps that no attack here can reach, and where they are killed.
const std::map<std::string, const char*> elsewhere = {
    {"store.rename_linked.", "file systems that cannot rename without replacing"},
    {"store.state_append.", "the audit log: tests/live/test_audit.py"},
};

bool is_elsewhere(const std::string& name) {
    return std::any_of(elsewhere.begin(), elsewhere.end(), [&](const auto& one) { return name.rfind(one.first, 0) == 0; });
}

std::set<std::string> names_in_code() {
    const std::regex step("REPRISE_STEP\\(\"([a-z_.]+)\"\\)");
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(REPRISE_SOURCE_FOLDER "/src")) {
        if (entry.path().extension() != ".cpp") continue;
        std::ifstream file(entry.path());
        const std::string text(std::istreambuf_iterator<char>(file), {});
        for (std::sregex_iterator at(text.begin(), text.end(), step), end; at != end; ++at) names.insert((*at)[1]);
    }
    return names;
}

}  // namespace

TEST_CASE("every step that the code names was attacked") {
    const auto names = names_in_code();
    REQUIRE(names.size() > 80);
    if (attacked().size() < 40) {
        MESSAGE("only some of the attacks were run");
        return;
    }
    for (const auto& name : names)
        CHECK_MESSAGE((attacked().count(name) > 0 || is_elsewhere(name)), "nobody attacks step " << name);
    for (const auto& name : attacked()) CHECK_MESSAGE(names.count(name) > 0, "there is no step " << name);
    for (const auto& [prefix, where] : elsewhere)
        CHECK_MESSAGE(std::any_of(names.begin(), names.end(), [p = prefix](const auto& n) { return n.rfind(p, 0) == 0; }),
                      "there is no step " << prefix);
}
