#include <sys/statvfs.h>

#include "base/failure.h"
#include "base/text.h"
#include "engine/measure.h"
#include "engine/owner.h"
#include "engine/read_whole.h"
#include "engine/shelf.h"
#include "format/reader.h"
#include "service/catalogue.h"
#include "service/results.h"
#include "store/local.h"

namespace reprise {
namespace {

const char* kind_word(FileKind kind) {
    switch (kind) {
        case FileKind::backup: return "backup";
        case FileKind::before_restore: return "before_restore";
        case FileKind::suspect: return "suspect";
    }
    return "backup";
}

// Two decimals, as the replaced system listed sizes.
double size_kb(std::int64_t bytes) { return static_cast<double>((bytes * 100 + 512) / 1024) / 100.0; }

bool ends_with(const std::string& name, std::string_view suffix) {
    return name.size() >= suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
}

void add_manifest(Json& out, const Manifest& m) {
    if (m.kind == "before") out.set("kind", "before");
    out.set("state", m.state).set("suspect_reason", m.suspect_reason.empty() ? Json() : Json(m.suspect_reason));
    out.set("pinned", m.pinned).set("keep_until", m.keep_until_us ? Json(iso_time(*m.keep_until_us)) : Json());
    out.set("verified", m.verified && !m.legacy).set("label", m.label).set("database", m.database);
    out.set("signed_by", m.signed_by.empty() ? Json() : Json(m.signed_by));
    out.set("deployment", m.deployment ? Json(*m.deployment) : Json()).set("sequence", m.sequence);
    out.set("backup_date", m.backup_date_us == 0 ? Json() : Json(iso_time(m.backup_date_us)));
    out.set("scope", m.scope).set("documents", m.summary.documents).set("legacy", m.legacy);
    Json counts = Json::object();
    for (const auto& [name, summary] : m.summary.collections) counts.set(name, summary.documents);
    out.set("counts", std::move(counts));
}

Json item_to_json(Store& store, const ShelfItem& item, const std::optional<std::string>& latest) {
    Json out = Json::object({{"filename", item.blob.name},
                             {"path", store.path_of(item.blob.name)},
                             {"size_bytes", item.blob.size_bytes},
                             {"size_kb", size_kb(item.blob.size_bytes)},
                             {"modified", iso_time(item.blob.modified_us / 1000000 * 1000000).substr(0, 19) + "Z"},
                             {"kind", kind_word(item.name.kind)},
                             {"encrypted", ends_with(item.blob.name, ".age")},
                             {"latest", latest && *latest == item.blob.name}});
    if (item.manifest) {
        add_manifest(out, *item.manifest);
    } else {
        out.set("state", "unknown")
            .set("suspect_reason", Json())
            .set("verified", false)
            .set("label", "")
            .set("database", Json());
        out.set("deployment", Json())
            .set("sequence", 0)
            .set("backup_date", Json())
            .set("scope", Json())
            .set("documents", Json());
        out.set("counts", Json::object())
            .set("legacy", Json())
            .set("signed_by", Json())
            .set("pinned", false)
            .set("keep_until", Json());
    }
    out.set("problem", item.problem.empty() ? Json() : Json(item.problem));
    return out;
}

Context quiet(Cancel& cancel) {
    Context context;
    context.cancel = &cancel;
    return context;
}

Json bson_to_value(std::string_view bson) {
    if (bson.empty()) return Json::object();
    std::string line;
    Encoder(Profile::readable).encode(bson, line);
    return parse_json(line);
}

Json catalog_to_json(const std::vector<CatalogEntry>& catalog) {
    Json out = Json::object();
    for (const auto& entry : catalog) {
        Json indexes = Json::array();
        for (const auto& index : entry.indexes) indexes.push(bson_to_value(index));
        out.set(
            entry.name,
            Json::object({{"type", entry.type}, {"options", bson_to_value(entry.options)}, {"indexes", std::move(indexes)}}));
    }
    return out;
}

void add_summary(Json& out, const Summary& summary) {
    out.set("consistency", summary.consistency).set("collections", collections_to_json(summary));
}

void read_to_end(BackupReader& reader) {
    std::string name;
    std::string_view document;
    while (reader.next_collection(name))
        while (reader.next_document(document)) {
        }
}

// Null: there is no key for it, and the manifest says what can be said.
std::unique_ptr<BackupReader> open_if_known(OpenBlob& blob, const ShelfItem& item, const ReadOptions& options) {
    try {
        return std::make_unique<BackupReader>(blob, item.blob.name, options);
    } catch (const Failure& failure) {
        if (failure.reason != "key_missing" || !item.manifest) throw;
        return nullptr;
    }
}

void add_known(Json& out, const Manifest& m) {
    out.set("catalog", Json()).set("legacy", m.legacy).set("id", m.id).set("version", m.version).set("server", m.server);
    add_summary(out, m.summary);
}

void add_content(Json& out, Store& store, const ShelfItem& item, const Context& context) {
    const auto blob = store.open(item.blob.name);
    ReadOptions options = read_options(context);
    options.tolerate_edits = true;
    const auto opened = open_if_known(*blob, item, options);
    if (!opened) return add_known(out, *item.manifest);
    BackupReader& reader = *opened;
    out.set("catalog", catalog_to_json(reader.catalog())).set("legacy", reader.legacy());
    const Header& header = reader.header();
    out.set("id", header.id.empty() ? Json() : Json(header.id)).set("version", header.version).set("server", header.server);
    if (item.manifest) {
        add_summary(out, item.manifest->summary);
        return;
    }
    read_to_end(reader);
    out.set("database", header.database).set("label", header.label).set("sequence", header.sequence);
    out.set("documents", reader.summary().documents).set("scope", header.scope.is);
    add_summary(out, reader.summary());
    if (reader.mismatch()) out.set("problem", *reader.mismatch());
}

std::int64_t free_bytes(const std::string& folder) {
    struct statvfs about {};
    if (::statvfs(folder.c_str(), &about) != 0) return -1;
    return static_cast<std::int64_t>(about.f_bavail) * static_cast<std::int64_t>(about.f_frsize);
}

// Collections that the newest good backup lacks and an older one holds; each pins that one until the loss is accepted.
Json lost_to_json(Store& store, const std::vector<ShelfItem>& shelf, const Config& config) {
    Json out = Json::array();
    std::optional<std::string> deployment;
    try {
        if (const auto owner = read_owner(store)) deployment = owner->deployment;
    } catch (const Failure&) {
        return out;  // operations say what is wrong with it
    }
    const Scope scope = configured_scope(config);
    const LostQuestion question{scope, config.guard.may_empty, config.database, deployment};
    for (const Lost& lost : lost_on_shelf(store, shelf, question))
        out.push(Json::object({{"collection", lost.collection},
                               {"missing", lost.missing},
                               {"file", lost.holder},
                               {"documents", lost.documents},
                               {"message", lost_sentence(lost)}}));
    return out;
}

// The newest backup, when the guard did not believe it: what it wrote is not `latest` and waits for a person's word.
Json newest_suspect(const std::vector<ShelfItem>& shelf, const Config& config) {
    for (const auto& item : shelf) {
        if (!item.manifest || item.name.kind == FileKind::before_restore || item.manifest->legacy) continue;
        if (item.manifest->database != config.database || item.manifest->scope == "partial") continue;
        if (item.manifest->state != "suspect") return Json();
        return Json::object({{"file", item.blob.name},
                             {"reason", item.manifest->suspect_reason},
                             {"backup_date", iso_time(item.manifest->backup_date_us)}});
    }
    return Json();
}

}  // namespace

Json list_backups(const Config& config) {
    Cancel cancel;
    const auto store = open_local_store(config.directory, true);
    const auto latest = latest_name(*store);
    Json backups = Json::array();
    std::int64_t total = 0;
    for (const auto& item : read_shelf(*store, false, quiet(cancel))) {
        backups.push(item_to_json(*store, item, latest));
        ++total;
    }
    return Json::object({{"backups", std::move(backups)}, {"total", total}});
}

Json show_backup(const Setup& setup, const std::string& file) {
    const Config& config = *setup.config;
    const auto vault = setup.vault();
    Cancel cancel;
    Context context = quiet(cancel);
    context.vault = vault.get();
    const auto store = open_local_store(config.directory, true);
    const std::string name = resolve_name(*store, config.directory, file.empty() ? "latest" : file);
    const auto latest = latest_name(*store);
    for (const auto& item : read_shelf(*store, false, quiet(cancel))) {
        if (item.blob.name != name) continue;
        Json out = item_to_json(*store, item, latest);
        add_content(out, *store, item, context);
        return out;
    }
    throw Failure(Code::not_found, "file_missing", "no backup named " + printable(name) + " is in the folder");
}

Json list_entry(const Config& config, const std::string& name) {
    Cancel cancel;
    const auto store = open_local_store(config.directory, true);
    const auto latest = latest_name(*store);
    for (const auto& item : read_shelf(*store, false, quiet(cancel)))
        if (item.blob.name == name) return item_to_json(*store, item, latest);
    throw Failure(Code::not_found, "file_missing", "no backup named " + printable(name) + " is in the folder");
}

Json folder_status(const Config& config, Json running) {
    Cancel cancel;
    const auto store = open_local_store(config.directory, true);
    std::int64_t count = 0, bytes = 0, newest_us = 0;
    std::int64_t suspects = 0;
    const auto shelf = read_shelf(*store, false, quiet(cancel));
    for (const auto& item : shelf) {
        ++count;
        bytes += item.blob.size_bytes;
        if (item.name.kind == FileKind::suspect || (item.manifest && item.manifest->state == "suspect")) ++suspects;
        if (item.manifest && item.name.kind == FileKind::backup) newest_us = std::max(newest_us, item.manifest->backup_date_us);
    }
    const auto latest = latest_name(*store);
    const std::int64_t free = free_bytes(config.directory);
    return Json::object({{"directory", config.directory},
                         {"database", config.database},
                         {"latest", latest ? Json(*latest) : Json()},
                         {"last_backup", newest_us == 0 ? Json() : Json(iso_time(newest_us))},
                         {"backups", count},
                         {"size_bytes", bytes},
                         {"free_bytes", free < 0 ? Json() : Json(free)},
                         {"suspects", suspects},
                         {"suspect", newest_suspect(shelf, config)},
                         {"lost", lost_to_json(*store, shelf, config)},
                         {"running", std::move(running)}});
}

}  // namespace reprise
