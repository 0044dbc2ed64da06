// reprise: the command. The same verbs, environment, --json and exit codes as `python -m reprise`; --help tells them.
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <reprise/reprise.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "arguments.h"
#include "engine.h"
#include "keygen.h"
#include "say.h"

namespace cli {
namespace {

constexpr std::size_t bar_width = 24;

// A progress bar on stderr, drawn only where a person looks at it.
class Bar {
public:
    explicit Bar(bool wanted) : on_(wanted && isatty(STDERR_FILENO) == 1) {}
    ~Bar() {
        if (drawn_) std::cerr << "\r\x1b[K" << std::flush;
    }
    Bar(const Bar&) = delete;
    Bar& operator=(const Bar&) = delete;

    void draw(const reprise_job_status& where) {
        if (!on_) return;
        std::string line = "[" + filled(where) + " " + where.phase;
        if (where.collection[0] != '\0') line += std::string(" ") + where.collection;
        line += " " + std::to_string(where.documents) + " documents " + amount(where.bytes);
        std::cerr << "\r\x1b[K" << line.substr(0, columns()) << std::flush;
        drawn_ = true;
    }

private:
    static std::string filled(const reprise_job_status& where) {
        const bool by_bytes = where.bytes_total > 0;
        const double total = static_cast<double>(by_bytes ? where.bytes_total : where.documents_total);
        if (total <= 0) return std::string(bar_width, '.') + "]     ";
        const double done = static_cast<double>(by_bytes ? where.bytes : where.documents);
        const double share = done >= total ? 1.0 : done / total;
        const auto full = static_cast<std::size_t>(share * bar_width);
        char percent[16];
        std::snprintf(percent, sizeof percent, "] %3d%%", static_cast<int>(share * 100));
        return std::string(full, '#') + std::string(bar_width - full, '.') + percent;
    }

    static std::size_t columns() {
        winsize size{};
        const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
        return known ? static_cast<std::size_t>(size.ws_col) - 1 : 79;
    }

    bool on_;
    bool drawn_ = false;
};

std::string kind_of(const std::string& verb) { return verb == "auto" ? "startup" : verb; }

bool is_mark(const std::string& verb) { return verb == "accept" || verb == "pin" || verb == "unpin"; }

int exit_of_result(const std::string& verb, const Value& result) {
    if ((verb == "backup" || verb == "before") && text(result, "state") == "suspect") return exit_refused;
    if (verb == "audit") {
        const Value* check = member(result, "check");
        return check != nullptr && is_true(*check, "whole") ? exit_ok : exit_corrupt;
    }
    if (verb != "auto" || is_true(result, "may_go_on")) return exit_ok;
    return text(result, "result") == "in_progress" ? exit_busy : exit_refused;
}

void print_event(const std::string& event) {
    rapidjson::Document parsed;
    parsed.Parse(event.data(), event.size());
    if (text(parsed, "event") == "log") std::cerr << text(parsed, "level") << " " << text(parsed, "message") << "\n";
    if (text(parsed, "event") == "audit") std::cerr << "info " << event << "\n";
}

std::string answer(Engine& engine, const Arguments& arguments) {
    const std::string& verb = arguments.verb;
    if (verb == "list") return engine.list();
    if (verb == "show") return engine.show(arguments.has_file ? file_of(arguments) : "latest");
    if (verb == "status") return engine.status();
    if (verb == "audit") return engine.audit(audit_options(arguments));
    if (verb == "delete") return engine.remove(file_of(arguments), mark_options(arguments));
    if (is_mark(verb)) return engine.mark(file_of(arguments), mark_options(arguments));
    Bar bar(!arguments.flag("json") && !arguments.flag("no_progress"));
    const Engine::Say say = arguments.flag("verbose") ? Engine::Say(print_event) : Engine::Say();
    return engine.run(
        kind_of(verb), job_options(arguments), [&bar](const reprise_job_status& where) { bar.draw(where); }, say);
}

Lines sentences(const std::string& verb, const Value& result, const std::string& database, const std::string& directory) {
    if (verb == "backup" || verb == "before") return say_backup(result, database);
    if (verb == "list") return say_list(result, directory);
    if (verb == "show") return say_show(result);
    if (verb == "verify") return say_verify(result);
    if (verb == "restore") return say_restore(result);
    if (verb == "auto") return say_auto(result);
    if (verb == "rehash") return say_rehash(result);
    if (verb == "rekey") return say_rekey(result);
    if (verb == "forget") return say_forget(result);
    if (verb == "preview") return say_preview(result);
    if (verb == "delete") return say_deleted(result);
    if (verb == "audit") return say_audit(result);
    if (is_mark(verb)) return say_marked(result, verb);
    return say_status(result);
}

int run(const Arguments& arguments) {
    if (arguments.verb == "keygen") return keygen(arguments);
    std::string database;
    std::string directory;
    Engine engine(configuration(arguments, database, directory));
    if (arguments.verb == "cat") {
        engine.cat(arguments.has_file ? file_of(arguments) : std::string());
        return exit_ok;
    }
    catch_interrupts();
    std::string json = answer(engine, arguments);
    rapidjson::Document parsed;
    parsed.Parse(json.data(), json.size());
    if (arguments.flag("json")) {
        while (!json.empty() && json.back() == '\n') json.pop_back();
        std::cout << json << "\n";
    } else {
        for (const std::string& line : sentences(arguments.verb, parsed, database, directory)) std::cout << line << "\n";
    }
    return exit_of_result(arguments.verb, parsed);
}

void tell(const Problem& problem, bool as_json) {
    if (!as_json) {
        std::cerr << "reprise: " << problem.what() << " [" << problem.reason << "]\n";
        return;
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
    json.StartObject();
    json.Key("error");
    json.StartObject();
    json.Key("code");
    json.Int(problem.code);
    json.Key("code_name");
    json.String(reprise_code_name(problem.code));
    json.Key("reason");
    json.String(problem.reason.c_str());
    json.Key("message");
    json.String(problem.what());
    json.Key("origin");
    json.String(problem.origin.c_str());
    json.Key("origin_code");
    json.Int(problem.origin_code);
    json.Key("retryable");
    json.Bool(problem.retryable);
    json.EndObject();
    json.EndObject();
    std::cout << buffer.GetString() << "\n";
}

bool among(const std::vector<std::string>& given, const std::string& option) {
    for (const std::string& each : given) {
        if (each == option) return true;
    }
    return false;
}

int main(const std::vector<std::string>& given) {
    if (among(given, "--help") || among(given, "-h") || (!given.empty() && given[0] == "help")) {
        std::cout << usage_text;
        return exit_ok;
    }
    if (among(given, "--version")) {
        std::cout << "reprise " << reprise_version() << "\n";
        return exit_ok;
    }
    try {
        return run(parse(given));
    } catch (const Problem& problem) {
        tell(problem, among(given, "--json"));
        return exit_of_code(problem.code);
    } catch (const std::exception& problem) {
        tell(Problem(REPRISE_E_INTERNAL, "internal", problem.what()), among(given, "--json"));
        return exit_failed;
    }
}

}  // namespace
}  // namespace cli

int main(int count, char** arguments) {
    return cli::main(std::vector<std::string>(arguments + (count > 0 ? 1 : 0), arguments + count));
}
