// The audit log: the chain, what breaks it, files that are begun anew, and counted failures.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "crypto/digest.h"
#include "doctest/doctest.h"
#include "service/audit.h"
#include "service/throttle.h"
#include "store/local.h"
#include "store_support.h"

using namespace reprise;

namespace {

AuditEntry entry(const std::string& what) {
    AuditEntry out;
    out.what = what;
    out.actor.who = "sophie";
    return out;
}

std::string log_file(const std::string& folder, int number = 1) {
    return folder + "/.reprise/audit/0000000" + std::to_string(number) + ".jsonl";
}

std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void spit(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("audit lines are chained by hash, and the event holds the hash of its line") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    std::string hash;
    for (const char* what : {"backup", "restore", "delete"}) {
        const Json event = audit_add(*store, folder.path, entry(what));
        CHECK(event.at("prev").as_string() == hash);
        hash = event.at("hash").as_string();
    }
    const auto check = audit_check(*store);
    CHECK(check.problems.empty());
    CHECK(check.lines == 3);
    CHECK(check.last_hash == hash);
    const auto lines = audit_read(*store, 2);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("what").as_string() == "delete");
    CHECK(lines[1].at("n").as_int() == 2);
    struct stat info {};
    REQUIRE(::stat(log_file(folder.path).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("an audit line that was changed, taken out, or put in shows") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    for (int i = 0; i < 5; ++i) audit_add(*store, folder.path, entry("backup"));
    const std::string path = log_file(folder.path), whole = slurp(path);
    const auto problems = [&](const std::string& text) {
        spit(path, text);
        return audit_check(*store).problems.size();
    };
    const std::size_t second = whole.find('\n') + 1, third = whole.find('\n', second) + 1;
    std::string changed = whole;
    changed.replace(changed.find("sophie", second), 6, "nobody");
    CHECK(problems(whole) == 0);
    CHECK(problems(changed) == 1);
    CHECK(problems(whole.substr(0, second) + whole.substr(third)) >= 1);
    CHECK(problems(whole.substr(0, third) + whole.substr(second)) >= 1);
    CHECK(problems(whole.substr(0, second) + "junk\n" + whole.substr(second)) >= 1);
    // The last ones: only the host, who kept their hashes, can tell.
    CHECK(problems(whole.substr(0, third)) == 0);
}

TEST_CASE("an audit line that a crash cut off stays in the chain and is named") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    audit_add(*store, folder.path, entry("backup"));
    audit_add(*store, folder.path, entry("backup"));
    const std::string path = log_file(folder.path), whole = slurp(path);
    spit(path, whole.substr(0, whole.size() - 10));
    audit_add(*store, folder.path, entry("restore"));
    const auto check = audit_check(*store);
    CHECK(check.lines == 3);
    REQUIRE(check.problems.size() == 1);
    CHECK(check.problems[0].find("line 2 is no whole line") == 0);
    CHECK(audit_read(*store, 1)[0].at("n").as_int() == 3);
}

TEST_CASE("the first lines, or whole files, that were taken out show") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    for (int i = 0; i < 3; ++i) audit_add(*store, folder.path, entry("backup"));
    const std::string text = slurp(log_file(folder.path, 1));
    spit(log_file(folder.path, 1), text.substr(text.find('\n') + 1));
    CHECK(audit_check(*store).problems.at(0).find("line 2 is not the first of its file") == 0);
    spit(log_file(folder.path, 1), text);
    CHECK(audit_check(*store).problems.empty());
    spit(log_file(folder.path, 1), text + std::string(kAuditFileBytes, 'x') + "\n");
    audit_add(*store, folder.path, entry("backup"));
    std::filesystem::remove(log_file(folder.path, 1));
    CHECK(audit_check(*store).problems.at(0).find("files before 00000002.jsonl are missing") == 0);
}

TEST_CASE("a full audit file is followed by a new one, and the oldest go when all are over the cap") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    audit_add(*store, folder.path, entry("backup"));
    for (int file = 1; file <= 4; ++file) {
        const std::string text = slurp(log_file(folder.path, file));
        // A long last line, as a person may have made it: the file is full, and the chain goes on from that line.
        spit(log_file(folder.path, file), text + std::string(kAuditFileBytes, 'x') + "\n");
        audit_add(*store, folder.path, entry("backup"), 2 * kAuditFileBytes);
    }
    CHECK(store->list_state("audit").size() == 2);
    const auto check = audit_check(*store, 2 * kAuditFileBytes);
    CHECK(check.first > 1);
    CHECK(check.problems.size() == 1);  // the long line
}

TEST_CASE("many threads write audit lines and the chain stays whole") {
    const store_test::TempFolder folder;
    open_local_store(folder.path);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            const auto store = open_local_store(folder.path);
            for (int i = 0; i < 25; ++i) audit_add(*store, folder.path, entry("backup"));
        });
    for (auto& thread : threads) thread.join();
    const auto check = audit_check(*open_local_store(folder.path));
    CHECK(check.lines == 100);
    CHECK(check.problems.empty());
}

TEST_CASE("what comes from outside cannot break an audit line") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    AuditEntry evil = entry("delete");
    evil.file = "a\nb\"}\xFF";
    evil.actor.who = std::string(5000, 'w');
    audit_add(*store, folder.path, evil);
    const auto line = audit_read(*store, 1)[0];
    CHECK(line.at("file").as_string() == "a?b\"}?");
    CHECK(line.at("who").as_string().size() <= 120);
    CHECK(audit_check(*store).problems.empty());
}

TEST_CASE("failed authentications make an address wait, and one counted line per minute") {
    const store_test::TempFolder folder;
    const auto store = open_local_store(folder.path);
    const std::int64_t begin = 29338107LL * kMinuteUs;
    for (int i = 0; i < 12; ++i) {
        CHECK((must_wait_s(*store, "192.0.2.1", begin + i) > 0) == (i >= kFailuresPerMinute));
        count_refusal(*store, folder.path, {"192.0.2.1", "not_authenticated", ""}, begin + i);
    }
    CHECK(must_wait_s(*store, "192.0.2.1", begin + 20 * 1000000LL) == 40);
    CHECK(must_wait_s(*store, "192.0.2.2", begin) == 0);
    CHECK(must_wait_s(*store, "192.0.2.1", begin + kMinuteUs) == 0);
    CHECK(audit_read(*store, 10).empty());
    count_refusal(*store, folder.path, {"192.0.2.2", "not_authenticated", ""}, begin + kMinuteUs);
    const auto lines = audit_read(*store, 10);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("from").as_string() == "192.0.2.1");
    CHECK(lines[0].at("count").as_int() == 12);
    CHECK(lines[0].at("minute").as_string() == iso_time(begin));
    for (std::size_t i = 0; i < 30; ++i)
        count_refusal(*store, folder.path, {"192.0.3." + std::to_string(i), "not_authenticated", ""}, begin + kMinuteUs);
    CHECK(audit_read(*store, 10).size() == 1);
    count_refusal(*store, folder.path, {"192.0.2.1", "not_admin", "paul"}, begin + kMinuteUs);
    flush_refusals(*store, folder.path, begin + kMinuteUs);
    CHECK(audit_read(*store, 100).size() == 1);
    flush_refusals(*store, folder.path, begin + 2 * kMinuteUs);
    flush_refusals(*store, folder.path, begin + 2 * kMinuteUs);
    const auto flushed = audit_read(*store, 100);
    // Of many addresses the first are told apart, the others share one line; who is known is told by name.
    REQUIRE(flushed.size() == 1 + kMaxAddresses + 2);
    CHECK(must_wait_s(*store, "192.0.9.9", begin + kMinuteUs) == 0);
    CHECK(flushed[0].at("who").as_string() == "paul");
    CHECK(flushed[0].at("reason").as_string() == "not_admin");
}
