#include "format/names.h"

#include "base/text.h"

namespace reprise {
namespace {

constexpr std::size_t kStampBytes = 15;  // 20251012_162721
constexpr std::size_t kMaxNamespaceBytes = 255;
constexpr std::size_t kMaxDatabaseBytes = 63;

struct Prefix {
    FileKind kind;
    std::string_view text;
};
constexpr Prefix kPrefixes[] = {
    {FileKind::before_restore, "before_restore_"}, {FileKind::suspect, "suspect_"}, {FileKind::backup, "backup_"}};
constexpr std::string_view kSuffixes[] = {".json", ".json.gz", ".json.zst", ".json.age", ".json.gz.age", ".json.zst.age"};

bool digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

bool take(std::string_view& text, std::string_view prefix) {
    if (text.substr(0, prefix.size()) != prefix) return false;
    text.remove_prefix(prefix.size());
    return true;
}

bool stamp_ok(std::string_view stamp) {
    if (stamp.size() != kStampBytes || !digits(stamp.substr(0, 8)) || stamp[8] != '_' || !digits(stamp.substr(9))) return false;
    const auto two = [&](std::size_t at) { return (stamp[at] - '0') * 10 + (stamp[at + 1] - '0'); };
    return two(4) >= 1 && two(4) <= 12 && two(6) >= 1 && two(6) <= 31 && two(9) <= 23 && two(11) <= 59 && two(13) <= 60;
}

bool hex8(std::string_view text) {
    return text.size() == 8 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string FileName::text() const {
    std::string out;
    for (const Prefix& prefix : kPrefixes)
        if (prefix.kind == kind) out = prefix.text;
    out += stamp;
    if (number > 1) out += number < 10 ? "_0" + std::to_string(number) : "_" + std::to_string(number);
    return out + suffix;
}

std::optional<FileName> parse_file_name(std::string_view name) {
    FileName parsed;
    bool known = false;
    for (const Prefix& prefix : kPrefixes) {
        if (!take(name, prefix.text)) continue;
        parsed.kind = prefix.kind;
        known = true;
        break;
    }
    if (!known || !stamp_ok(name.substr(0, kStampBytes))) return std::nullopt;
    parsed.stamp = name.substr(0, kStampBytes);
    name.remove_prefix(kStampBytes);
    if (name.size() > 3 && name[0] == '_' && digits(name.substr(1, 2))) {
        parsed.number = (name[1] - '0') * 10 + (name[2] - '0');
        if (parsed.number < 2) return std::nullopt;
        name.remove_prefix(3);
    }
    for (const std::string_view suffix : kSuffixes)
        if (name == suffix) parsed.suffix = suffix;
    if (parsed.suffix.empty()) return std::nullopt;
    return parsed;
}

bool is_own_collection(std::string_view name) {
    if (!take(name, "reprise")) return false;
    return name.empty() || (name.size() >= 10 && name[0] == '_' && hex8(name.substr(1, 8)) && name[9] == '_');
}

std::optional<std::string> collection_name_problem(std::string_view database, std::string_view collection) {
    if (collection.empty()) return "it is empty";
    if (!is_utf8(collection)) return "it is not UTF-8";
    if (collection.find('\0') != std::string_view::npos) return "it holds NUL";
    if (collection.find('$') != std::string_view::npos) return "it holds $";
    if (collection.front() == '.') return "it begins with a dot";
    if (collection.substr(0, 7) == "system." && collection != "system.js") return "it begins with system.";
    if (is_own_collection(collection)) return "it is reserved for reprise itself";
    if (database.size() + 1 + collection.size() > kMaxNamespaceBytes)
        return "it is over 255 bytes together with the database's";
    return std::nullopt;
}

std::optional<std::string> database_name_problem(std::string_view database) {
    if (database.empty()) return "it is empty";
    if (!is_utf8(database)) return "it is not UTF-8";
    if (database.size() > kMaxDatabaseBytes) return "it is over 63 bytes";
    if (database.find_first_of(std::string_view("/\\. \"$\0", 7)) != std::string_view::npos)
        return "it holds a slash, backslash, dot, space, quote, $ or NUL";
    return std::nullopt;
}

}  // namespace reprise
