// The child of all attacks of this room: does one thing, told by its environment, and is killed or stopped in it.
#include "engine/forget.h"
#include "engine/mark.h"
#include "engine/rekey.h"
#include "engine_attacks.h"

using namespace attacks;

namespace {

void rekey_file(Place place, const std::string& file, Context context) {
    const auto vault = rekey_vault();
    context.vault = vault.get();
    place.packing.seal_age = [&](Sink& below) { return vault->encrypted(below); };
    rekey(place, file, context);
}

void act(const std::string& action, const Place& place, const Context& context) {
    const std::string file = variable("REPRISE_CHILD_FILE");
    if (action == "operation") {  // settles what it finds
        const Operation operation(place, Access::write, context);
    } else if (action == "backup" || action == "before") {
        BackupOptions options;
        if (action == "before") {
            options.before_keep_days = 30;
            options.label = "excel import";
        }
        options.retention = ForgetRules();
        backup(place, options, context);
    } else if (action == "forget") {
        forget(place, ForgetRules(), false, context);
    } else if (action == "accept") {
        mark(place, file, {std::nullopt, std::nullopt, true}, context);
    } else if (action == "rehash") {
        rehash(place, file, context);
    } else if (action == "rekey") {
        rekey_file(place, file, context);
    } else {  // restore (exact), merge, adopt (a restore that takes over the file's deployment)
        RestoreOptions options;
        options.file = file;
        options.mode = action == "merge" ? RestoreMode::merge : RestoreMode::replace;
        options.adopt = action == "adopt";
        options.exact = action == "restore";
        restore(place, options, context);
    }
}

}  // namespace

TEST_CASE("child of the attacks" * doctest::skip()) {
    const std::string action = variable("REPRISE_CHILD_ACTION");
    REQUIRE(!action.empty());
    Cancel cancel;
    Context context;
    context.cancel = &cancel;
    const auto store = open_local_store(variable("REPRISE_CHILD_FOLDER"));
    Place place;
    const char* url = std::getenv("REPRISE_TEST_MONGO_URL");
    if (url != nullptr) place.url = Secret(url);
    place.database = variable("REPRISE_CHILD_DATABASE");
    place.store = store.get();
    place.folder = variable("REPRISE_CHILD_FOLDER");
    place.job = "2";
    place.lease_ttl_ms = kShortTtlMs;
    try {
        act(action, place, context);
    } catch (const Failure&) {
        ::_exit(kChildFailed);
    }
}
