#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mongo/holder_posix.h"

using namespace reprise;

TEST_CASE("this process is alive, and its identity survives the document") {
    const HolderIdentity us = own_identity("job1");
    CHECK(us.pid == ::getpid());
    CHECK(us.start > 0);
    const HolderIdentity read = identity_from(to_bson(us));
    CHECK(read.boot == us.boot);
    CHECK(read.pid_namespace == us.pid_namespace);
    CHECK(read.pid == us.pid);
    CHECK(read.start == us.start);
    CHECK(read.job == "job1");
    CHECK_FALSE(proven_dead(read, us));
}

TEST_CASE("a process of the same number that started at another time is another one") {
    HolderIdentity holder = own_identity("job1");
    const HolderIdentity us = holder;
    ++holder.start;
    CHECK(proven_dead(holder, us));
}

TEST_CASE("death is proven only inside the same boot and PID namespace") {
    const HolderIdentity us = own_identity("job1");
    HolderIdentity holder = us;
    ++holder.start;
    HolderIdentity elsewhere = holder;
    elsewhere.boot = "another";
    CHECK_FALSE(proven_dead(elsewhere, us));
    elsewhere = holder;
    ++elsewhere.pid_namespace;
    CHECK_FALSE(proven_dead(elsewhere, us));
    elsewhere = holder;
    elsewhere.pid = 0;
    CHECK_FALSE(proven_dead(elsewhere, us));
    CHECK_FALSE(proven_dead(identity_from(BsonBuilder().str()), us));
    CHECK_FALSE(proven_dead(identity_from(BsonBuilder().add("boot", 1).add("pid", "x").str()), us));
}

TEST_CASE("a killed process is dead, before and after its parent has noticed") {
    const HolderIdentity us = own_identity("job1");
    int link[2];
    REQUIRE(::pipe(link) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const HolderIdentity own = own_identity("child");
        const std::string bytes = to_bson(own);
        static_cast<void>(!::write(link[1], bytes.data(), bytes.size()));
        for (;;) ::pause();
    }
    char bytes[4096];
    const ssize_t size = ::read(link[0], bytes, sizeof bytes);
    ::close(link[0]);
    ::close(link[1]);
    REQUIRE(size > 0);
    const HolderIdentity holder = identity_from(std::string_view(bytes, static_cast<std::size_t>(size)));
    CHECK_FALSE(proven_dead(holder, us));
    ::kill(child, SIGKILL);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
    CHECK(proven_dead(holder, us));  // a zombie
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(proven_dead(holder, us));  // gone
}
