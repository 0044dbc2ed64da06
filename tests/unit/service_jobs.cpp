#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "service/events.h"
#include "service/job_file.h"
#include "service/jobs.h"
#include "store/local.h"

using namespace reprise;

namespace {

struct Folder {
    std::string path = std::filesystem::temp_directory_path() / "reprise_jobs_XXXXXX";
    Folder() {
        if (::mkdtemp(path.data()) == nullptr) std::abort();
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

JobRecord record_of(std::uint64_t id) {
    JobRecord job;
    job.id = id;
    job.kind = "backup";
    job.started_us = job.beat_us = system_clock().unix_us();
    job.process = this_process();
    return job;
}

JobPlan plan(Work work) { return {"backup", true, true, {}, {}, std::move(work)}; }

}  // namespace

TEST_CASE("job ids stay below 2^53 and grow with time") {
    const std::uint64_t now = new_job_id(1800000000000000), later = new_job_id(1800000000001000);
    CHECK(now < later);
    CHECK(new_job_id(3000000000000000) < (std::uint64_t{1} << 53));
}

TEST_CASE("a job's file reads back as it was written") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    JobRecord job = record_of(77);
    job.state = JobState::failed;
    job.progress.collection = "users";
    job.progress.documents = 5;
    job.error = Failure(Code::corrupt, "file_truncated", "it ends too early");
    job.error->from(Origin::system, 28).may_retry();
    write_job(*store, folder.path, job);
    const auto back = read_job(*store, 77);
    REQUIRE(back.has_value());
    CHECK(job_to_json(*back) == job_to_json(job));
    CHECK(!read_job(*store, 78).has_value());
}

TEST_CASE("a running job reads as failed once its process is gone") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    JobRecord job = record_of(1);
    write_job(*store, folder.path, job);
    CHECK(read_job(*store, 1)->state == JobState::running);
    job.process.start += 1;  // the same pid, given to another process
    write_job(*store, folder.path, job);
    CHECK(read_job(*store, 1)->state == JobState::failed);
    CHECK(read_job(*store, 1)->error->reason == "process_died");
}

TEST_CASE("a job whose process was killed is buried once, with its actor and its last sign of life") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    JobRecord job = record_of(1);
    job.actor = {"rest", "anne", "192.0.2.1", "7"};
    job.file = "backup_x.json";
    write_job(*store, folder.path, job);
    CHECK(bury_dead_jobs(*store, folder.path).empty());
    job.process.start += 1;
    write_job(*store, folder.path, job);
    const auto buried = bury_dead_jobs(*store, folder.path);
    REQUIRE(buried.size() == 1);
    CHECK(buried[0].actor.who == "anne");
    CHECK(buried[0].file == "backup_x.json");
    CHECK(buried[0].ended_us == job.beat_us);
    CHECK(bury_dead_jobs(*store, folder.path).empty());
    CHECK(read_job(*store, 1)->error->reason == "process_died");
}

TEST_CASE("another machine's job reads as dead only after a long silence") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    JobRecord job = record_of(1);
    job.process.boot = "another";
    write_job(*store, folder.path, job);
    CHECK(read_job(*store, 1)->state == JobState::running);
    for (const std::int64_t ms : {-2 * kForeignSilenceMs, 4 * kForeignSilenceMs}) {  // a clock may have been set back since
        job.beat_us += ms * 1000;
        write_job(*store, folder.path, job);
        CHECK(read_job(*store, 1)->state == JobState::failed);
    }
}

TEST_CASE("a damaged job file hides one job, not the list") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    write_job(*store, folder.path, record_of(5));
    store->write_state("jobs/6.json", "{\"id\":6");
    store->write_state("jobs/notes.txt", "x");
    const auto jobs = read_jobs(*store);
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].id == 5);
}

TEST_CASE("the last 64 ended jobs and all running ones are kept") {
    const Folder folder;
    const auto store = open_local_store(folder.path);
    for (std::uint64_t id = 1; id <= 70; ++id) {
        JobRecord job = record_of(id);
        if (id > 3) job.state = JobState::done;
        write_job(*store, folder.path, job);
    }
    ask_to_cancel(*store, folder.path, 4);
    ask_to_cancel(*store, folder.path, 3);
    prune_jobs(*store, folder.path);
    CHECK(read_jobs(*store).size() == 67);
    CHECK(read_job(*store, 1).has_value());
    CHECK(!read_job(*store, 4).has_value());
    CHECK(!asked_to_cancel(*store, 4));
    CHECK(asked_to_cancel(*store, 3));
}

TEST_CASE("a job gives its result to this engine and to others on the folder") {
    const Folder folder;
    Jobs jobs(folder.path, std::make_shared<Events>(Level::info));
    const auto id = jobs.start(plan([](const Workbench&) { return Json::object({{"n", 7}}); }));
    CHECK(jobs.wait(id, 10000).result.at("n").as_int() == 7);
    Jobs other(folder.path, std::make_shared<Events>(Level::info));
    CHECK(other.wait(id, 10000).result.at("n").as_int() == 7);
    CHECK(other.list().size() == 1);
}

TEST_CASE("whatever a job throws becomes its error") {
    const Folder folder;
    Jobs jobs(folder.path, std::make_shared<Events>(Level::info));
    const auto reason = [&](Work work) { return jobs.wait(jobs.start(plan(std::move(work))), 10000).error->reason; };
    CHECK(reason([](const Workbench&) -> Json { throw Failure(Code::io, "disk_full", "no room"); }) == "disk_full");
    CHECK(reason([](const Workbench&) -> Json { throw std::bad_alloc(); }) == "out_of_memory");
    CHECK(reason([](const Workbench&) -> Json { throw std::runtime_error("x"); }) == "unexpected");
}

TEST_CASE("a job whose record is put off leaves no file when it never asks for one") {
    const Folder folder;
    Jobs jobs(folder.path, std::make_shared<Events>(Level::info));
    JobPlan quiet{"startup", false, false, {}, {}, [](const Workbench&) { return Json(); }};
    jobs.wait(jobs.start(quiet), 10000);
    CHECK(!std::filesystem::exists(folder.path + "/.reprise"));
    JobPlan loud{"startup", false, false, {}, {}, [](const Workbench& bench) {
                     bench.record();
                     return Json();
                 }};
    const auto id = jobs.start(loud);
    jobs.wait(id, 10000);
    CHECK(std::filesystem::exists(folder.path + "/.reprise/jobs/" + std::to_string(id) + ".json"));
}

TEST_CASE("an engine that goes leaves a stuck job to itself") {
    const Folder folder;
    const auto events = std::make_shared<Events>(Level::debug);
    const auto release = std::make_shared<Cancel>();
    const auto left = std::make_shared<Cancel>();
    {
        Jobs jobs(folder.path, events);
        jobs.start(plan([release, left](const Workbench& bench) {
            release->wait_ms(20000);  // deaf to its own cancel
            bench.context.log(Level::error, "never seen");
            bench.context.progress(Progress());
            left->request();
            return Json();
        }));
        CHECK(!jobs.shutdown(50));
    }
    release->request();
    CHECK(left->wait_ms(20000));
    CHECK(!events->next(0).has_value());
    // The thread ends by itself; its last write must not race with the removal of the folder.
    const auto store = open_local_store(folder.path, true);
    for (int i = 0; i < 1000 && read_jobs(*store).at(0).state == JobState::running; ++i) left->wait_ms(0), ::usleep(10000);
    CHECK(read_jobs(*store).at(0).state == JobState::done);
}

TEST_CASE("the ring drops the oldest events and counts them") {
    Events events(Level::info);
    for (int i = 0; i < 1030; ++i) events.push(Json(i));
    CHECK(events.next(0)->at("count").as_int() == 6);
    CHECK(events.next(0)->as_int() == 6);
    events.log(Level::debug, "below the level");
    for (int i = 7; i < 1030; ++i) CHECK(events.next(0)->as_int() == i);
    CHECK(!events.next(0).has_value());
}
