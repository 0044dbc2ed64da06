// What is said of previews, deletions and the audit log.
#include <algorithm>

#include "say.h"

namespace cli {
namespace {

constexpr std::size_t count_width = 9;

bool has_number(const Value& each, const char* key) {
    const Value* found = member(each, key);
    return found != nullptr && found->IsNumber();
}

std::string count_now(const Value& each) {
    if (has_number(each, "now")) return std::to_string(number(each, "now"));
    const std::string action = text(each, "action");
    const bool there = action == "replace" || (text(each, "type") == "view" && action != "create");
    return there ? "view" : "not there";
}

std::string count_after(const Value& each) {
    if (has_number(each, "after")) return std::to_string(number(each, "after"));
    if (!has_number(each, "at_most")) return "view";
    return std::to_string(number(each, "at_least")) + " to " + std::to_string(number(each, "at_most"));
}

std::string what_differs(const Value& each) {
    const bool documents = is_true(each, "same_documents"), catalog = is_true(each, "same_catalog");
    if (text(each, "action") == "create") return "created";
    if (documents && catalog) return "same";
    if (documents) return text(each, "type") == "view" ? "different definition" : "different options or indexes";
    if (!catalog) return "different";
    if (text(each, "action") != "merge") return "different documents";
    return std::to_string(number(each, "inserted")) + " new, " + std::to_string(number(each, "replaced")) + " replaced";
}

std::string previewed(const Value& each) {
    const std::string now = right(count_now(each), count_width) + "  ";
    const std::string known = is_true(each, "in_backup") ? "" : "not in the backup, ";
    if (text(each, "action") == "drop") return now + known + "dropped";
    if (text(each, "action") == "leave") return now + known + "left alone";
    return now + "-> " + right(count_after(each), count_width) + "  " + what_differs(each);
}

// " by sophie", or nothing where there is no such key.
std::string told(const Value& line, const char* key, const std::string& before, const std::string& after = "") {
    const std::string words = text(line, key);
    return words.empty() ? words : before + words + after;
}

// One line of the log; what it does not say is left out.
std::string audited(const Value& line) {
    if (is_true(line, "broken")) return "  a line that cannot be read";
    const std::int64_t count = number(line, "count");
    const std::string times = count == 0 ? "" : ", " + many(count, "time");
    return "  " + std::to_string(number(line, "n")) + "  " + moment(text(line, "time")) + "  " + text(line, "what") + " " +
           text(line, "result") + told(line, "reason", " (", ")") + times + ", " + text(line, "via") +
           told(line, "who", " by ") + told(line, "from", " from ") + told(line, "file", ": ");
}

}  // namespace

Lines say_preview(const Value& result) {
    Lines lines = {"A restore of " + text(result, "file") + " into " + text(result, "database") +
                   " would change this; nothing was changed:"};
    const Rows found = rows(result, "collections");
    std::size_t width = 0;
    for (const Value* each : found) width = std::max(width, width_of(text(*each, "name")));
    for (const Value* each : found) lines.push_back("  " + left(text(*each, "name"), width) + "  " + previewed(*each));
    add_warnings(lines, result);
    return lines;
}

Lines say_deleted(const Value& result) {
    return {"Deleted " + text(result, "filename") + ": " + amount(number(result, "freed_bytes")) + "."};
}

Lines say_audit(const Value& result) {
    static const Value nothing(rapidjson::kObjectType);
    const Value* found = member(result, "check");
    const Value& check = found != nullptr ? *found : nothing;
    if (number(check, "lines") == 0) return {"The audit log is empty."};
    Lines lines;
    for (const Value* each : rows(result, "lines")) lines.push_back(audited(*each));
    const std::string last = std::to_string(number(check, "last"));
    if (is_true(check, "whole")) {
        lines.push_back("The chain is whole: " + many(number(check, "lines"), "line") + ", " +
                        std::to_string(number(check, "first")) + " to " + last + ".");
    } else {
        lines.push_back("The chain is broken:");
        const Value* problems = member(check, "problems");
        if (problems != nullptr && problems->IsArray())
            for (const Value& each : problems->GetArray()) lines.push_back("  " + plain(each));
    }
    lines.push_back("sha256 of line " + last + ": " + text(check, "last_hash"));
    return lines;
}

}  // namespace cli
