#include "format/sections.h"

#include "base/failure.h"
#include "base/text.h"

namespace reprise {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kDigestDigits = 32;

Json names_to_json(const std::vector<std::string>& names) {
    Json list = Json::array();
    for (const std::string& name : names) list.push(name);
    return list;
}

std::vector<std::string> names_from_json(const Json* json) {
    std::vector<std::string> names;
    if (json == nullptr) return names;
    for (const Json& name : json->as_array()) names.push_back(name.as_string());
    return names;
}

Json scope_to_json(const Scope& scope) {
    Json json = Json::object({{"is", scope.is}});
    if (!scope.include.empty()) json.set("include", names_to_json(scope.include));
    if (!scope.exclude.empty()) json.set("exclude", names_to_json(scope.exclude));
    if (scope.skipped.empty()) return json;
    Json skipped = Json::object();
    for (const auto& [name, reason] : scope.skipped) skipped.set(name, reason);
    json.set("skipped", std::move(skipped));
    return json;
}

[[noreturn]] void invalid(const char* reason, const std::string& what) { throw Failure(Code::corrupt, reason, what); }

Scope scope_from_json(const Json& json) {
    Scope scope;
    scope.is = json.at("is").as_string();
    if (scope.is != "all" && scope.is != "configured" && scope.is != "partial")
        invalid("header_invalid", "scope is none of all, configured, partial");
    scope.include = names_from_json(json.find("include"));
    scope.exclude = names_from_json(json.find("exclude"));
    if (const Json* skipped = json.find("skipped"))
        for (const auto& [name, reason] : skipped->as_object()) scope.skipped.emplace_back(name, reason.as_string());
    return scope;
}

std::string text_of(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    return value == nullptr || value->is_null() ? std::string() : value->as_string();
}

std::optional<std::string> id_of(const Json& json, std::string_view key) {
    const Json* value = json.find(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!is_lower_hex(value->as_string(), kIdDigits))
        invalid("header_invalid", std::string(key) + " is not 32 lower-case hex digits");
    return value->as_string();
}

// Nothing else is looked at before the reader knows that it knows the file's language.
void check_language(const Json& json) {
    const std::int64_t format = json.at("format").as_int();
    if (format > kFormat)
        throw Failure(Code::unsupported, "format_unknown",
                      "format " + std::to_string(format) + " is newer than this reprise reads (" + std::to_string(kFormat) +
                          "); use a newer one");
    if (format < 1) invalid("header_invalid", "format " + std::to_string(format) + " does not exist");
    if (const std::string& kind = json.at("kind").as_string(); kind != "full")
        throw Failure(Code::unsupported, "kind_unknown",
                      "this reprise does not read files of the kind \"" + printable(kind) + "\"; use a newer one");
    for (const Json& feature : json.at("requires").as_array())
        throw Failure(
            Code::unsupported, "requirement_unknown",
            "the file requires \"" + printable(feature.as_string()) + "\", which this reprise does not know; use a newer one");
}

void read_header(const Json& json, Header& header) {
    check_language(json);
    header.format = static_cast<int>(json.at("format").as_int());
    header.kind = json.at("kind").as_string();
    const auto id = id_of(json, "id");
    if (!id) invalid("header_invalid", "id is missing");
    header.id = *id;
    header.deployment = id_of(json, "deployment");
    header.sequence = json.at("sequence").as_int();
    if (header.sequence < 0 || header.sequence > kMaxCount) invalid("header_invalid", "sequence is out of range");
    header.scope = scope_from_json(json.at("scope"));
    header.label = text_of(json, "label");
    header.version = text_of(json, "version");
    header.server = text_of(json, "server");
    header.profile = text_of(json, "profile");
    header.wanted = text_of(json, "wanted");
    header.edited_from = id_of(json, "edited_from");
    if (const Json* until = json.find("keep_until")) {
        header.keep_until_us = from_iso_time(until->as_string());
        if (!header.keep_until_us) invalid("header_invalid", "keep_until is not written like 2025-10-12T16:27:21.123456Z");
    }
}

std::int64_t count_of(const Json& json, std::string_view key) {
    const std::int64_t count = json.at(key).as_int();
    if (count < 0 || count > kMaxCount) invalid("summary_invalid", std::string(key) + " is out of range");
    return count;
}

bool digest_ok(std::string_view digest) {
    for (const std::string_view prefix : {"xxh3-128:", "xxh3-128-sorted:"})
        if (digest.substr(0, prefix.size()) == prefix && is_lower_hex(digest.substr(prefix.size()), kDigestDigits)) return true;
    return false;
}

std::int64_t time_of(const Json& json) {
    const auto time = from_iso_time(json.as_string());
    if (!time) invalid("summary_invalid", "a time is not written like 2025-10-12T16:27:21.123456Z");
    return *time;
}

std::uint32_t clock_of(const Json& json) {
    const std::int64_t value = json.as_int();
    if (value < 0 || value > 0xFFFFFFFF) invalid("summary_invalid", "cluster_time is out of range");
    return static_cast<std::uint32_t>(value);
}

Summary read_summary(const Json& json) {
    Summary summary;
    summary.documents = count_of(json, "documents");
    summary.consistency = json.at("consistency").as_string();
    if (summary.consistency != "snapshot" && summary.consistency != "per_collection")
        invalid("summary_invalid", "consistency is neither snapshot nor per_collection");
    summary.read_from_us = time_of(json.at("read").at("from"));
    summary.read_to_us = time_of(json.at("read").at("to"));
    if (const Json* time = json.find("cluster_time"); time != nullptr && !time->is_null())
        summary.cluster_time = {clock_of(time->at("t")), clock_of(time->at("i"))};
    summary.escapes = count_of(json, "escapes");
    for (const auto& [name, one] : json.at("collections").as_object()) {
        CollectionSummary collection{count_of(one, "documents"), count_of(one, "bson_bytes"), one.at("digest").as_string()};
        if (!digest_ok(collection.digest))
            invalid("summary_invalid", "a digest is not written like xxh3-128: and 32 hex digits");
        summary.collections.emplace_back(name, std::move(collection));
    }
    return summary;
}

// What Json says about a missing key or a wrong type, under this room's reason.
template <typename Read>
auto with_reason(const char* reason, Read read) {
    try {
        return read();
    } catch (Failure& failure) {
        if (failure.reason == "json_invalid") failure.reason = reason;
        throw;
    }
}

}  // namespace

std::string signature_to_text(const FileSignature& signature) {
    const Json json = Json::object({{"alg", signature.algorithm}, {"key", signature.key}, {"value", signature.value}});
    return "\"signature\":" + json.text() + ",";
}

FileSignature signature_from_json(const Json& json) {
    const auto text = [&](const char* key) {
        const Json* found = json.find(key);
        return found != nullptr && found->is_string() ? found->as_string() : std::string();
    };
    return {text("alg"), text("key"), text("value")};
}

bool is_lower_hex(std::string_view text, std::size_t digits) {
    return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Json header_to_json(const Header& header) {
    Json json = Json::object(
        {{"format", header.format}, {"kind", header.kind}, {"requires", names_to_json(header.requires_)}, {"id", header.id}});
    json.set("deployment", header.deployment ? Json(*header.deployment) : Json());
    json.set("sequence", header.sequence).set("scope", scope_to_json(header.scope)).set("label", header.label);
    json.set("version", header.version)
        .set("server", header.server)
        .set("profile", header.profile)
        .set("wanted", header.wanted);
    if (header.edited_from) json.set("edited_from", *header.edited_from);
    if (header.keep_until_us) json.set("keep_until", iso_time(*header.keep_until_us));
    return json;
}

void header_from_json(const Json& json, Header& header) {
    with_reason("header_invalid", [&] { read_header(json, header); });
}

Json summary_to_json(const Summary& summary) {
    Json json = Json::object({{"documents", summary.documents}, {"consistency", summary.consistency}});
    json.set("read", Json::object({{"from", iso_time(summary.read_from_us)}, {"to", iso_time(summary.read_to_us)}}));
    if (summary.cluster_time)
        json.set("cluster_time", Json::object({{"t", static_cast<std::int64_t>(summary.cluster_time->first)},
                                               {"i", static_cast<std::int64_t>(summary.cluster_time->second)}}));
    json.set("escapes", summary.escapes);
    Json::Object collections;
    for (const auto& [name, one] : summary.collections)
        collections.emplace_back(
            name, Json::object({{"documents", one.documents}, {"bson_bytes", one.bson_bytes}, {"digest", one.digest}}));
    json.set("collections", Json(std::move(collections)));
    return json;
}

Summary summary_from_json(const Json& json) {
    return with_reason("summary_invalid", [&] { return read_summary(json); });
}

}  // namespace reprise
