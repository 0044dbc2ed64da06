#include "engine_backup_files.h"

using namespace backup_files;

namespace {
const std::string kName = "backup_20251012_162721.json";
}

TEST_CASE("verify reads a whole file and says what it holds") {
    Shelf on;
    on.make({kName, 4, {{"absences", 2}, {"users", 3}}});
    const VerifyResult result = verify_file(*on.store, kName, false, on.context);
    CHECK(result.manifest.verified);
    CHECK(result.manifest.sequence == 4);
    CHECK(result.manifest.summary.documents == 5);
    CHECK(result.manifest.summary.find("users")->documents == 3);
    CHECK(result.manifest.deployment == std::string(kDeployment));
    CHECK(result.warnings.empty());
    CHECK_FALSE(on.store->read_state(manifest_key(kName)));  // not asked to remember
}

TEST_CASE("S15: a file cut anywhere, or with any bit flipped, does not verify") {
    Shelf on;
    on.make({kName, 4, {{"users", 2}}});
    const std::string whole = on.text_of(kName);
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        CAPTURE(size);
        on.write_text(kName, whole.substr(0, size));
        CHECK(failure_of([&] { verify_file(*on.store, kName, false, on.context); }).code == Code::corrupt);
    }
    for (std::size_t at = 0; at < whole.size(); at += 5) {
        CAPTURE(at);
        std::string bent = whole;
        bent[at] = static_cast<char>(bent[at] ^ 0x04);
        on.write_text(kName, bent);
        const Code code = failure_of([&] { verify_file(*on.store, kName, false, on.context); }).code;
        CHECK((code == Code::corrupt || code == Code::unsupported));
    }
}

TEST_CASE("verify that is asked to stop stops") {
    Shelf on;
    on.make({});
    on.cancel.request();
    CHECK(reason_of([&] { verify_file(*on.store, kName, false, on.context); }) == "cancelled");
}

TEST_CASE("a new verify keeps what people decided about a file") {
    Shelf on;
    on.make({});
    Manifest manifest = verify_file(*on.store, kName, true, on.context).manifest;
    manifest.state = "suspect";
    manifest.suspect_reason = "fewer_documents";
    manifest.pinned = true;
    on.store->write_state(manifest_key(kName), manifest_to_json(manifest).text());
    const Manifest again = verify_file(*on.store, kName, true, on.context).manifest;
    CHECK(again.state == "suspect");
    CHECK(again.pinned);
}

TEST_CASE("rehash makes a new backup of an edited file, says what changed, and leaves the edited one alone") {
    Shelf on;
    on.make({kName, 4, {{"absences", 2}, {"users", 3}}});
    const std::string id = verify_file(*on.store, kName, true, on.context).manifest.id;
    on.replace_in(kName, "{\"_id\":1,\"name\":\"person\"},\n", "");
    on.replace_in(kName, "\"name\":\"person\"", "\"name\":\"Sophie\"");
    const std::string edited = on.text_of(kName);
    CHECK(failure_of([&] { verify_file(*on.store, kName, false, on.context); }).code == Code::corrupt);
    const RehashResult result = rehash(on.place, kName, on.context);
    CHECK(on.text_of(kName) == edited);
    CHECK(result.manifest.name != kName);
    CHECK(result.manifest.edited_from == id);
    CHECK(result.manifest.id != id);
    CHECK(result.manifest.sequence == 5);
    CHECK(result.manifest.deployment == std::string(kDeployment));
    CHECK(result.manifest.summary.documents == 4);
    CHECK_FALSE(result.changes.empty());
    CHECK(verify_file(*on.store, result.manifest.name, false, on.context).manifest.verified);
}

TEST_CASE("a rehashed backup is never latest, never good by itself, never the guard's measure") {
    Shelf on;
    on.make({});
    on.examined();
    on.replace_in(kName, "person", "Sophie");
    const RehashResult result = rehash(on.place, kName, on.context);
    const auto shelf = on.examined();
    CHECK_FALSE(is_good(result.manifest));
    CHECK(latest_name(*on.store) != result.manifest.name);
    Manifest next = result.manifest;
    next.id = "next";
    next.sequence = 9;
    CHECK(counted_backups(*on.store, shelf, next).empty());
}

TEST_CASE("rehash of a file that is not JSON any more names the place, and leaves nothing behind") {
    Shelf on;
    on.make({});
    on.replace_in(kName, "\"name\":\"person\"", "\"name\":person\"");
    CHECK(failure_of([&] { rehash(on.place, kName, on.context); }).code == Code::corrupt);
    std::size_t entries = 0;
    for (const auto& entry : std::filesystem::directory_iterator(on.folder)) entries += entry.path().filename() != ".reprise";
    CHECK(entries == 1);
}
