// The arguments of the command. `python -m reprise` takes the same: bindings/python/src/reprise/_command.py; change both.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace cli {

enum Exit {
    exit_ok = 0,
    exit_failed = 1,
    exit_usage = 2,
    exit_busy = 3,
    exit_refused = 4,
    exit_corrupt = 5,
    exit_unavailable = 6,
    exit_denied = 7,
    exit_not_found = 8,
    exit_interrupted = 130,
};

// What a failure says, in the words of reprise_error.
struct Problem : std::runtime_error {
    Problem(std::int32_t code_, std::string reason_, const std::string& message)
        : std::runtime_error(message), code(code_), reason(std::move(reason_)) {}
    std::int32_t code;
    std::string reason;
    std::string origin = "own";
    std::int32_t origin_code = 0;
    bool retryable = false;
};

struct Arguments {
    std::string verb;
    bool has_file = false;
    std::string file;                                       // as given
    std::map<std::string, bool> flags;                      // by name: no_safety_backup
    std::map<std::string, std::string> texts;               // label, database …
    std::map<std::string, std::int64_t> numbers;            // keep_last …
    std::map<std::string, std::vector<std::string>> names;  // include, exclude

    bool flag(const std::string& name) const { return flags.count(name) != 0; }
    const std::string* text(const std::string& name) const;
};

extern const char usage_text[];

// Throws Problem with reason `usage` for anything that is not one of our commands.
Arguments parse(const std::vector<std::string>& given);

// What reprise_open gets, as JSON: the environment of the old script, and the options above it. database and directory
// are filled in for the sentences.
std::string configuration(const Arguments& arguments, std::string& database, std::string& directory);

// The options of the job that the command starts, as JSON; what was not given is left out.
std::string job_options(const Arguments& arguments);

// What accept, pin and unpin ask reprise_mark for, and delete reprise_delete, as JSON.
std::string mark_options(const Arguments& arguments);
std::string audit_options(const Arguments& arguments);

// A bare name is one of the folder; anything with a slash is a path from here.
std::string file_of(const Arguments& arguments);

int exit_of_code(std::int32_t code);

}  // namespace cli
