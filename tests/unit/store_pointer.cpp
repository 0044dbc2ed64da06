#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "store_support.h"

using namespace reprise;
using namespace store_test;

TEST_CASE("a pointer is moved, resolved once, and never replaces a file of its own") {
    for (const Pointers kind : {Pointers::symbolic_link, Pointers::hard_link, Pointers::copy}) {
        CAPTURE(static_cast<int>(kind));
        const TempFolder temp;
        const auto store = open_local_store(temp.path, false, kind);
        put(*store, "backup_1.json", "one");
        put(*store, "backup_2.json", "two");
        CHECK_FALSE(store->pointer("backup_latest.json"));
        store->set_pointer("backup_latest.json", "backup_1.json", {});
        CHECK(store->pointer("backup_latest.json") == "backup_1.json");
        store->set_pointer("backup_latest.json", "backup_1.json", {});
        CHECK(store->pointer("backup_latest.json") == "backup_1.json");
        store->set_pointer("backup_latest.json", "backup_2.json", {});
        CHECK(store->pointer("backup_latest.json") == "backup_2.json");
        CHECK(get(*store->open("backup_latest.json")) == "two");
        CHECK_FALSE(store->is_regular("backup_latest.json"));
        CHECK(store->list().size() == 2);
        CHECK(entries(temp.path).size() == 4);
        store->set_pointer("backup_latest.json.gz", "backup_1.json", {"backup_latest.json", "backup_latest.json.zst"});
        CHECK(store->pointer("backup_latest.json.gz") == "backup_1.json");
        CHECK_FALSE(store->pointer("backup_latest.json"));
        CHECK(entries(temp.path).size() == 4);
        CHECK(reason_of([&] { store->set_pointer("backup_latest.json", "gone", {}); }) == "file_missing");

        std::ofstream(temp.of("backup_latest.json")) << "of the old system";
        CHECK(store->is_regular("backup_latest.json"));
        CHECK(reason_of([&] { store->set_pointer("backup_latest.json", "backup_2.json", {}); }) == "name_taken");
        store->set_pointer("backup_latest.json.gz", "backup_2.json", {"backup_latest.json"});
        CHECK(store->is_regular("backup_latest.json"));  // replaces names pointers only
        CHECK(get(*store->open("backup_latest.json")) == "of the old system");
    }
}

TEST_CASE("a symbolic pointer is relative, so that the folder can be moved") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "backup_1.json", "one");
    store->set_pointer("backup_latest.json", "backup_1.json", {});
    CHECK(std::filesystem::read_symlink(temp.of("backup_latest.json")) == "backup_1.json");
}

TEST_CASE("a racing reader finds a whole backup behind the pointer at every instant (S2)") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "b0", std::string(1000, '0'));
    store->set_pointer("latest", "b0", {});
    std::atomic<bool> stop{false};
    std::atomic<int> bad{0}, reads{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                try {
                    const auto blob = store->open("latest");
                    const std::string text = get(*blob);
                    if (text.size() != 1000 || text != std::string(1000, text[0])) ++bad;
                    ++reads;
                } catch (const Failure&) {
                    ++bad;
                }
            }
        });
    for (int i = 1; i < 100 || reads < 100; ++i) {
        const std::string name = "b" + std::to_string(i);
        put(*store, name, std::string(1000, static_cast<char>('0' + i % 10)));
        store->set_pointer("latest", name, {});
        store->remove("b" + std::to_string(i - 1));
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    CHECK(bad == 0);
}
