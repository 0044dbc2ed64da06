#include <doctest/doctest.h>

#include "base/bson.h"
#include "base/failure.h"
#include "engine/record.h"
#include "format/names.h"

using namespace reprise;

namespace {

RestoreRecord full_record() {
    RestoreRecord record;
    record.version = "0.1.0";
    record.op = "0123abcd";
    record.term = 7;
    record.state = "swapping";
    record.attempts = 2;
    record.backup = "backup_20251012_162721.json";
    record.backup_sha256 = std::string(64, 'a');
    record.safety = "before_restore_20251012_170000.json";
    record.safety_sha256 = std::string(64, 'b');
    SwapStep step;
    step.what = "timeseries";
    step.target = "weather";
    step.staging = staging_name(record.op, 3);
    step.source_uuid = std::string("\0uuid-of-16-byte", 16);
    step.expected_uuid = std::string(16, 'e');
    step.documents = 12;
    step.digest = "xxh3-128-sorted:00";
    step.saved = CollectionSummary{3, 120, "xxh3-128-sorted:11"};
    step.options = BsonBuilder().add("expireAfterSeconds", 60).str();
    step.indexes = {BsonBuilder().add("name", "a_1").str(), BsonBuilder().add("name", "b_1").str()};
    step.done = true;
    record.steps.push_back(step);
    SwapStep ttl;
    ttl.what = "ttl";
    ttl.target = "sessions";
    ttl.index = BsonBuilder().add("name", "seen_1").str();
    record.steps.push_back(ttl);
    return record;
}

std::string reason_of_reading(const std::string& bson) {
    try {
        record_from_bson(bson);
    } catch (const Failure& failure) {
        return failure.reason;
    }
    return "";
}

}  // namespace

TEST_CASE("a record reads back as it was written") {
    const RestoreRecord record = full_record();
    const RestoreRecord read = record_from_bson(record_to_bson(record));
    CHECK(record_to_bson(read) == record_to_bson(record));
    REQUIRE(read.steps.size() == 2);
    CHECK(read.steps[0].source_uuid == record.steps[0].source_uuid);
    CHECK(read.steps[0].saved->bson_bytes == 120);
    CHECK(read.steps[0].indexes == record.steps[0].indexes);
    CHECK(read.steps[0].done);
    CHECK_FALSE(read.steps[1].done);
    CHECK_FALSE(read.steps[1].saved.has_value());
    CHECK(read.term == 7);
}

TEST_CASE("a record that asks for a newer reader is refused, whatever else is in it") {
    RestoreRecord record = full_record();
    record.min_reader = kRecordReader + 1;
    CHECK(reason_of_reading(record_to_bson(record)) == "record_newer");
}

TEST_CASE("a record in an unknown state, or with something else for a UUID, is refused") {
    RestoreRecord record = full_record();
    record.state = "dreaming";
    CHECK(reason_of_reading(record_to_bson(record)) == "record_invalid");
    record.state = "swapping";
    record.steps[0].source_uuid = "short";
    CHECK(reason_of_reading(record_to_bson(record)) == "record_invalid");
}

TEST_CASE("staging, retired and kept names are ours, and tell what they are") {
    CHECK(is_own_collection(staging_name("0123abcd", 5)));
    CHECK(is_own_collection(retired_name("0123abcd", 12, 0)));
    CHECK(retired_step(retired_name("0123abcd", 12, 3)) == std::size_t{12});
    CHECK_FALSE(retired_step(staging_name("0123abcd", 5)).has_value());
    CHECK_FALSE(retired_step("reprise_0123abcd_probe").has_value());
    CHECK_FALSE(retired_step("reprise").has_value());
    CHECK_FALSE(retired_step("users").has_value());
    CHECK(is_kept_name("reprise_0123abcd_k1_0"));
    CHECK_FALSE(is_kept_name(retired_name("0123abcd", 1, 0)));
}
