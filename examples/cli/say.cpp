#include "say.h"

#include <algorithm>
#include <utility>

#include "words.h"

namespace cli {
namespace {

std::string seconds(const Value& result) { return decimal(static_cast<double>(number(result, "duration_ms")) / 1000, "s", 2); }

using Counts = std::vector<std::pair<std::string, std::int64_t>>;

// The documents per collection, from {name: {documents}} or [{name, documents}].
Counts counts(const Value* collections) {
    Counts found;
    if (collections == nullptr) return found;
    if (collections->IsObject()) {
        for (const auto& each : collections->GetObject()) {
            if (each.value.IsObject()) found.emplace_back(as_text(each.name), number(each.value, "documents"));
        }
    } else if (collections->IsArray()) {
        for (const Value& each : collections->GetArray()) {
            if (each.IsObject()) found.emplace_back(text(each, "name"), number(each, "documents"));
        }
    }
    return found;
}

void add_table(Lines& lines, const Value& result) {
    const Counts rows = counts(member(result, "collections"));
    std::size_t width = 0;
    for (const auto& row : rows) width = std::max(width, width_of(row.first));
    for (const auto& [name, documents] : rows) {
        lines.push_back("  " + left(name, width) + "  " + right(std::to_string(documents), 9));
    }
}

std::string content(const Value& result) {
    const auto collections = static_cast<std::int64_t>(counts(member(result, "collections")).size());
    return many(number(result, "documents"), "document") + " in " + many(collections, "collection");
}

std::string name_of(const Value& result, const char* otherwise) {
    const std::string path = text(result, "path");
    return path.empty() ? text(result, otherwise) : path;
}

// What a person should know of one file at a glance.
Lines remarks(const Value& entry) {
    Lines said;
    if (is_true(entry, "latest")) said.push_back("latest");
    if (is_true(entry, "verified")) said.push_back("verified");
    const std::string state = text(entry, "state");
    if (!state.empty() && state != "good") said.push_back(state == "unknown" ? "not verified yet" : state);
    if (is_true(entry, "pinned")) said.push_back("pinned");
    if (is_true(entry, "legacy")) said.push_back("old system");
    if (!text(entry, "label").empty()) said.push_back("\"" + text(entry, "label") + "\"");
    const Value* problem = member(entry, "problem");
    if (problem != nullptr && problem->IsObject()) said.push_back("problem: " + text(*problem, "message"));
    if (problem != nullptr && problem->IsString()) said.push_back("problem: " + as_text(*problem));
    return said;
}

// One changed collection, whatever is told of it, in the order it is told.
std::string change(const Value& each) {
    if (!each.IsObject()) return plain(each);
    Lines told;
    std::string name = text(each, "name");
    if (name.empty()) name = text(each, "collection");
    for (const auto& item : each.GetObject()) {
        const std::string key = as_text(item.name);
        if (key != "name" && key != "collection") told.push_back(key + " " + plain(item.value));
    }
    return name + ": " + joined(told);
}

std::string before(const std::string& result) {
    if (result == "not_needed" || result == "no_backup") return "Nothing to restore: ";
    if (result == "in_progress") return "Not finished: ";
    return result == "refused" ? "Not restored: " : "";
}

std::string list_line(const Value& entry, std::size_t width) {
    const std::string size = right(amount(number(entry, "size_bytes")), 10);
    std::string line = "  " + left(text(entry, "filename"), width) + "  " + size + "  " + moment(text(entry, "modified")) +
                       "  " + joined(remarks(entry));
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

}  // namespace

Lines say_backup(const Value& result, const std::string& database) {
    Lines lines = {"Saved " + database + ": " + content(result) + ", " + amount(number(result, "size_bytes")) +
                   ", verified, in " + seconds(result) + "."};
    add_table(lines, result);
    lines.push_back("File: " + name_of(result, "file"));
    if (!text(result, "keep_until").empty())
        lines.push_back("Kept until " + moment(text(result, "keep_until")) + ". To go back: reprise restore " +
                        text(result, "file"));
    if (text(result, "state") == "suspect") {
        std::string reason = text(result, "suspect_reason");
        if (reason.empty()) reason = "smaller than the backups before it";
        lines.push_back("Kept aside as suspect (" + reason + "): the latest backup stays the one it was.");
        lines.push_back("If the database is as it should be: reprise accept " + text(result, "file"));
    } else if (is_true(result, "latest")) {
        lines.push_back("It is now the latest backup.");
    } else {
        lines.push_back("It is not the latest backup: it holds a part of the database only.");
    }
    const Value* removed = member(result, "removed");
    if (removed != nullptr && removed->IsArray() && !removed->Empty()) {
        Lines names;
        for (const Value& each : removed->GetArray()) names.push_back(plain(each));
        lines.push_back("Removed " + many(removed->Size(), "old backup") + ": " + joined(names) + ".");
    }
    add_warnings(lines, result);
    return lines;
}

Lines say_list(const Value& result, const std::string& directory) {
    const Value* found = member(result, "backups");
    if (found == nullptr || !found->IsArray() || found->Empty()) return {"No backups in " + directory + "."};
    std::size_t width = 0;
    for (const Value& each : found->GetArray()) width = std::max(width, width_of(text(each, "filename")));
    Lines lines = {many(found->Size(), "backup") + " in " + directory + ":"};
    for (const Value& each : found->GetArray()) lines.push_back(list_line(each, width));
    return lines;
}

Lines say_show(const Value& result) {
    Lines lines = {name_of(result, "filename")};
    lines.push_back("Database " + text(result, "database") + ", " + moment(text(result, "backup_date")) + ", " +
                    amount(number(result, "size_bytes")) + ".");
    Lines said = remarks(result);
    if (!text(result, "consistency").empty()) said.push_back("consistency: " + text(result, "consistency"));
    if (!said.empty()) lines.push_back(sentence(joined(said)));
    add_table(lines, result);
    add_warnings(lines, result);
    return lines;
}

Lines say_verify(const Value& result) {
    const std::string name = name_of(result, "file");
    Lines lines;
    if (is_true(result, "legacy")) {
        lines.push_back(name + " was read to its end: " + content(result) +
                        ". It is a file of the old system: nothing in it proves it whole.");
    } else if (is_true(result, "intact") && !is_true(result, "verified")) {
        lines.push_back(name + " is intact: " + amount(number(result, "size_bytes")) +
                        ", the bytes that were verified when it was written. Nothing here opens it.");
    } else if (is_true(result, "verified")) {
        lines.push_back(name + " is whole: " + content(result) + ", " + amount(number(result, "size_bytes")) + ".");
    } else {
        lines.push_back(name + " could be read, but is not verified: " + content(result) + ".");
    }
    if (!text(result, "sha256").empty()) lines.push_back("sha256 " + text(result, "sha256"));
    add_warnings(lines, result);
    return lines;
}

Lines say_rekey(const Value& result) {
    Lines lines = {"Encrypted anew: " + name_of(result, "file") + ". " + text(result, "replaced") +
                   ", which it replaces, is gone."};
    add_warnings(lines, result);
    return lines;
}

Lines say_restore(const Value& result) {
    Lines lines = {"Restored " + text(result, "database") + " from " + text(result, "file") + ": " + content(result) + ", in " +
                   seconds(result) + "."};
    add_table(lines, result);
    const Value* alone = member(result, "left_alone");
    if (alone != nullptr && alone->IsArray() && !alone->Empty()) {
        Lines names;
        for (const Value& each : alone->GetArray()) names.push_back(plain(each));
        lines.push_back("Left alone, for the backup does not know them: " + joined(names) + ".");
    }
    const std::string safety = text(result, "safety_file");
    if (!safety.empty()) lines.push_back("What was there before is kept in " + safety + ".");
    if (!text(result, "undo").empty()) lines.push_back(sentence(text(result, "undo")));
    add_warnings(lines, result);
    return lines;
}

Lines say_auto(const Value& result) {
    const std::string message = text(result, "message");
    const std::string word = text(result, "result");
    Lines lines = {sentence(before(word) + (message.empty() ? word : message))};
    if ((word == "in_progress" || word == "refused") && is_true(result, "may_go_on"))
        lines.push_back("The host may start anyway, as asked for.");
    const Value* skipped = member(result, "skipped");
    if (skipped != nullptr && skipped->IsArray()) {
        for (const Value& each : skipped->GetArray()) {
            const std::string why = text(each, "message");
            lines.push_back("Skipped " + text(each, "file") + ": " + sentence(why.empty() ? text(each, "reason") : why));
        }
    }
    const Value* restored = member(result, "restore");
    if (restored != nullptr && restored->IsObject()) {
        for (std::string& line : say_restore(*restored)) lines.push_back(std::move(line));
    }
    add_warnings(lines, result);
    return lines;
}

Lines say_rehash(const Value& result) {
    Lines lines = {"Wrote " + name_of(result, "file") + ": " + many(number(result, "documents"), "document") + "."};
    const Value* changes = member(result, "changes");
    if (changes != nullptr && changes->IsArray()) {
        for (const Value& each : changes->GetArray()) lines.push_back("  " + change(each));
    }
    lines.push_back("Startup never picks an edited backup by itself: restore it by its name.");
    add_warnings(lines, result);
    return lines;
}

Lines say_marked(const Value& entry, const std::string& verb) {
    const std::string name = text(entry, "filename");
    if (verb == "accept")
        return {"Accepted: " + name + " is good, and later backups are judged by it" +
                (is_true(entry, "latest") ? "; it is the latest backup." : ".")};
    return {name + (is_true(entry, "pinned") ? " is pinned: it is never removed." : " is not pinned any more.")};
}

Lines say_forget(const Value& result) {
    const auto gone = rows(result, "removed"), kept = rows(result, "kept");
    const std::string done = is_true(result, "dry_run") ? "Would remove " : "Removed ";
    Lines lines = {gone.empty() ? "Nothing to remove."
                                : done + many(static_cast<std::int64_t>(gone.size()), "backup") + ", " +
                                      amount(number(result, "freed_bytes")) + "."};
    for (const Value* each : gone) lines.push_back("  " + text(*each, "file") + ": " + text(*each, "message"));
    if (!kept.empty())
        lines.push_back(many(static_cast<std::int64_t>(kept.size()), "backup") + (kept.size() == 1 ? " stays:" : " stay:"));
    for (const Value* each : kept) lines.push_back("  " + text(*each, "file") + ": " + text(*each, "message"));
    add_warnings(lines, result);
    return lines;
}

// Without a schedule nothing is said.
void add_schedule(Lines& lines, const Value& result) {
    const Value* schedule = member(result, "schedule");
    if (schedule == nullptr || !schedule->IsObject()) return;
    const std::string next = text(*schedule, "next_run");
    std::string line = "Next scheduled backup: " + (next.empty() ? std::string("none is planned") : moment(next));
    const Value* last = member(*schedule, "last_run");
    if (last != nullptr && last->IsObject())
        line += "; last: " + moment(text(*last, "started")) + ", " + text(*last, "state") +
                (text(*last, "reason").empty() ? "" : " (" + text(*last, "reason") + ")");
    lines.push_back(line + ".");
}

Lines say_status(const Value& result) {
    const Value* latest = member(result, "latest");
    std::string name = "none";
    if (latest != nullptr && latest->IsString() && latest->GetStringLength() > 0) name = as_text(*latest);
    if (latest != nullptr && latest->IsObject()) {
        name = text(*latest, "filename").empty() ? text(*latest, "file") : text(*latest, "filename");
    }
    const Value* free = member(result, "free_bytes");
    const bool free_known = free != nullptr && free->IsNumber();
    Lines lines = {"Database " + text(result, "database") + ", folder " + text(result, "directory") + ".",
                   "Latest backup: " + name + "."};
    lines.push_back(many(number(result, "backups"), "backup") + ", " + amount(number(result, "size_bytes")) +
                    (free_known ? "; free: " + amount(number(result, "free_bytes")) : std::string()) + ".");
    const Value* running = member(result, "running");
    const bool busy = running != nullptr && !running->IsNull() && !running->IsFalse() &&
                      !(running->IsArray() && running->Empty()) && !(running->IsNumber() && running->GetDouble() == 0);
    if (const std::int64_t suspects = number(result, "suspects"); suspects > 0)
        lines.push_back(many(suspects, "suspect backup") + ": accept, or look at the database.");
    for (const Value* each : rows(result, "lost")) lines.push_back("Warning: " + sentence(text(*each, "message")));
    if (busy) lines.push_back("An operation is running.");
    add_schedule(lines, result);
    return lines;
}

}  // namespace cli
