// shelf: which name is meant, which is free, which one `latest` is.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/failure.h"
#include "base/step.h"
#include "base/text.h"
#include "engine/old_latest.h"
#include "engine/owner.h"
#include "engine/shelf.h"

namespace reprise {
namespace {

constexpr int kMaxNumber = 99;
// What a backup's name may end with, and so its pointer: compressed, encrypted, both.
constexpr const char* kSuffixes[] = {".json", ".json.gz", ".json.zst", ".json.age", ".json.gz.age", ".json.zst.age"};

std::string pointer_of(const std::string& suffix) { return std::string(kLatest) + suffix; }

bool is_there(const std::vector<Blob>& blobs, const std::string& name) {
    return std::any_of(blobs.begin(), blobs.end(), [&](const Blob& blob) { return blob.name == name; });
}

const ShelfItem* find(const std::vector<ShelfItem>& shelf, const std::string& name) {
    for (const ShelfItem& item : shelf)
        if (item.blob.name == name) return &item;
    return nullptr;
}

// Of pointers with several suffixes (a change of compression that was cut off) the one to the newer backup counts.
std::optional<std::string> pointed_at(Store& store, const std::vector<ShelfItem>& shelf, const std::vector<Blob>& blobs) {
    std::optional<std::string> best;
    std::int64_t best_sequence = -1;
    for (const char* suffix : kSuffixes) {
        const auto target = store.pointer(pointer_of(suffix));
        if (!target || !is_there(blobs, *target)) continue;
        const ShelfItem* item = find(shelf, *target);
        const std::int64_t sequence = item != nullptr && item->manifest ? item->manifest->sequence : 0;
        if (sequence > best_sequence) best = *target, best_sequence = sequence;
    }
    return best;
}

std::optional<std::string> newest_good(Store& store, const std::vector<ShelfItem>& shelf) {
    const auto owner = read_owner(store);
    for (const ShelfItem& item : shelf) {
        if (!item.manifest || !is_good(*item.manifest)) continue;
        if (item.manifest->legacy || !owner || is_own(*item.manifest, owner->database, owner->deployment))
            return item.blob.name;
    }
    for (const ShelfItem& item : shelf)  // nothing is known yet: a folder of the replaced system, or without `.reprise/`
        if (!item.manifest && item.problem.empty() && item.name.kind == FileKind::backup) return item.blob.name;
    return std::nullopt;
}

// The name in the folder that an absolute path means; links in the folder's own path are followed, none inside it.
std::string inside(const std::string& folder, const std::string& wanted) {
    std::error_code error;
    const std::filesystem::path path(wanted);
    const auto home = std::filesystem::canonical(folder, error);
    const auto parent = error ? home : std::filesystem::canonical(path.parent_path(), error);
    if (error || parent != home || path.filename().empty())
        throw Failure(Code::invalid_argument, "name_invalid",
                      "\"" + printable(wanted) + "\" is not in the backup folder; copy the file there and give its name");
    return path.filename().string();
}

Failure no_backup(Store& store, const std::string& folder) {
    for (const ShelfItem& item : read_shelf(store, false, Context())) {
        if (!item.manifest || item.name.kind == FileKind::before_restore || item.manifest->state != "suspect") continue;
        const std::string name = printable(item.blob.name);
        return Failure(Code::not_found, "no_backup",
                       "there is no good backup in " + printable(folder) + "; the newest suspect one is " + name + " (" +
                           item.manifest->suspect_reason + "): if it is right accept it, or restore it by its name");
    }
    return Failure(Code::not_found, "no_backup", "there is no backup in " + printable(folder) + "; make one with: backup");
}

}  // namespace

std::optional<std::string> latest_name(Store& store) {
    const std::vector<Blob> blobs = store.list();
    const std::vector<ShelfItem> shelf = read_shelf(store, false, Context());
    if (const auto pointed = pointed_at(store, shelf, blobs)) return pointed;
    if (const auto newest = newest_good(store, shelf)) return newest;
    if (store.is_regular(kLatestJson)) return kLatestJson;
    return std::nullopt;
}

std::vector<std::string> pointed_names(Store& store) {
    std::vector<std::string> names;
    for (const char* suffix : kSuffixes)
        if (const auto target = store.pointer(pointer_of(suffix))) names.push_back(*target);
    return names;
}

void set_latest(Store& store, const std::string& name) {
    const auto parsed = parse_file_name(name);
    if (!parsed) throw Failure(Code::internal, "latest_not_a_backup", "latest cannot point to " + printable(name));
    const std::string pointer = pointer_of(parsed->suffix);
    rename_old_latest(store);
    std::vector<std::string> others;
    for (const char* suffix : kSuffixes)
        if (suffix != parsed->suffix && store.pointer(pointer_of(suffix))) others.push_back(pointer_of(suffix));
    REPRISE_STEP("engine.latest.before");
    store.set_pointer(pointer, name, others);
    REPRISE_STEP("engine.latest.after");
}

std::string resolve_name(Store& store, const std::string& folder, const std::string& wanted) {
    if (wanted == "latest") {
        if (const auto name = latest_name(store)) return *name;
        throw no_backup(store, folder);
    }
    if (wanted.find('\0') != std::string::npos)
        throw Failure(Code::invalid_argument, "name_invalid", "a file name holds a NUL");
    const std::string name = !wanted.empty() && wanted[0] == '/' ? inside(folder, wanted) : wanted;
    if (const auto target = store.pointer(name)) return *target;  // refuses what is not a single name
    if (!is_there(store.list(), name))
        throw Failure(Code::not_found, "file_missing",
                      "no file \"" + printable(name) + "\" in " + printable(folder) + "; `list` shows what is there");
    return name;
}

std::string free_name(Store& store, FileKind kind, std::int64_t unix_us, const std::string& suffix) {
    FileName name;
    name.kind = kind;
    name.stamp = compact_time(unix_us);
    name.suffix = suffix;
    // Under every suffix: backup_….json.gz unpacks to backup_….json beside it.
    std::set<int> taken;
    for (const Blob& blob : store.list())
        if (const auto other = parse_file_name(blob.name); other && other->kind == kind && other->stamp == name.stamp)
            taken.insert(other->number);
    // After the last one: a name that a removal freed in this second meant another backup a moment ago.
    name.number = taken.empty() ? 1 : *taken.rbegin() + 1;
    if (name.number <= kMaxNumber) return name.text();
    for (name.number = 1; name.number <= kMaxNumber; ++name.number)
        if (taken.count(name.number) == 0) return name.text();
    throw Failure(Code::busy, "name_taken", "99 files of the same second are already there; try again in a second").may_retry();
}

}  // namespace reprise
