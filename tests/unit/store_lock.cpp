#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "store_support.h"

using namespace reprise;
using namespace store_test;

TEST_CASE("one holder at a time, in one process and across threads") {
    const TempFolder temp;
    open_local_store(temp.path);
    auto lock = FolderLock::try_acquire(temp.path, "job 7");
    REQUIRE(lock);
    CHECK(FolderLock::holder_of(temp.path) == "job 7");
    CHECK_FALSE(FolderLock::try_acquire(temp.path, "8"));
    CHECK_FALSE(FolderLock::try_acquire(temp.path + "/.", "8"));
    std::thread([&] { CHECK_FALSE(FolderLock::try_acquire(temp.path, "9")); }).join();
    CHECK(FolderLock::holder_of(temp.path) == "job 7");
    lock.reset();
    CHECK(FolderLock::holder_of(temp.path).empty());
    CHECK(FolderLock::try_acquire(temp.path, "10"));
}

TEST_CASE("another process is kept out, and a killed holder holds nothing") {
    const TempFolder temp;
    open_local_store(temp.path);
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t holder = ::fork();
    if (holder == 0) {
        const auto lock = FolderLock::try_acquire(temp.path, "other process");
        (void)!::write(ready[1], lock ? "y" : "n", 1);
        ::pause();
        ::_exit(0);
    }
    char answer = '?';
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    CHECK_FALSE(FolderLock::try_acquire(temp.path, "mine"));
    CHECK(FolderLock::holder_of(temp.path) == "other process");
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    CHECK(FolderLock::holder_of(temp.path).empty());
    CHECK(FolderLock::try_acquire(temp.path, "mine"));
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_CASE("a forked child neither holds nor releases its parent's lock") {
    const TempFolder temp;
    open_local_store(temp.path);
    auto lock = FolderLock::try_acquire(temp.path, "parent");
    REQUIRE(lock);
    CHECK(in_child([&] {
              lock.reset();  // as a copied object's destructor would
              close_locks_in_child();
              return FolderLock::try_acquire(temp.path, "child") ? 1 : 0;
          }) == 0);
    CHECK_FALSE(FolderLock::try_acquire(temp.path, "second"));

    // A child that lives on does not keep the lock of a parent that released it.
    int hold[2];
    REQUIRE(::pipe(hold) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::close(hold[1]);
        char byte;
        (void)!::read(hold[0], &byte, 1);
        ::_exit(0);
    }
    lock.reset();
    lock = FolderLock::try_acquire(temp.path, "again");
    CHECK(lock);
    ::close(hold[0]);
    ::close(hold[1]);
    ::waitpid(child, nullptr, 0);
}

TEST_CASE("a lock whose folder was replaced is no lock of the new one") {
    const TempFolder temp;
    open_local_store(temp.path);
    const auto first = FolderLock::try_acquire(temp.path, "first");
    std::filesystem::remove_all(temp.of(".reprise"));
    CHECK(FolderLock::try_acquire(temp.path, "second"));
}

TEST_CASE("the state lock lets one through at a time, across threads and processes") {
    const TempFolder temp;
    const auto store = open_local_store(temp.path);
    store->write_state("count", "0");
    const auto add = [&] {
        for (int i = 0; i < 25; ++i) {
            const StateLock lock(temp.path);
            const int count = std::stoi(store->read_state("count").value());
            store->write_state("count", std::to_string(count + 1));
        }
    };
    const pid_t child = ::fork();
    if (child == 0) {
        add();
        ::_exit(0);
    }
    std::thread other(add);
    add();
    other.join();
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(store->read_state("count") == "75");
}
