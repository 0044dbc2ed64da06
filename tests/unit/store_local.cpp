#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "store_support.h"

using namespace reprise;
using namespace store_test;

TEST_CASE("what is put into a store comes out of it") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "backup_20251012_162721.json", "hello");
    auto blob = store->open("backup_20251012_162721.json");
    CHECK(get(*blob) == "hello");
    blob->rewind();
    CHECK(get(*blob) == "hello");
    CHECK(blob->size_bytes() == 5);
    CHECK(blob->modified_us() > 0);
    CHECK(store->path_of("x") == temp.path + "/x");
    const auto list = store->list();
    REQUIRE(list.size() == 1);
    CHECK(list[0].name == "backup_20251012_162721.json");
    CHECK(list[0].size_bytes == 5);
}

TEST_CASE("a blob is invisible until it is published, and gone when it is dropped") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    {
        auto blob = store->create();
        blob->write("half");
        CHECK(store->list().empty());
        CHECK(entries(temp.path).size() == 2);  // .reprise and the temporary file
        CHECK(reason_of([&] { blob->publish("x"); }) == "blob_unfinished");
        blob->finish();
        CHECK(get(*blob->reopen()) == "half");
        CHECK(store->list().empty());
    }
    CHECK(entries(temp.path).size() == 1);
}

TEST_CASE("files are 0600 and folders 0700 from their first byte, whatever the umask (S13)") {
    for (const mode_t mask : {0, 0022, 0777}) {
        const TempFolder temp;
        const std::string folder = temp.of("a/b/backups");
        CHECK(in_child([&] {
                  ::umask(mask);
                  // A user without root's powers, so that the modes count.
                  if (::getuid() == 0 &&
                      (::chown(temp.path.c_str(), 65534, 65534) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0))
                      return 1;
                  const auto store = open_local_store(folder);
                  auto blob = store->create();
                  for (const std::string& name : entries(folder))
                      if (name != ".reprise" && mode_of(folder + "/" + name) != 0600) return 2;
                  blob->write("x");
                  blob->finish();
                  blob->publish("x");
                  store->write_state("manifests/x.json", "{}");
                  const auto lock = FolderLock::try_acquire(folder, "1");
                  const StateLock state(folder);
                  return ::umask(mask) == mask ? 0 : 3;
              }) == 0);
        CHECK(mode_of(temp.of("a")) == 0700);
        CHECK(mode_of(temp.of("a/b")) == 0700);
        CHECK(mode_of(folder) == 0700);
        CHECK(mode_of(folder + "/.reprise") == 0700);
        CHECK(mode_of(folder + "/.reprise/manifests") == 0700);
        CHECK(mode_of(folder + "/x") == 0600);
        CHECK(mode_of(folder + "/.reprise/manifests/x.json") == 0600);
        CHECK(mode_of(folder + "/.reprise/operation.lock") == 0600);
        CHECK(mode_of(folder + "/.reprise/state.lock") == 0600);
    }
}

TEST_CASE("a name that is not one component is refused everywhere (S11)") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    std::ofstream(temp.path + "/../reprise_outside") << "secret";
    put(*store, "fine", "x");
    for (const std::string& name :
         {std::string(""), std::string("."), std::string(".."), std::string("../reprise_outside"), std::string("/etc/passwd"),
          std::string("a/b"), std::string(".reprise"), std::string(".hidden"), std::string("a\0b", 3), std::string("fine\0", 5),
          std::string("\xff"), std::string("\xC0\xAE\xC0\xAE/x"), std::string(256, 'x')}) {
        CAPTURE(name);
        CHECK(reason_of([&] { store->open(name); }) == "name_invalid");
        CHECK(reason_of([&] { store->remove(name); }) == "name_invalid");
        CHECK(reason_of([&] { store->rename("fine", name); }) == "name_invalid");
        CHECK(reason_of([&] { store->rename(name, "other"); }) == "name_invalid");
        CHECK(reason_of([&] { put(*store, name, "x"); }) == "name_invalid");
        CHECK(reason_of([&] { store->set_pointer(name, "fine", {}); }) == "name_invalid");
        CHECK(reason_of([&] { store->set_pointer("latest", name, {}); }) == "name_invalid");
        CHECK(reason_of([&] { store->pointer(name); }) == "name_invalid");
        CHECK(reason_of([&] { store->read_state("jobs/" + name); }) == "name_invalid");
        CHECK(reason_of([&] { store->write_state(name.empty() ? name : name + "/x", "x"); }) == "name_invalid");
    }
    std::filesystem::remove(temp.path + "/../reprise_outside");
    CHECK(reason_of([&] { store->open("%2e%2e%2freprise_outside"); }) == "file_missing");  // never decoded
}

TEST_CASE("links out of the folder, chains, folders and pipes are refused") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "fine", "x");
    std::filesystem::create_symlink("/etc/passwd", temp.of("absolute"));
    std::filesystem::create_symlink("../x", temp.of("up"));
    std::filesystem::create_symlink("loop", temp.of("loop"));
    std::filesystem::create_symlink("gone", temp.of("dangling"));
    std::filesystem::create_symlink("fine", temp.of("good"));
    std::filesystem::create_directory(temp.of("folder"));
    REQUIRE(::mkfifo(temp.of("pipe").c_str(), 0600) == 0);
    CHECK(reason_of([&] { store->open("absolute"); }) == "link_leaves_folder");
    CHECK(reason_of([&] { store->open("up"); }) == "link_leaves_folder");
    CHECK(reason_of([&] { store->open("loop"); }) == "not_a_file");
    CHECK(reason_of([&] { store->open("dangling"); }) == "file_missing");
    CHECK(reason_of([&] { store->open("folder"); }) == "not_a_file");
    CHECK(reason_of([&] { store->open("pipe"); }) == "not_a_file");
    CHECK(reason_of([&] { store->remove("folder"); }) == "not_a_file");
    CHECK(store->open("good")->name() == "fine");
    CHECK_FALSE(store->pointer("absolute"));
    CHECK_FALSE(store->pointer("dangling"));
    CHECK(store->pointer("good") == "fine");
    CHECK(store->list().size() == 1);
    CHECK(store->is_regular("fine"));
    CHECK_FALSE(store->is_regular("good"));
    CHECK_FALSE(store->is_regular("folder"));
}

TEST_CASE("a hidden folder that is a link is refused") {
    const TempFolder temp, other;
    std::filesystem::create_directory_symlink(other.path, temp.of(".reprise"));
    CHECK(reason_of([&] { open_local_store(temp.path); }) == "not_a_folder");
}

TEST_CASE("nothing is ever published or renamed over what is there") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "a", "first");
    CHECK(reason_of([&] { put(*store, "a", "second"); }) == "name_taken");
    put(*store, "b", "third");
    CHECK(reason_of([&] { store->rename("b", "a"); }) == "name_taken");
    CHECK(reason_of([&] { store->rename("gone", "c"); }) == "file_missing");
    CHECK(get(*store->open("a")) == "first");
    CHECK(get(*store->open("b")) == "third");
    CHECK(store->list().size() == 2);
    CHECK(entries(temp.path).size() == 3);
    store->rename("b", "c");
    CHECK(get(*store->open("c")) == "third");
    store->remove("c");
    CHECK(reason_of([&] { store->remove("c"); }) == "file_missing");
}

TEST_CASE("of many that publish one name exactly one wins") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    std::atomic<int> won{0}, lost{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            const std::string reason = reason_of([&] { put(*store, "one", std::to_string(i)); });
            ++(reason == "name_taken" ? lost : won);
        });
    for (auto& thread : threads) thread.join();
    CHECK(won == 1);
    CHECK(lost == 7);
    CHECK(entries(temp.path).size() == 2);
}

TEST_CASE("a folder of ten thousand files is listed in order") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    for (int i = 0; i < 10000; ++i) std::ofstream(temp.of("f" + std::to_string(10000 + (i * 7919) % 10000)));
    const auto list = store->list();
    REQUIRE(list.size() == 10000);
    CHECK(list.front().name == "f10000");
    CHECK(list.back().name == "f19999");
}

TEST_CASE("a store that is opened to be read makes nothing, and is empty where no folder is") {
    const TempFolder temp;
    const std::string folder = temp.of("none");
    const auto store = open_local_store(folder, true);
    CHECK(store->list().empty());
    CHECK(store->list_state("manifests").empty());
    CHECK_FALSE(store->read_state("owner"));
    CHECK_FALSE(store->pointer("backup_latest.json"));
    CHECK(reason_of([&] { store->open("x"); }) == "file_missing");
    CHECK_FALSE(std::filesystem::exists(folder));
    std::filesystem::create_directory(folder);
    CHECK(store->list().empty());
    CHECK_FALSE(store->read_state("owner"));
    CHECK(entries(folder).empty());
}

TEST_CASE("state is written atomically, read back, listed and removed") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    CHECK_FALSE(store->read_state("owner"));
    store->write_state("owner", "one");
    store->write_state("owner", "two");
    CHECK(store->read_state("owner") == "two");
    store->write_state("jobs/2.json", "b");
    store->write_state("jobs/1.json", "");
    CHECK(store->list_state("jobs") == std::vector<std::string>{"1.json", "2.json"});
    CHECK(store->read_state("jobs/1.json") == "");
    store->remove_state("jobs/1.json");
    store->remove_state("jobs/1.json");
    CHECK(store->list_state("jobs") == std::vector<std::string>{"2.json"});
    CHECK(entries(temp.of(".reprise/jobs")).size() == 1);
}

TEST_CASE("the sweep removes what the dead left and nothing else") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    put(*store, "kept", "x");
    store->write_state("jobs/1.json", "x");
    const std::string dead = ".reprise_tmp_0123456789abcdef0123456789abcdef";
    for (const std::string& place : {temp.of(dead), temp.of(".reprise/" + dead), temp.of(".reprise/jobs/" + dead)})
        std::ofstream(place) << "x";
    std::ofstream(temp.of(".other")) << "x";
    auto living = store->create();
    CHECK(store->sweep().size() == 3);
    CHECK(store->sweep().empty());
    living->write("alive");
    living->finish();
    living->publish("alive");
    CHECK(store->list().size() == 2);
    CHECK(std::filesystem::exists(temp.of(".other")));
    CHECK(entries(temp.of(".reprise/jobs")).size() == 1);
}

TEST_CASE("a folder that is a file, missing, or not ours is said with the way out") {
    const TempFolder temp;
    std::ofstream(temp.of("file")) << "x";
    CHECK(reason_of([&] { open_local_store(temp.of("file")); }) == "not_a_folder");
    CHECK(reason_of([&] { open_local_store(temp.of("file/below")); }) == "not_a_folder");
    CHECK(reason_of([&] { open_local_store(""); }) == "not_a_folder");
    const auto store = open_local_store(temp.of("backups"));
    std::filesystem::remove_all(temp.of("backups"));
    CHECK(reason_of([&] { store->list(); }) == "folder_missing");
    CHECK(reason_of([&] { put(*store, "x", "x"); }) == "folder_missing");
    if (::getuid() != 0) return;
    CHECK(in_child([&] {
              if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 1;
              if (reason_of([&] { open_local_store(temp.of("other")); }) != "permission_denied") return 2;
              try {
                  open_local_store(temp.path);
              } catch (const Failure& failure) {
                  return failure.code == Code::denied && failure.message.find(temp.path) != std::string::npos &&
                                 failure.message.find("give this user") != std::string::npos
                             ? 0
                             : 3;
              }
              return 4;
          }) == 0);
}

TEST_CASE("a full disk is said as such and leaves nothing behind") {
    const TempFolder temp;
    const int result = in_child([&] {
        if (::mount("none", temp.path.c_str(), "tmpfs", 0, "size=1m") != 0) return 77;
        int code = 0;
        {
            const auto store = open_local_store(temp.path);
            const std::string text(256 * 1024, 'x');
            const std::string reason = reason_of([&] {
                auto blob = store->create();
                for (int i = 0; i < 16; ++i) blob->write(text);
            });
            if (reason != "disk_full") code = 1;
            if (entries(temp.path).size() != 1) code = 2;
        }
        ::umount2(temp.path.c_str(), MNT_DETACH);
        return code;
    });
    if (result == 77) MESSAGE("not shown here: this user may not mount a small file system");
    CHECK((result == 0 || result == 77));
}

TEST_CASE("a read-only folder is said as such") {
    const TempFolder temp;
    const int result = in_child([&] {
        if (::mount("none", temp.path.c_str(), "tmpfs", MS_RDONLY, nullptr) != 0) return 77;
        const std::string reason = reason_of([&] { open_local_store(temp.path); });
        ::umount2(temp.path.c_str(), MNT_DETACH);
        return reason == "read_only_folder" ? 0 : 1;
    });
    if (result == 77) MESSAGE("not shown here: this user may not mount a read-only file system");
    CHECK((result == 0 || result == 77));
}
