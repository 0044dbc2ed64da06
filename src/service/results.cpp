#include "service/results.h"

#include <set>

#include "base/text.h"

namespace reprise {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json date_or_null(std::int64_t unix_us) { return unix_us == 0 ? Json() : Json(iso_time(unix_us)); }

Json restored_to_json(const std::vector<RestoredCollection>& collections) {
    Json out = Json::array();
    for (const auto& c : collections)
        out.push(Json::object({{"name", c.name},
                               {"type", c.type},
                               {"documents", c.documents},
                               {"inserted", c.inserted},
                               {"replaced", c.replaced},
                               {"unchanged", c.unchanged},
                               {"conflicts", c.conflicts}}));
    return out;
}

Json number_or_null(const std::optional<std::int64_t>& number) { return number ? Json(*number) : Json(); }

const char* word_of(PreviewAction action) {
    switch (action) {
        case PreviewAction::create: return "create";
        case PreviewAction::replace: return "replace";
        case PreviewAction::merge: return "merge";
        case PreviewAction::drop: return "drop";
        case PreviewAction::leave: return "leave";
    }
    return "unknown";
}

std::string undo_sentence(const RestoreResult& result) {
    if (result.safety_file.empty()) return "nothing was replaced, so there is nothing to go back to";
    return "to go back to the data as they were before: restore " + result.safety_file;
}

}  // namespace

Json texts_to_json(const std::vector<std::string>& texts) {
    Json out = Json::array();
    for (const auto& text : texts) out.push(text);
    return out;
}

Json collections_to_json(const Summary& summary) {
    Json out = Json::object();
    for (const auto& [name, c] : summary.collections)
        out.set(name, Json::object({{"documents", c.documents}, {"bson_bytes", c.bson_bytes}, {"digest", c.digest}}));
    return out;
}

Json backup_to_json(const BackupResult& result) {
    const Manifest& m = result.manifest;
    return Json::object({{"file", m.name},
                         {"path", result.path},
                         {"state", m.state},
                         {"suspect_reason", text_or_null(m.suspect_reason)},
                         {"latest", result.became_latest},
                         {"id", m.id},
                         {"sequence", m.sequence},
                         {"deployment", m.deployment ? Json(*m.deployment) : Json()},
                         {"label", m.label},
                         {"keep_until", m.keep_until_us ? Json(iso_time(*m.keep_until_us)) : Json()},
                         {"timestamp", iso_time(m.backup_date_us)},
                         {"documents", m.summary.documents},
                         {"size_bytes", m.size_bytes},
                         {"consistency", m.consistency},
                         {"scope", m.scope},
                         {"collections", collections_to_json(m.summary)},
                         {"without_lease", result.without_lease},
                         {"removed", texts_to_json(result.removed)},
                         {"duration_ms", result.duration_ms},
                         {"warnings", texts_to_json(result.warnings)}});
}

Json restore_to_json(const RestoreResult& result, const std::string& mode, const std::string& database) {
    return Json::object({{"file", result.file},
                         {"mode", mode},
                         {"database", database},
                         {"safety_file", text_or_null(result.safety_file)},
                         {"copies", texts_to_json(result.copies)},
                         {"documents", result.documents},
                         {"collections", restored_to_json(result.collections)},
                         {"left_alone", texts_to_json(result.left_alone)},
                         {"swapped_ms", result.swapped_ms},
                         {"duration_ms", result.duration_ms},
                         {"warnings", texts_to_json(result.warnings)},
                         {"undo", undo_sentence(result)}});
}

Json verify_to_json(const VerifyResult& result, const std::string& path) {
    const Manifest& m = result.manifest;
    return Json::object({{"file", m.name},
                         {"path", path},
                         {"verified", m.verified && !m.legacy && !result.intact_only},
                         {"intact", true},
                         {"signed_by", text_or_null(m.signed_by)},
                         {"legacy", m.legacy},
                         {"documents", m.summary.documents},
                         {"size_bytes", m.size_bytes},
                         {"sha256", m.sha256},
                         {"collections", collections_to_json(m.summary)},
                         {"backup_date", date_or_null(m.backup_date_us)},
                         {"database", text_or_null(m.database)},
                         {"warnings", texts_to_json(result.warnings)}});
}

Json rekey_to_json(const RekeyResult& result) {
    const Manifest& m = result.manifest;
    return Json::object({{"file", m.name},
                         {"path", result.path},
                         {"replaced", result.replaced},
                         {"id", m.id},
                         {"sha256", m.sha256},
                         {"size_bytes", m.size_bytes},
                         {"warnings", texts_to_json(result.warnings)}});
}

Json rehash_to_json(const RehashResult& result) {
    const Manifest& m = result.manifest;
    return Json::object({{"file", m.name},
                         {"path", result.path},
                         {"edited_from", text_or_null(m.edited_from)},
                         {"changes", texts_to_json(result.changes)},
                         {"documents", m.summary.documents},
                         {"warnings", Json::array()}});
}

Json forgotten_to_json(const Forgotten& gone, bool dry_run) {
    const std::set<std::string> went(gone.removed.begin(), gone.removed.end());
    Json removed = Json::array(), kept = Json::array();
    for (const Decision& one : gone.decisions.all) {
        Json reasons = Json::array();
        std::string message;
        for (const auto& [word, sentence] : one.reasons) {
            reasons.push(word);
            message += (message.empty() ? "" : "; ") + sentence;
        }
        Json told = Json::object({{"file", one.file}, {"size_bytes", one.size_bytes}});
        told.set("reasons", std::move(reasons)).set("message", message);
        (went.count(one.file) > 0 ? removed : kept).push(std::move(told));
    }
    return Json::object({{"dry_run", dry_run},
                         {"removed", std::move(removed)},
                         {"kept", std::move(kept)},
                         {"freed_bytes", gone.freed_bytes},
                         {"frozen", gone.decisions.frozen},
                         {"warnings", texts_to_json(gone.warnings)}});
}

Json rule_to_json(const EmptyRule& rule) {
    Json collections = Json::array();
    for (const auto& name : rule.collections) collections.push(name);
    return Json::object({{"collections", rule.whole_database() ? Json() : std::move(collections)}, {"minimum", rule.minimum}});
}

Json preview_to_json(const PreviewResult& result, const std::string& mode) {
    Json collections = Json::array();
    for (const auto& one : result.collections)
        collections.push(Json::object({{"name", one.name},
                                       {"type", one.type},
                                       {"in_backup", one.in_backup},
                                       {"action", word_of(one.action)},
                                       {"dropped", one.action == PreviewAction::drop},
                                       {"now", number_or_null(one.now)},
                                       {"after", number_or_null(one.after)},
                                       {"at_least", number_or_null(one.at_least)},
                                       {"at_most", number_or_null(one.at_most)},
                                       {"same", one.same()},
                                       {"same_documents", one.same_documents},
                                       {"same_catalog", one.same_catalog},
                                       {"inserted", one.inserted},
                                       {"replaced", one.replaced},
                                       {"unchanged", one.unchanged}}));
    return Json::object({{"file", result.file},
                         {"mode", mode},
                         {"database", result.database},
                         {"collections", std::move(collections)},
                         {"duration_ms", result.duration_ms},
                         {"warnings", texts_to_json(result.warnings)}});
}

Json startup_to_json(const StartupResult& result, const std::string& database) {
    Json skipped = Json::array();
    for (const auto& s : result.skipped)
        skipped.push(Json::object({{"file", s.file}, {"reason", s.reason}, {"message", s.message}}));
    const std::string sentinel = result.rule && result.rule->collections.size() == 1 ? result.rule->collections[0] : "";
    return Json::object({{"result", result.result},
                         {"may_go_on", result.may_go_on},
                         {"reason", result.reason},
                         {"message", result.message},
                         {"sentinel", text_or_null(sentinel)},
                         {"rule", result.rule ? rule_to_json(*result.rule) : Json()},
                         {"file", text_or_null(result.file)},
                         {"restore", result.restore ? restore_to_json(*result.restore, "replace", database) : Json()},
                         {"skipped", std::move(skipped)},
                         {"duration_ms", result.duration_ms},
                         {"warnings", texts_to_json(result.warnings)}});
}

}  // namespace reprise
