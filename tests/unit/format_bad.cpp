#include <doctest/doctest.h>

#include <set>

#include "base/text.h"
#include "crypto/digest.h"
#include "format_support.h"

using namespace reprise;
using namespace format_test;

namespace {

// One backup with every structural place in it, small enough to be broken at every byte.
std::string small() {
    Backup backup = sample(2);
    backup.collections[0].documents.push_back(BsonBuilder().add("_id", 3).add("d", 7.0).add("t", "é\n\"").str());
    return write(backup);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

// As somebody who knows the format would do it: with the right hash.
std::string rehashed(const std::string& text) {
    const auto at = text.rfind("\"sha256\":\"");
    REQUIRE(at != std::string::npos);
    return text.substr(0, at) + "\"sha256\":\"" + sha256_hex(text.substr(0, at)) + "\"}\n";
}

std::string forged(const std::string& from, const std::string& to) { return reason_of(rehashed(replaced(small(), from, to))); }

// The same JSON with white space wherever it may be, as an editor would save it.
std::string indented(const std::string& text) {
    std::string out;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\n' && !in_string) continue;
        if (c == '"' && (i == 0 || text[i - 1] != '\\')) in_string = !in_string;
        out += c;
        if (in_string) continue;
        if (c == ':') out += ' ';
        if (c == ',' || c == '{' || c == '[') out += "\n  ";
    }
    return out + "\n";
}

}  // namespace

TEST_CASE("a backup that is cut anywhere is refused as cut") {
    const std::string text = small();
    REQUIRE(reason_of(text) == "fine");
    for (std::size_t size = 0; size < text.size(); ++size) {
        CAPTURE(size);
        CHECK(reason_of(text.substr(0, size)) == "file_truncated");
        if (size + 1 < text.size()) CHECK(reason_of(text.substr(0, size), true) != "fine");
    }
}

TEST_CASE("a backup in which any bit is flipped is refused") {
    const std::string text = small();
    std::set<std::string> reasons;
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = text;
            flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
            CAPTURE(i);
            CAPTURE(bit);
            const std::string reason = reason_of(flipped);
            CHECK(reason != "fine");
            reasons.insert(reason);
        }
    CHECK(reasons.count("file_edited") == 1);
    CHECK(reasons.count("internal") == 0);
}

TEST_CASE("a byte that was taken out or put in anywhere is noticed") {
    const std::string text = small();
    for (std::size_t i = 0; i < text.size(); ++i) {
        CAPTURE(i);
        CHECK(reason_of(text.substr(0, i) + text.substr(i + 1)) != "fine");
        for (const char* put : {" ", "\n", ",", "0"}) CHECK(reason_of(text.substr(0, i) + put + text.substr(i)) != "fine");
    }
}

TEST_CASE("lines that were swapped, doubled or left out are noticed") {
    const std::string text = small();
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        lines.push_back(text.substr(at, text.find('\n', at) + 1 - at));
    const auto joined = [](const std::vector<std::string>& all) {
        std::string out;
        for (const std::string& line : all) out += line;
        return out;
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CAPTURE(i);
        std::vector<std::string> out = lines, twice = lines, swapped = lines;
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(i));
        twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        CHECK(reason_of(joined(out)) != "fine");
        CHECK(reason_of(joined(twice)) != "fine");
        if (i > 0 && lines[i] != lines[i - 1]) {
            std::swap(swapped[i], swapped[i - 1]);
            CHECK(reason_of(joined(swapped)) != "fine");
        }
        // Whoever knows the format and takes a line out or doubles it is found by counts, digests or layout. (The last line is
        // made anew.)
        if (i + 1 < lines.size()) CHECK(reason_of(rehashed(joined(out))) != "fine");
        if (i + 1 < lines.size()) CHECK(reason_of(rehashed(joined(twice))) != "fine");
    }
}

TEST_CASE("an edited or re-indented backup says how to go on") {
    const std::string text = small();
    const std::string edited = replaced(text, "Sophie 0", "Marie 00");
    CHECK(reason_of(edited) == "file_edited");
    CHECK(
        message_of(edited).find("changed since it was written; if you meant it: reprise rehash backup_20251012_162721.json") !=
        std::string::npos);
    CHECK(reason_of(indented(text)) == "file_edited");
    CHECK(reason_of(replaced(text, "\"users\":[\n", "\"users\":[\n\n")) == "file_edited");
    CHECK(reason_of(replaced(text, "{\"_id\":0", "  {\"_id\":0")) == "file_edited");
    CHECK(reason_of(replaced(text, "\n", "\r\n")) == "file_edited");
}

TEST_CASE("white space is free for the parser as long as the hash is right") {
    std::string text = small();
    text = rehashed(replaced(text, "\"users\":[\n", "\"users\" : [\n \t\n"));
    CHECK(reason_of(text) == "file_edited");  // the layout of format 1 is by line
    const auto last = text.rfind("\"sha256\"");
    std::string free = indented(text.substr(0, last));
    free.insert(0, "\n");
    free += "\"sha256\":\"" + sha256_hex(free) + "\"}\n";
    CHECK(reason_of(free) == "fine");
    CHECK(read(free).summary.documents == 3);
    CHECK(reason_of(free + "\n") == "file_edited");
    CHECK(reason_of(free.substr(0, free.size() - 1) + " \n") == "file_edited");
    CHECK(reason_of(free.substr(0, free.size() - 1)) != "fine");
}

TEST_CASE("an edited backup is read when edits are tolerated, and what does not fit is said") {
    const std::string text = small();
    Backup got = read(text, true);
    CHECK_FALSE(got.mismatch);
    got = read(replaced(indented(text), "Sophie 0", "Marie"), true);
    REQUIRE(got.mismatch);
    CHECK(got.mismatch->find("changed since it was written") != std::string::npos);
    CHECK(got.mismatch->find("users") != std::string::npos);
    CHECK(got.collections[0].documents[0] == BsonBuilder().add("_id", 0).add("name", "Marie").str());
    CHECK(got.summary.find("users")->documents == 3);  // as the file says
    CHECK_FALSE(got.legacy);
    got = read(replaced(text, "{\"_id\":0,\"name\":\"Sophie 0\"},\n", ""), true);
    CHECK(got.mismatch->find("holds 2 documents, its summary says 3") != std::string::npos);
    CHECK(reason_of(replaced(text, "Sophie 0\"", "Sophie 0"), true) == "json_invalid");
}

TEST_CASE("language that is not known is refused by name before anything else") {
    CHECK(forged("\"format\":1", "\"format\":2") == "format_unknown");
    CHECK(reason_of(replaced(small(), "\"format\":1", "\"format\":2")) == "format_unknown");
    CHECK(reason_of(indented(replaced(small(), "\"format\":1", "\"format\":99"))) == "format_unknown");
    CHECK(forged("\"format\":1", "\"format\":0") == "header_invalid");
    CHECK(forged("\"format\":1", "\"format\":1.5") == "header_invalid");
    CHECK(forged("\"format\":1", "\"format\":\"1\"") == "header_invalid");
    CHECK(forged("\"kind\":\"full\"", "\"kind\":\"changes\"") == "kind_unknown");
    CHECK(forged("\"requires\":[]", "\"requires\":[\"parents\"]") == "requirement_unknown");
    CHECK(message_of(rehashed(replaced(small(), "\"requires\":[]", "\"requires\":[\"parents\"]"))).find("\"parents\"") !=
          std::string::npos);
    // Even where the rest is broken.
    CHECK(reason_of(replaced(replaced(small(), "\"format\":1", "\"format\":2"), "test_database", "a/b").substr(0, 700)) ==
          "format_unknown");
}

TEST_CASE("a header that is not as it must be is refused") {
    CHECK(forged("\"id\":\"0123456789abcdef0123456789abcdef\",", "") == "header_invalid");
    CHECK(forged("0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef") == "header_invalid");
    CHECK(forged("\"sequence\":42", "\"sequence\":-1") == "header_invalid");
    CHECK(forged("\"sequence\":42", "\"sequence\":\"42\"") == "header_invalid");
    CHECK(forged("\"scope\":{\"is\":\"all\"}", "\"scope\":{\"is\":\"some\"}") == "header_invalid");
    CHECK(forged("2025-10-12T16:27:21.123456Z", "yesterday") == "header_invalid");
    CHECK(forged("\"label\":\"nightly\"", "\"label\":5") == "header_invalid");
    CHECK(forged("\"label\":\"nightly\"", "\"label\":\"nightly\",\"later\":[1,{}]") == "fine");  // unknown keys are ignored
}

TEST_CASE("keys that stand twice or out of order are refused, however they are spelled") {
    CHECK(forged("\"sequence\":42", "\"sequence\":42,\"sequence\":42") == "duplicate_key");
    CHECK(forged("\"sequence\":42", "\"sequence\":42,\"s\\u0065quence\":42") == "duplicate_key");
    CHECK(forged("\"absences\":{\"type\"", "\"us\\u0065rs\":{\"type\"") == "duplicate_key");
    CHECK(forged("\"absences\":[", "\"users\":[") == "duplicate_key");
    CHECK(forged("\"absences\":[", "\"\\u0075sers\":[") == "duplicate_key");
    CHECK(forged("\"absences\":{\"documents\"", "\"\\u0075sers\":{\"documents\"") == "duplicate_key");
    CHECK(forged("{\"_id\":0,", "{\"_id\":0,\"_i\\u0064\":0,") == "duplicate_key");
    CHECK(forged("\"database\":\"test_database\"", "\"database\":\"test_database\",\"database\":\"x\"") == "duplicate_key");
    CHECK(forged("\"database\":\"test_database\"", "\"database\":\"test_database\",\"extra\":1") == "keys_out_of_order");
    CHECK(forged("\"catalog\":{", "\"collections\":{") == "keys_out_of_order");
    CHECK(forged("\"reprise\":{", "\"catalog\":{") == "keys_out_of_order");
    CHECK(reason_of("{\"database\":\"x\",\"backup_date\":\"2025-10-12T16:27:21Z\",\n\"reprise\":{}}") == "keys_out_of_order");
    const std::string text = indented(small());
    CHECK(reason_of(replaced(text, "\"database\": \"test_database\"",
                             "\"database\": \"test_database\", \"d\\u0061tabase\": 1")) == "duplicate_key");
    CHECK(reason_of(replaced(text, "\"database\": \"test_database\"", "\"database\": \"test_database\", \"extra\": 1")) ==
          "keys_out_of_order");
}

TEST_CASE("catalog, collections and summary must name the same collections") {
    CHECK(forged("\"absences\":[", "\"presences\":[") == "names_differ");
    CHECK(forged("\"absences\":[", "\"active_users\":[") == "names_differ");
    CHECK(forged("],\n\"absences\":[\n]", "]") == "names_differ");
    CHECK(forged("\"absences\":{\"documents\"", "\"presences\":{\"documents\"") == "names_differ");
    CHECK(forged("\"absences\":{\"type\"", "\"presences\":{\"type\"") == "names_differ");
    CHECK(forged("]\n},\n\"summary\"", "],\n\"more\":[\n]\n},\n\"summary\"") == "names_differ");
}

TEST_CASE("counts, bytes and digests are compared with what was read") {
    CHECK(forged("\"users\":{\"documents\":3", "\"users\":{\"documents\":2") == "count_differs");
    CHECK(forged("\"summary\":{\"documents\":3", "\"summary\":{\"documents\":4") == "count_differs");
    CHECK(forged("\"bson_bytes\":1", "\"bson_bytes\":2") == "size_differs");
    CHECK(forged("Sophie 0", "Sophie X") == "digest_differs");
    CHECK(forged("xxh3-128:0000", "xxh3-128:0001") == "digest_differs");
    CHECK(forged("xxh3-128:0000", "xxh3-128:000Z") == "summary_invalid");
    CHECK(forged("xxh3-128:0000", "xxh3-128-sorted:0000") == "digest_differs");
    CHECK(forged("\"consistency\":\"per_collection\"", "\"consistency\":\"perfect\"") == "summary_invalid");
    CHECK(forged("\"escapes\":0", "\"escapes\":-1") == "summary_invalid");
    CHECK(forged("\"_id\":0,", "\"_id\":0.0,") == "size_differs");
}

TEST_CASE("names, types, options and index fields from a file are not trusted") {
    for (const std::string name :
         {"", "a$b", ".a", "system.users", "system.views", "reprise", "reprise_0123abcd_1", "a\\u0000b"}) {
        CAPTURE(name);
        CHECK(forged("\"absences\":{", "\"" + name + "\":{") != "fine");
        if (name.find("u0000") == std::string::npos) CHECK(forged("\"absences\":{", "\"" + name + "\":{") == "name_invalid");
    }
    CHECK(forged("\"absences\":{", "\"" + std::string(250, 'x') + "\":{") == "name_invalid");
    CHECK(forged("\"absences\":{", "\"\xff\":{") != "fine");
    CHECK(forged("\"absences\":{", "\"\\ud800\":{") != "fine");
    for (const std::string name : {"", "a/b", "a b", "a.b", "a\\\\b", "$x"})
        CHECK(forged("test_database", name) == "name_invalid");
    CHECK(forged("\"type\":\"view\"", "\"type\":\"macro\"") == "type_unknown");
    CHECK(forged("\"type\":\"view\"", "\"type\":\"collection\"") == "catalog_invalid");  // it has no indexes
    CHECK(forged("\"viewOn\":\"users\",", "") == "catalog_invalid");
    CHECK(forged("\"options\":{},", "\"options\":{\"dropTarget\":true},") == "option_unknown");
    CHECK(forged("\"options\":{},", "\"options\":{\"viewOn\":\"users\"},") == "option_unknown");
    CHECK(forged("\"options\":{},", "\"options\":[],") == "catalog_invalid");
    CHECK(forged("\"options\":{},", "\"options\":{\"capped\":true,\"size\":4096},") == "fine");
    CHECK(forged("\"name\":\"_id_\"", "\"name\":\"_id_\",\"evil\":1") == "option_unknown");
    CHECK(forged("\"key\":{\"_id\":1},", "") == "catalog_invalid");
    CHECK(forged("\"options\":{},", "\"options\":{\"\\u0063apped\":true,\"capped\":true},") == "duplicate_key");
}

TEST_CASE("what follows the end is refused, and so is a missing newline") {
    const std::string text = small();
    for (const std::string& tail : {std::string("\n"), std::string(" "), std::string("x"), std::string("\0", 1), text}) {
        CHECK(reason_of(text + tail) == "trailing_bytes");
    }
    CHECK(reason_of(text.substr(0, text.size() - 1)) == "file_truncated");
    CHECK(reason_of(text.substr(0, text.size() - 1) + " \n") != "fine");
}

TEST_CASE("a signature before the hash is passed over by a reader without a key") {
    std::string text = small();
    const auto at = text.rfind("\"sha256\"");
    text.insert(at, "\"signature\":{\"alg\":\"ed25519\",\"key\":\"0123456789abcdef\",\"value\":\"AAAA\"},");
    CHECK(reason_of(text) == "fine");
    CHECK(reason_of(text, true) == "fine");
    CHECK(reason_of(replaced(text, "\"AAAA\"}", "\"AAAA\"")) != "fine");
}

TEST_CASE("files of other kinds are told what they are") {
    CHECK(reason_of("\x1f\x8b\x08") == "file_truncated");
    CHECK(reason_of("\x28\xb5\x2f\xfd") == "file_truncated");
    CHECK(reason_of("age-encryption.org/v1\n") == "layer_unsupported");
    CHECK(reason_of("-----BEGIN AGE ENCRYPTED FILE-----\n") == "layer_unsupported");
    CHECK(reason_of("hello") == "not_a_backup");
    CHECK(reason_of("[1,2]") == "not_a_backup");
    CHECK(reason_of("\xEF\xBB\xBF" + small()) == "not_a_backup");
    CHECK(reason_of("{}") == "not_a_backup");
    CHECK(reason_of("{\"a\":1}") == "not_a_backup");
    CHECK(reason_of(std::string(100, '\0')) == "not_a_backup");
    CHECK(reason_of("") == "file_truncated");
    CHECK(reason_of(std::string(5000, '{')) == "json_invalid");
}

TEST_CASE("a line beyond the limit is refused without being held") {
    std::string text = small();
    CHECK(reason_of(replaced(text, "Sophie 0", std::string(33 * 1024 * 1024, 'x'))) == "line_too_long");
}

TEST_CASE("messages name the file and the place, never a value (S10)") {
    const std::string message = message_of(replaced(small(), "Sophie 0\"", "Sophie 0"));
    CHECK(message.find("backup_20251012_162721.json, line 10 (\"users\")") != std::string::npos);
    CHECK(message.find("Sophie") == std::string::npos);
}
