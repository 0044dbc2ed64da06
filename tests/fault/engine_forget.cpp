// forget, accept, rehash and rekey killed at every step; no server is asked.
#include "../unit/engine_backup_files.h"
#include "engine/forget.h"
#include "engine/mark.h"
#include "engine_attacks.h"

using namespace backup_files;
using attacks::Child;
using attacks::Row;

namespace {

constexpr const char* kNewest = "backup_20251012_162709.json";
constexpr const char* kSuspect = "suspect_20251012_162710.json";

struct Nights : Shelf {
    Nights() {
        write_owner(*store, Owner{"hr", std::string(kDeployment), std::nullopt});
        for (int i = 1; i <= 9; ++i) make({"backup_20251012_16270" + std::to_string(i) + ".json", i, {{"users", 30}}});
        examined();
        set_latest(*store, kNewest);
    }
    bool there(const std::string& name) { return std::filesystem::exists(folder + "/" + name); }
};

struct Attack {
    const char* name;
    const char* action;
    std::string file;
    std::function<void(Nights&)> prepare, check;

    // Runs the child to its end for its steps, then once for each of them in a fresh folder, killed there.
    void run() const {
        std::vector<std::string> points;
        {
            Nights on;
            prepare(on);
            points = Child{action, "hr", on.folder, file}.all_points();
            if (std::string(action) != "forget") points = attacks::telling(points);
        }
        REQUIRE(points.size() > 8);
        Row row(name);
        for (const std::string& point : points) {
            INFO("killed at " << point);
            Nights on;
            prepare(on);
            CHECK(Child{action, "hr", on.folder, file}.is_killed_at(point));
            ++row.points;
            row.look_at(*on.store, on.context);
            check(on);
            row.look_at(*on.store, on.context);
        }
    }
};

Forgotten forget_all(const Nights& on) {
    ForgetRules rules;
    rules.keep.keep_last = 7;
    return forget(on.place, rules, false, on.context);
}

}  // namespace

TEST_CASE("S3, S13: retention killed at any step loses none but old files, and the next run ends it") {
    Attack{"kill -9 at every step of retention", "forget", "",
           [](Nights& on) { on.store->write_state(manifest_key("backup_20251012_162700.json"), "{}"); },  // its file is gone
           [](Nights& on) {
               CHECK(on.names().size() >= 7);
               for (int i = 3; i <= 9; ++i) CHECK(on.there("backup_20251012_16270" + std::to_string(i) + ".json"));
               CHECK(latest_name(*on.store) == kNewest);
               for (const ShelfItem& item : read_shelf(*on.store, false, on.context))
                   CHECK((item.manifest && item.manifest->verified));
               forget_all(on);
               CHECK(on.names().size() == 7);
               CHECK(on.store->list_state("manifests").size() == 7);
           }}
        .run();
}

TEST_CASE("S2, S7: an acceptance killed at any step leaves the file what it was or accepted, and accepting again ends it") {
    const auto prepare = [](Nights& on) {
        on.make({kSuspect, 10, {{"users", 5}}});
        on.examined();
    };
    const auto check = [](Nights& on) {
        REQUIRE(on.store->pointer("backup_latest.json"));
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
    };
    Attack{"kill -9 at every step of accept", "accept", kSuspect, prepare, check}.run();
}

TEST_CASE("S1: a rehash killed at any step leaves the old files as they are, and no more than one whole one beside them") {
    const std::string file = "backup_20251012_162701.json";
    const auto check = [&](Nights& on) {
        const std::size_t now = on.names().size();
        CHECK((now == 9 || now == 10));
        for (int i = 1; i <= 9; ++i) CHECK(on.there("backup_20251012_16270" + std::to_string(i) + ".json"));
        CHECK(latest_name(*on.store) == kNewest);
        CHECK(rehash(on.place, file, on.context).manifest.edited_from != "");
        CHECK(on.names().size() == now + 1);
    };
    Attack{"kill -9 at every step of rehash", "rehash", file, [](Nights&) {}, check}.run();
}

TEST_CASE("S1, S2: a rekey killed at any step leaves the old file or the new one, whole, and latest at one of them") {
    const auto vault = attacks::rekey_vault();
    const auto prepare = [&](Nights& on) { on.context.vault = vault.get(); };
    const auto check = [](Nights& on) {
        const auto latest = latest_name(*on.store);
        REQUIRE(latest);
        CHECK(verify_file(*on.store, *latest, false, on.context).manifest.sequence == 9);
        const auto files = on.names();
        const auto copies = std::count_if(files.begin(), files.end(), [](const std::string& name) {
            return name.rfind(kNewest, 0) == 0 || name.find(".age") != std::string::npos;
        });
        CHECK((copies == 1 || copies == 2));
        CHECK(files.size() == 8 + static_cast<std::size_t>(copies));
    };
    Attack{"kill -9 at every step of rekey", "rekey", kNewest, prepare, check}.run();
}
