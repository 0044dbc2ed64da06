#include "service/options.h"

#include "base/leaving.h"
#include "base/secret.h"
#include "base/text.h"
#include "format/names.h"
#include "mongo/client.h"
#include "service/actor.h"
#include "service/keeping.h"
#include "service/startup_config.h"
#include "service/timing.h"

namespace reprise {
namespace {

KeyRule text(const char* name, std::vector<std::string> allowed = {}) {
    return {name, KeyType::text, false, std::move(allowed), 0, 0};
}
KeyRule needed(const char* name) { return {name, KeyType::text, true, {}, 0, 0}; }
KeyRule yes_no(const char* name) { return {name, KeyType::yes_no, false, {}, 0, 0}; }
KeyRule texts(const char* name) { return {name, KeyType::texts, false, {}, 0, 0}; }
KeyRule wait() { return {"wait_ms", KeyType::number, false, {}, -1, kLongestWaitMs}; }

Schema schema(const char* kind, std::vector<KeyRule> rules) {
    rules.push_back(wait());
    rules.push_back(actor_rule());
    return {Code::invalid_argument, std::string("options of ") + kind, std::move(rules)};
}

// A preview is asked the same, so that it tells of the same restore.
std::vector<KeyRule> restore_rules() {
    return {text("file"),
            text("mode", {"replace", "merge"}),
            yes_no("exact"),
            texts("include"),
            texts("exclude"),
            text("to_database"),
            text("to_mongo_url"),
            yes_no("other_database"),
            yes_no("adopt"),
            yes_no("no_safety_backup"),
            yes_no("allow_unsharded"),
            yes_no("non_unique"),
            yes_no("without_majority"),
            yes_no("abandon_unfinished"),
            yes_no("accept_unsigned")};
}

Schema make_schema(Kind kind) {
    switch (kind) {
        case Kind::backup:
            return schema("backup", {text("label"), texts("include"), texts("exclude"),
                                     text("consistency", {"prefer_snapshot", "require_snapshot"}),
                                     text("profile", {"readable", "portable"}), yes_no("accept_smaller")});
        case Kind::before:
            return schema("before", {needed("reason"),
                                     {"keep_days", KeyType::number, false, {}, 0, kMostBeforeDays},
                                     text("consistency", {"prefer_snapshot", "require_snapshot"}),
                                     text("profile", {"readable", "portable"}),
                                     yes_no("accept_smaller")});
        case Kind::startup: return schema("startup", {yes_no("retry"), on_failure_key()});
        case Kind::restore: return schema("restore", restore_rules());
        case Kind::verify: return schema("verify", {text("file")});
        case Kind::rehash: return schema("rehash", {needed("file")});
        case Kind::rekey: return schema("rekey", {needed("file")});
        case Kind::forget: {
            std::vector<KeyRule> rules = keep_rules();
            rules.push_back(yes_no("dry_run"));
            return schema("forget", std::move(rules));
        }
        case Kind::preview: return schema("preview", restore_rules());
    }
    return {};
}

void check_target(const char* kind, const Json& options) {
    const std::string where = std::string(" of the options of ") + kind + ": ";
    if (const Json* url = options.find("to_mongo_url")) {
        try {
            check_mongo_url(Secret(url->as_string()));
        } catch (const Failure& failure) {
            throw Failure(Code::invalid_argument, failure.reason, "key to_mongo_url" + where + failure.message);
        }
    }
    if (const Json* name = options.find("to_database"))
        if (const auto problem = database_name_problem(name->as_string()))
            throw Failure(Code::invalid_argument, "key_value_wrong", "key to_database" + where + *problem);
}

}  // namespace

const std::vector<Kind>& all_kinds() {
    static const auto& kinds = lasting(std::vector<Kind>{Kind::backup, Kind::before, Kind::startup, Kind::restore, Kind::verify,
                                                         Kind::rehash, Kind::rekey, Kind::forget, Kind::preview});
    return kinds;
}

const char* kind_name(Kind kind) {
    switch (kind) {
        case Kind::backup: return "backup";
        case Kind::before: return "before";
        case Kind::startup: return "startup";
        case Kind::restore: return "restore";
        case Kind::verify: return "verify";
        case Kind::rehash: return "rehash";
        case Kind::rekey: return "rekey";
        case Kind::forget: return "forget";
        case Kind::preview: return "preview";
    }
    return "unknown";
}

Kind parse_kind(std::string_view word) {
    std::string known;
    for (const Kind kind : all_kinds()) {
        if (word == kind_name(kind)) return kind;
        known += std::string(known.empty() ? "" : ", ") + kind_name(kind);
    }
    throw Failure(Code::invalid_argument, "job_kind_unknown",
                  "unknown kind of job " + printable(word) + ": known are " + known);
}

const Schema& options_schema(Kind kind) {
    static const auto& schemas = lasting([] {
        std::vector<Schema> made;
        for (const Kind k : all_kinds()) made.push_back(make_schema(k));
        return made;
    }());
    return schemas[static_cast<std::size_t>(kind)];
}

Json parse_options(Kind kind, std::string_view json) {
    Json options = parse_checked(json, options_schema(kind));
    if (kind == Kind::restore || kind == Kind::preview) check_target(kind_name(kind), options);
    for (const char* key : {"label", "reason"})
        if (text_or(options, key, "").size() > kMaxLabelBytes)
            throw Failure(Code::invalid_argument, "key_value_wrong",
                          std::string("key ") + key + " of the options of " + kind_name(kind) + " is longer than " +
                              std::to_string(kMaxLabelBytes) + " bytes");
    return options;
}

std::int64_t wait_ms_of(const Json& options, std::int64_t usual) {
    const std::int64_t asked = number_or(options, "wait_ms", usual);
    return asked < 0 ? kLongestWaitMs : asked;
}

}  // namespace reprise
