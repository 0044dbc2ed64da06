#include "format/manifest.h"

#include <tuple>

#include "base/failure.h"
#include "base/text.h"
#include "format/sections.h"

namespace reprise {
namespace {

constexpr int kManifestVersion = 1;

std::string text_of(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    return value == nullptr || value->is_null() ? std::string() : value->as_string();
}

std::int64_t int_of(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    return value == nullptr || value->is_null() ? 0 : value->as_int();
}

bool bool_of(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    return value != nullptr && !value->is_null() && value->as_bool();
}

Manifest read(const Json& json) {
    Manifest m;
    if (json.at("manifest").as_int() != kManifestVersion)
        throw Failure(Code::corrupt, "manifest_invalid", "its version is unknown");
    m.name = json.at("name").as_string();
    m.size_bytes = json.at("size_bytes").as_int();
    m.modified_us = json.at("modified_us").as_int();
    m.sha256 = json.at("sha256").as_string();
    m.stored_sha256 = text_of(json, "stored_sha256");
    m.state = json.at("state").as_string();
    m.kind = json.at("kind").as_string();
    m.suspect_reason = text_of(json, "suspect_reason");
    m.verified = bool_of(json, "verified");
    m.signed_by = text_of(json, "signed_by");
    m.verified_us = int_of(json, "verified_us");
    m.pinned = bool_of(json, "pinned");
    if (const std::string until = text_of(json, "keep_until"); !until.empty()) {
        m.keep_until_us = from_iso_time(until);
        if (!m.keep_until_us) throw Failure(Code::corrupt, "manifest_invalid", "keep_until is no time");
    }
    m.legacy = bool_of(json, "legacy");
    m.backup_date_us = int_of(json, "backup_date_us");
    m.database = text_of(json, "database");
    m.id = text_of(json, "id");
    m.label = text_of(json, "label");
    m.server = text_of(json, "server");
    m.version = text_of(json, "version");
    m.edited_from = text_of(json, "edited_from");
    if (const std::string deployment = text_of(json, "deployment"); !deployment.empty()) m.deployment = deployment;
    m.sequence = int_of(json, "sequence");
    if (m.sequence > kMaxCount) throw Failure(Code::corrupt, "manifest_invalid", "sequence is out of range");
    m.scope = json.at("scope").as_string();
    m.consistency = text_of(json, "consistency");
    m.summary = summary_from_json(json.at("summary"));
    return m;
}

}  // namespace

std::string manifest_key(const std::string& file_name) { return "manifests/" + file_name + ".json"; }

Json manifest_to_json(const Manifest& m) {
    Json json = Json::object({{"manifest", kManifestVersion}, {"name", m.name}, {"size_bytes", m.size_bytes}});
    json.set("modified_us", m.modified_us).set("sha256", m.sha256);
    if (!m.stored_sha256.empty()) json.set("stored_sha256", m.stored_sha256);
    json.set("state", m.state);
    if (!m.signed_by.empty()) json.set("signed_by", m.signed_by);
    if (!m.suspect_reason.empty()) json.set("suspect_reason", m.suspect_reason);
    json.set("kind", m.kind).set("verified", m.verified).set("verified_us", m.verified_us).set("pinned", m.pinned);
    if (m.keep_until_us) json.set("keep_until", iso_time(*m.keep_until_us));
    json.set("legacy", m.legacy).set("backup_date_us", m.backup_date_us).set("database", m.database).set("id", m.id);
    json.set("label", m.label).set("server", m.server).set("version", m.version);
    if (!m.edited_from.empty()) json.set("edited_from", m.edited_from);
    json.set("deployment", m.deployment ? Json(*m.deployment) : Json()).set("sequence", m.sequence).set("scope", m.scope);
    json.set("consistency", m.consistency).set("summary", summary_to_json(m.summary));
    return json;
}

Manifest manifest_from_json(const Json& json) {
    try {
        return read(json);
    } catch (const Failure& failure) {
        throw Failure(Code::corrupt, "manifest_invalid",
                      "a manifest cannot be read (" + failure.message + "); verify its backup to make it anew");
    }
}

bool older(const Manifest& a, const Manifest& b) {
    const auto key = [](const Manifest& m) {
        return std::make_tuple(!m.legacy, m.legacy ? m.backup_date_us : 0, m.legacy ? 0 : m.sequence,
                               m.legacy ? 0 : m.backup_date_us, m.name);
    };
    return key(a) < key(b);
}

bool is_own(const Manifest& manifest, const std::string& database, const std::optional<std::string>& deployment) {
    if (manifest.legacy || manifest.database != database) return false;
    return !manifest.deployment || !deployment || manifest.deployment == deployment;
}

bool is_good(const Manifest& manifest) {
    return manifest.verified && !manifest.untrusted && manifest.state == "good" && manifest.kind != "before_restore" &&
           manifest.scope != "partial" && manifest.edited_from.empty();
}

}  // namespace reprise
