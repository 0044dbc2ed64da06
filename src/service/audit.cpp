#include "service/audit.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/clock.h"
#include "base/failure.h"
#include "base/leaving.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "service/throttle.h"
#include "store/local.h"

namespace reprise {
namespace {

constexpr const char* kFolder = "audit";
constexpr const char* kEnding = ".jsonl";
constexpr std::size_t kMaxFiles = 4096;
constexpr std::size_t kNumberDigits = 8;

std::string file_name(std::int64_t number) {
    char text[32];
    std::snprintf(text, sizeof text, "%08lld%s", static_cast<long long>(number), kEnding);
    return text;
}

// 0 for a name that is none of ours.
std::int64_t number_of(const std::string& name) {
    if (name.size() != kNumberDigits + std::string_view(kEnding).size() || name.substr(kNumberDigits) != kEnding) return 0;
    std::int64_t number = 0;
    for (const char c : name.substr(0, kNumberDigits)) {
        if (c < '0' || c > '9') return 0;
        number = number * 10 + (c - '0');
    }
    return number;
}

// Oldest first.
std::vector<std::string> files_of(Store& store) {
    std::vector<std::string> out;
    for (const auto& name : store.list_state(kFolder))
        if (number_of(name) > 0 && out.size() < kMaxFiles) out.push_back(name);
    return out;
}

std::string read_file(Store& store, const std::string& name) {
    return store.read_state(std::string(kFolder) + "/" + name).value_or(std::string());
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        out.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

// nullopt for what is not a line of ours.
std::optional<Json> parse_line(std::string_view line) {
    try {
        Json json = parse_json(line);
        json.at("n").as_int();
        json.at("prev").as_string();
        return json;
    } catch (const Failure&) {
        return std::nullopt;
    }
}

struct End {
    std::int64_t n = 0;
    std::string hash;
};

// Where the chain stands. A last line that a crash cut off is part of it as it is; its number is the one that it would have
// had.
End end_of(std::string_view text, End before) {
    for (const auto line : lines_of(text)) {
        const auto json = parse_line(line);
        before.n = json ? json->at("n").as_int() : before.n + 1;
        before.hash = sha256_hex(line);
    }
    return before;
}

// begins: the number of the file whose first line it is; 0: it is none.
std::string line_for(const AuditEntry& entry, const End& end, std::int64_t begins) {
    Json line = Json::object({{"n", end.n + 1}, {"time", iso_time(system_clock().unix_us())}, {"what", printable(entry.what)}});
    const auto add = [&](const char* key, const std::string& text) {
        if (!text.empty()) line.set(key, printable(text));
    };
    line.set("result", printable(entry.result));
    add("reason", entry.reason);
    add("who", entry.actor.who);
    line.set("via", printable(entry.actor.via));
    add("from", entry.actor.from);
    add("request", entry.actor.request);
    add("file", entry.file);
    if (entry.job != 0) line.set("job", entry.job);
    if (entry.duration_ms >= 0) line.set("duration_ms", entry.duration_ms);
    if (entry.count > 0) line.set("count", entry.count);
    if (entry.minute_us > 0) line.set("minute", iso_time(entry.minute_us));
    line.set("prev", end.hash);
    if (begins > 0) line.set("begins", begins);
    return line.text();
}

std::size_t files_under(std::int64_t cap_bytes) {
    return static_cast<std::size_t>(std::max<std::int64_t>(2, cap_bytes / kAuditFileBytes));
}

void drop_oldest(Store& store, std::vector<std::string> files, std::int64_t cap_bytes) {
    const std::size_t most = files_under(cap_bytes);
    for (std::size_t i = 0; i + most < files.size(); ++i) store.remove_state(std::string(kFolder) + "/" + files[i]);
}

void complain(AuditCheck& check, std::int64_t n, const char* what) {
    if (check.problems.size() < kMaxAuditProblems) check.problems.push_back("line " + std::to_string(n) + " " + what);
}

void check_line(AuditCheck& check, std::string_view line) {
    ++check.lines;
    const auto json = parse_line(line);
    const std::int64_t expected = check.last + 1;
    if (!json) {
        complain(check, expected, "is no whole line: it was changed, or a crash cut it off");
        check.last = expected;
    } else {
        const std::int64_t n = json->at("n").as_int();
        if (check.first == 0) check.first = n;
        if (check.last != 0 && n != expected) complain(check, n, "does not follow the one before it: lines are missing");
        if (check.last != 0 && json->at("prev").as_string() != check.last_hash)
            complain(check, n, "does not fit the one before it: that one was changed, or lines were taken out");
        if (n == 1 && !json->at("prev").as_string().empty()) complain(check, n, "is no beginning of a chain");
        check.last = n;
    }
    check.last_hash = sha256_hex(line);
}

// Each file's first line says so; rotation takes whole files, and only when there are many.
void check_beginning(AuditCheck& check, std::string_view line, std::int64_t number) {
    const auto json = parse_line(line);
    const Json* begins = json ? json->find("begins") : nullptr;
    if (json && (begins == nullptr || !begins->is_int() || begins->as_int() != number))
        complain(check, json->at("n").as_int(), "is not the first of its file: lines before it are missing");
}

}  // namespace

const Schema& audit_schema() {
    static const Schema& schema = lasting(
        Schema{Code::invalid_argument, "options of audit", {{"limit", KeyType::number, false, {}, 0, kMostAuditLines}}});
    return schema;
}

const Schema& audit_line_schema() {
    static const Schema& schema = lasting(Schema{Code::invalid_argument,
                                                 "line for the audit log",
                                                 {{"what", KeyType::text, true, {}, 0, 0},
                                                  {"result", KeyType::text, false, {"done", "failed", "refused"}, 0, 0},
                                                  {"reason", KeyType::text, false, {}, 0, 0},
                                                  {"file", KeyType::text, false, {}, 0, 0},
                                                  actor_rule()}});
    return schema;
}

AuditEntry audit_entry_in(const Json& line) {
    AuditEntry entry;
    entry.actor = actor_in(line);
    entry.what = text_or(line, "what", "");
    entry.result = text_or(line, "result", entry.result);
    entry.reason = text_or(line, "reason", "");
    entry.file = text_or(line, "file", "");
    return entry;
}

bool is_refusal(const Failure& failure) {
    return failure.code == Code::refused || failure.code == Code::denied || failure.code == Code::busy;
}

Json audit_add(Store& store, const std::string& folder, const AuditEntry& entry, std::int64_t cap_bytes) {
    const StateLock lock(folder);
    auto files = files_of(store);
    std::string text = files.empty() ? std::string() : read_file(store, files.back());
    End end = end_of(text, {});
    // A file that was made and never written: the chain stands in the one before it.
    if (end.n == 0 && files.size() > 1) end = end_of(read_file(store, files[files.size() - 2]), {});
    const bool fresh = files.empty() || static_cast<std::int64_t>(text.size()) >= kAuditFileBytes;
    if (fresh) files.push_back(file_name(files.empty() ? 1 : number_of(files.back()) + 1));
    const std::string line = line_for(entry, end, fresh ? number_of(files.back()) : 0);
    // A line that a crash cut off is ended first, so that it cannot swallow this one.
    const bool torn = !fresh && !text.empty() && text.back() != '\n';
    store.append_state(std::string(kFolder) + "/" + files.back(), (torn ? "\n" : "") + line + "\n");
    if (fresh) drop_oldest(store, files, cap_bytes);
    Json event = parse_json(line);
    event.set("hash", sha256_hex(line));
    return event;
}

void write_audit(const std::string& folder, const AuditEntry& entry, Events& events) {
    try {
        std::error_code error;
        if (!std::filesystem::is_directory(folder, error)) return;
        const auto store = open_local_store(folder);
        flush_refusals(*store, folder, system_clock().unix_us());
        Json event = audit_add(*store, folder, entry);
        events.push(event.set("event", "audit"));
    } catch (const std::exception& failure) {
        events.log(Level::warning, std::string("the audit log was not written: ") + failure.what());
    }
}

std::vector<Json> audit_read(Store& store, std::size_t limit) {
    std::vector<Json> out;
    const auto files = files_of(store);
    for (auto file = files.rbegin(); file != files.rend() && out.size() < limit; ++file) {
        const std::string text = read_file(store, *file);
        const auto lines = lines_of(text);
        for (auto line = lines.rbegin(); line != lines.rend() && out.size() < limit; ++line)
            out.push_back(parse_line(*line).value_or(Json::object({{"broken", true}})));
    }
    return out;
}

AuditCheck audit_check(Store& store, std::int64_t cap_bytes) {
    AuditCheck check;
    const auto files = files_of(store);
    if (!files.empty() && number_of(files[0]) > 1 && files.size() < files_under(cap_bytes))
        check.problems.push_back("files before " + files[0] + " are missing, though there is room for them");
    for (const auto& file : files) {
        const std::string text = read_file(store, file);
        const auto lines = lines_of(text);
        check_beginning(check, lines.empty() ? "" : lines[0], number_of(file));
        for (const auto line : lines) check_line(check, line);
    }
    return check;
}

}  // namespace reprise
