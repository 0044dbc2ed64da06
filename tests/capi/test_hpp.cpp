// reprise.hpp with exceptions; tests/consumer builds it without.
#include <cstdlib>
#include <string>

#include "reprise/reprise.hpp"
#include "support.h"

namespace {

std::string config(const char* folder) {
    return std::string(R"({"mongo_url":")") + NOWHERE + R"(","database":"hpp","directory":")" + folder + "\"}";
}

void a_wrong_configuration_is_an_error(const char* folder) {
    auto opened = reprise::engine::open(R"({"databse":"x"})");
    CHECK(!opened.ok());
    CHECK(opened.error().code() == REPRISE_E_INVALID_CONFIG);
    CHECK(opened.error().reason() == "key_unknown");
    CHECK(opened.error().code_name() == "invalid_config");
    try {
        reprise::engine::open("{").or_throw();
        CHECK(false);
    } catch (const reprise::failure& failure) {
        CHECK(failure.why().code() == REPRISE_E_INVALID_CONFIG);
        CHECK(std::string(failure.what()).find("configuration") != std::string::npos);
    }
    static_cast<void>(folder);
}

void an_engine_works_and_moves(const char* folder) {
    auto opened = reprise::engine::open(config(folder));
    CHECK(opened.ok());
    reprise::engine engine = std::move(opened).or_throw();
    reprise::engine moved = std::move(engine);
    CHECK(moved.list()->view() == R"({"backups":[],"total":0})");
    CHECK(moved.config()->view().find("***") != std::string_view::npos);
    CHECK(moved.status().ok());
    CHECK(moved.jobs().ok());
    CHECK(moved.events_fd().value() >= 0);
    CHECK(moved.next_event(0)->empty());
    CHECK(moved.show("backup_20250101_000000.json").error().reason() == "file_missing");
    CHECK(moved.open_stream("cat", "nothing.json").error().code() == REPRISE_E_NOT_FOUND);
    auto key = reprise::new_key("age");
    CHECK(key.ok());
    CHECK(reprise::key_recipient(key->secret.view())->view() == key->shared.view());
    CHECK(reprise::new_key("rsa").error().reason() == "key_kind_unknown");
    CHECK(moved.set_secret("identity", key->secret.view()).ok());
    CHECK(moved.set_secret("nothing", "x").error().reason() == "secret_unknown");
    auto job = moved.start("verify");
    CHECK(job.ok());
    CHECK(moved.wait(*job, 10000)->state == REPRISE_JOB_FAILED);
    CHECK(moved.job_result(*job).error().code() == REPRISE_E_NOT_FOUND);
    CHECK(moved.cancel(*job).ok());
    CHECK(moved.shutdown(1000).ok());
    CHECK(reprise::shutdown(1000).ok());
    CHECK(reprise::build().ok());
}

}  // namespace

int main() {
    char folder[512];
    make_folder(folder, sizeof folder);
    a_wrong_configuration_is_an_error(folder);
    an_engine_works_and_moves(folder);
    remove_tree(folder);
    return check_end("test_hpp");
}
