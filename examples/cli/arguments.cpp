#include "arguments.h"

#include <pwd.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <reprise/reprise.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace cli {
namespace {

enum class Kind { flag, text, names, number };
using Options = std::map<std::string, Kind>;
using Json = rapidjson::Writer<rapidjson::StringBuffer>;

const std::vector<std::string> verbs = {"backup", "before", "restore", "preview", "auto",   "list",   "show",
                                        "cat",    "verify", "rehash",  "rekey",   "keygen", "accept", "pin",
                                        "unpin",  "forget", "delete",  "status",  "audit"};
const std::set<std::string> needs_file = {"rehash", "rekey", "keygen", "accept", "pin", "unpin", "delete"};
const std::set<std::string> takes_file = {"show",  "cat",    "verify", "restore", "preview", "rehash",
                                          "rekey", "keygen", "accept", "pin",     "unpin",   "delete"};
const std::set<std::string> offline = {"list",   "show", "verify", "rehash", "rekey",  "status", "cat",
                                       "accept", "pin",  "unpin",  "forget", "delete", "audit"};
const char no_server[] = "mongodb://127.0.0.1:27017";

const Options common = {{"--json", Kind::flag},
                        {"--database", Kind::text},
                        {"--directory", Kind::text},
                        {"--no-progress", Kind::flag},
                        {"--verbose", Kind::flag}};
const Options keep = {{"--keep-last", Kind::number},   {"--keep-hourly", Kind::number},    {"--keep-daily", Kind::number},
                      {"--keep-weekly", Kind::number}, {"--keep-monthly", Kind::number},   {"--keep-yearly", Kind::number},
                      {"--keep-within", Kind::text},   {"--max-total-bytes", Kind::number}};
const Options of_restore = {{"--merge", Kind::flag},
                            {"--exact", Kind::flag},
                            {"--include", Kind::names},
                            {"--exclude", Kind::names},
                            {"--to-database", Kind::text},
                            {"--to-mongo-url-env", Kind::text},
                            {"--other-database", Kind::flag},
                            {"--adopt", Kind::flag},
                            {"--no-safety-backup", Kind::flag},
                            {"--allow-unsharded", Kind::flag},
                            {"--non-unique", Kind::flag},
                            {"--accept-unsigned", Kind::flag},
                            {"--without-majority", Kind::flag},
                            {"--abandon-unfinished", Kind::flag},
                            {"--wait", Kind::text}};
const std::map<std::string, Options> own = {
    {"backup",
     {{"--label", Kind::text},
      {"--no-retention", Kind::flag},
      {"--include", Kind::names},
      {"--exclude", Kind::names},
      {"--profile", Kind::text},
      {"--require-snapshot", Kind::flag},
      {"--accept-smaller", Kind::flag},
      {"--sentinel", Kind::text},
      {"--collection", Kind::names},
      {"--minimum", Kind::text},
      {"--wait", Kind::text}}},
    {"before",
     {{"--keep-days", Kind::number},
      {"--profile", Kind::text},
      {"--require-snapshot", Kind::flag},
      {"--accept-smaller", Kind::flag},
      {"--sentinel", Kind::text},
      {"--collection", Kind::names},
      {"--minimum", Kind::text},
      {"--wait", Kind::text}}},
    {"restore", of_restore},
    {"preview", of_restore},
    {"keygen", {{"--signing", Kind::flag}}},
    {"auto",
     {{"--retry", Kind::flag},
      {"--sentinel", Kind::text},
      {"--collection", Kind::names},
      {"--whole-database", Kind::flag},
      {"--minimum", Kind::text},
      {"--start-anyway", Kind::flag},
      {"--wait", Kind::text}}},
    {"accept", {{"--wait", Kind::text}}},
    {"pin", {{"--wait", Kind::text}}},
    {"unpin", {{"--wait", Kind::text}}},
    {"forget", {{"--dry-run", Kind::flag}, {"--wait", Kind::text}}},
    {"delete", {{"--wait", Kind::text}}},
    {"audit", {{"--limit", Kind::number}}},
};
// Options that are ours, or go to the job under another name.
const std::set<std::string> not_for_the_job = {
    "json",  "no_progress",      "verbose",          "database",   "directory",      "sentinel", "wait",        "no_retention",
    "merge", "require_snapshot", "to_mongo_url_env", "collection", "whole_database", "minimum",  "start_anyway"};

Problem usage(const std::string& message) { return Problem(REPRISE_E_INVALID_ARGUMENT, "usage", message + " (see --help)"); }

std::string key_of(const std::string& option) {
    std::string key = option.substr(2);
    for (char& letter : key) letter = letter == '-' ? '_' : letter;
    return key;
}

bool takes_keep(const std::string& verb) { return verb == "backup" || verb == "forget"; }

const Kind* kind_of(const std::string& verb, const std::string& option) {
    const auto kept = keep.find(option);
    if (takes_keep(verb) && kept != keep.end()) return &kept->second;
    const auto options = own.find(verb);
    if (options != own.end()) {
        const auto found = options->second.find(option);
        if (found != options->second.end()) return &found->second;
    }
    const auto found = common.find(option);
    return found == common.end() ? nullptr : &found->second;
}

std::int64_t whole_number(const std::string& name, const std::string& given) {
    const std::string digits = given.substr(given.rfind("-", 0) == 0 ? 1 : 0);
    if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos)
        throw usage(name + " takes a whole number, not " + given);
    return std::stoll(given);
}

// Reads the option at `at`, and its value, which may be the next argument.
void read_option(Arguments& found, const std::vector<std::string>& given, std::size_t& at) {
    const std::string& argument = given[at];
    const std::size_t equals = argument.find('=');
    const std::string name = argument.substr(0, equals);
    const Kind* kind = kind_of(found.verb, name);
    if (kind == nullptr || (*kind == Kind::flag && equals != std::string::npos)) {
        throw usage(found.verb + " has no option " + argument);
    }
    if (*kind == Kind::flag) {
        found.flags[key_of(name)] = true;
        return;
    }
    if (equals == std::string::npos && at + 1 >= given.size()) throw usage(name + " needs a value");
    const std::string value = equals == std::string::npos ? given[++at] : argument.substr(equals + 1);
    if (*kind == Kind::number) {
        found.numbers[key_of(name)] = whole_number(name, value);
    } else if (*kind == Kind::names) {
        found.names[key_of(name)].push_back(value);
    } else {
        found.texts[key_of(name)] = value;
    }
}

void check(const Arguments& found) {
    if (needs_file.count(found.verb) != 0 && !found.has_file) throw usage(found.verb + " needs a file");
    if (found.verb == "before" && found.text("reason") == nullptr) throw usage("before needs a reason");
    if (found.verb == "cat" && found.flag("json")) throw usage("cat writes the file itself, which is JSON: leave out --json");
}

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::string() : std::string(value);
}

std::string first_given(const std::string* option, const std::string& variable, const char* otherwise) {
    if (option != nullptr && !option->empty()) return *option;
    const std::string value = environment(variable);
    return value.empty() ? std::string(otherwise) : value;
}

void put(Json& json, const std::string& key, const std::string& value) {
    json.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

// "age1…,age1…" as an array; blanks around a recipient are passed over.
void put_recipients(Json& json, const std::string& given) {
    json.Key("recipients");
    json.StartArray();
    for (std::size_t at = 0; at < given.size();) {
        const std::size_t end = std::min(given.find(',', at), given.size());
        const std::size_t first = given.find_first_not_of(" \t", at);
        const std::string one = first < end ? given.substr(first, end - first) : std::string();
        if (const std::size_t size = one.find_last_not_of(" \t") + 1; size > 0) json.String(one.substr(0, size).c_str());
        at = end + 1;
    }
    json.EndArray();
}

void put_keys(Json& json) {
    const std::string recipients = environment("BACKUP_RECIPIENTS"), identity = environment("BACKUP_IDENTITY_FILE");
    const std::string passphrase = environment("BACKUP_PASSPHRASE_FILE"), signing = environment("BACKUP_SIGNING_KEY_FILE");
    if (!recipients.empty() || !identity.empty() || !passphrase.empty()) {
        json.Key("encryption");
        json.StartObject();
        if (!recipients.empty()) put_recipients(json, recipients);
        if (!identity.empty()) put(json, "identity_file", identity);
        if (!passphrase.empty()) put(json, "passphrase_file", passphrase);
        json.EndObject();
    }
    if (signing.empty()) return;
    json.Key("signature");
    json.StartObject();
    put(json, "sign_key_file", signing);
    json.EndObject();
}

std::int64_t milliseconds(const std::string& given) {
    const bool digits = !given.empty() && given.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || given.size() > 5 || std::stoi(given) > 86400) {
        throw usage("--wait takes whole seconds, 0 to 86400, not " + given);
    }
    return std::int64_t{std::stoi(given)} * 1000;
}

// On whose behalf the command works, for the audit log: the user of this process, whatever the environment says.
void put_actor(Json& json) {
    const passwd* user = getpwuid(getuid());
    json.Key("actor");
    json.StartObject();
    put(json, "via", "command");
    put(json, "who", user != nullptr ? user->pw_name : "uid " + std::to_string(getuid()));
    json.EndObject();
}

void put_wait(Json& json, const Arguments& arguments) {
    const std::string* wait = arguments.text("wait");
    if (wait == nullptr) return;
    json.Key("wait_ms");
    json.Int64(milliseconds(*wait));
}

void put_keep(Json& json, const Arguments& arguments) {
    for (const auto& [key, value] : arguments.numbers) {
        json.Key(key.c_str());
        json.Int64(value);
    }
    if (const std::string* within = arguments.text("keep_within")) put(json, "keep_within", *within);
}

// A backup is rotated by the configuration, which these options are then.
void put_retention(Json& json, const Arguments& arguments) {
    const bool kept = !arguments.numbers.empty() || arguments.text("keep_within") != nullptr;
    if (arguments.verb != "backup" || (!kept && !arguments.flag("no_retention"))) return;
    json.Key("retention");
    if (!kept) {
        json.Bool(false);
        return;
    }
    json.StartObject();
    put_keep(json, arguments);
    json.EndObject();
}

void put_names(Json& json, const std::string& key, const std::vector<std::string>& names) {
    json.Key(key.c_str());
    json.StartArray();
    for (const std::string& name : names) json.String(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    json.EndArray();
}

std::int64_t documents(const std::string& given) {
    const bool digits = !given.empty() && given.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || given.size() > 5) throw usage("--minimum takes a number of documents, not " + given);
    return std::stoi(given);
}

// The configuration's key `startup`, as far as it was given: what counts as empty.
void put_startup(Json& json, const Arguments& arguments) {
    const auto collections = arguments.names.find("collection");
    const std::string* minimum = arguments.text("minimum");
    const bool listed = collections != arguments.names.end();
    if (!arguments.flag("whole_database") && !listed && minimum == nullptr) return;
    if (arguments.verb == "auto" && arguments.text("sentinel") != nullptr && (listed || arguments.flag("whole_database")))
        throw usage("auto takes one of --sentinel, --collection and --whole-database");
    json.Key("startup");
    json.StartObject();
    if (arguments.flag("whole_database")) put(json, "empty", "database");
    if (listed) put_names(json, "collections", collections->second);
    if (minimum != nullptr) {
        json.Key("minimum");
        json.Int64(documents(*minimum));
    }
    json.EndObject();
}

void put_texts(Json& json, const Arguments& arguments) {
    for (const auto& [key, value] : arguments.texts) {
        if (not_for_the_job.count(key) == 0 && key != "keep_within") put(json, key, value);
    }
    if (arguments.verb != "backup") put_keep(json, arguments);
    if (arguments.flag("require_snapshot")) put(json, "consistency", "require_snapshot");
    if (arguments.flag("start_anyway")) put(json, "on_failure", "start_anyway");
    if (arguments.flag("merge")) put(json, "mode", "merge");
    if (arguments.has_file) put(json, "file", file_of(arguments));
    if (const std::string* variable = arguments.text("to_mongo_url_env")) {
        const std::string url = environment(*variable);
        if (url.empty()) throw usage("--to-mongo-url-env names " + *variable + ", which is not set");
        put(json, "to_mongo_url", url);
    }
}

}  // namespace

const std::string* Arguments::text(const std::string& name) const {
    const auto found = texts.find(name);
    return found == texts.end() ? nullptr : &found->second;
}

Arguments parse(const std::vector<std::string>& given) {
    Arguments found;
    found.verb = given.empty() ? std::string() : given[0];
    bool known = false;
    std::string all;
    for (const std::string& verb : verbs) {
        known = known || verb == found.verb;
        all += (all.empty() ? "" : ", ") + verb;
    }
    const std::string said = found.verb.empty() ? "a command is missing" : "unknown command " + found.verb;
    if (!known) throw usage(said + ": one of " + all);
    for (std::size_t at = 1; at < given.size(); ++at) {
        if (given[at].size() > 1 && given[at][0] == '-') {
            read_option(found, given, at);
        } else if (found.verb == "before" && found.text("reason") == nullptr) {
            found.texts["reason"] = given[at];
        } else if (takes_file.count(found.verb) == 0 || found.has_file) {
            throw usage(found.verb + " does not take " + given[at]);
        } else if (given[at].empty()) {
            throw usage("the file's name is empty");
        } else {
            found.has_file = true;
            found.file = given[at];
        }
    }
    check(found);
    return found;
}

std::string configuration(const Arguments& arguments, std::string& database, std::string& directory) {
    std::string url = environment("MONGO_URL");
    if (url.empty()) {
        if (offline.count(arguments.verb) == 0) {
            throw Problem(REPRISE_E_INVALID_CONFIG, "key_missing",
                          "MONGO_URL is not set: it says where the database is, e.g. mongodb://127.0.0.1:27017");
        }
        url = no_server;
    }
    database = first_given(arguments.text("database"), "DB_NAME", "test_database");
    const std::string folder = first_given(arguments.text("directory"), "BACKUP_DIR", "/app/data/backups");
    directory = std::filesystem::absolute(folder).lexically_normal().string();
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    rapidjson::StringBuffer text;
    Json json(text);
    json.StartObject();
    put(json, "mongo_url", url);
    put(json, "database", database);
    put(json, "directory", directory);
    if (const std::string* sentinel = arguments.text("sentinel")) put(json, "sentinel", *sentinel);
    put_retention(json, arguments);
    put_startup(json, arguments);
    if (const std::string how = environment("BACKUP_COMPRESSION"); !how.empty()) put(json, "compression", how);
    put_keys(json);
    if (arguments.flag("verbose")) put(json, "log_level", "debug");
    json.EndObject();
    return text.GetString();
}

std::string job_options(const Arguments& arguments) {
    rapidjson::StringBuffer text;
    Json json(text);
    json.StartObject();
    put_texts(json, arguments);
    for (const auto& [key, given] : arguments.flags) {
        if (not_for_the_job.count(key) != 0) continue;
        json.Key(key.c_str());
        json.Bool(given);
    }
    for (const auto& [key, names] : arguments.names)
        if (not_for_the_job.count(key) == 0) put_names(json, key, names);
    put_wait(json, arguments);
    put_actor(json);
    json.EndObject();
    return text.GetString();
}

std::string mark_options(const Arguments& arguments) {
    rapidjson::StringBuffer text;
    Json json(text);
    json.StartObject();
    if (arguments.verb != "delete") {
        json.Key(arguments.verb == "accept" ? "accept" : "pin");
        json.Bool(arguments.verb != "unpin");
    }
    put_wait(json, arguments);
    put_actor(json);
    json.EndObject();
    return text.GetString();
}

std::string audit_options(const Arguments& arguments) {
    const auto limit = arguments.numbers.find("limit");
    return limit == arguments.numbers.end() ? "{}" : "{\"limit\":" + std::to_string(limit->second) + "}";
}

std::string file_of(const Arguments& arguments) {
    if (arguments.file.find('/') == std::string::npos) return arguments.file;
    return std::filesystem::absolute(arguments.file).lexically_normal().string();
}

int exit_of_code(std::int32_t code) {
    switch (code) {
        case REPRISE_OK: return exit_ok;
        case REPRISE_E_INVALID_ARGUMENT:
        case REPRISE_E_INVALID_CONFIG: return exit_usage;
        case REPRISE_E_NOT_FOUND: return exit_not_found;
        case REPRISE_E_BUSY: return exit_busy;
        case REPRISE_E_CANCELLED: return exit_interrupted;
        case REPRISE_E_TIMED_OUT:
        case REPRISE_E_UNAVAILABLE: return exit_unavailable;
        case REPRISE_E_DENIED: return exit_denied;
        case REPRISE_E_CORRUPT: return exit_corrupt;
        case REPRISE_E_REFUSED: return exit_refused;
        default: return exit_failed;
    }
}

}  // namespace cli
