// A Failure is the one exception type inside reprise. It is thrown where something could not be done and caught at the
// edge of a job, a room or a thread; the C ABI turns it into a reprise_error. Expected outcomes are return types instead.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace reprise {

// The values are the C ABI's REPRISE_E_… and never change.
enum class Code : std::int32_t {
    ok = 0,
    invalid_argument = -1,  // a call's argument or an option of a job is wrong
    invalid_config = -2,    // the configuration is wrong; the message names the key
    not_found = -3,         // a file, job, database or collection is not there
    busy = -4,              // somebody else holds the lease, the folder or the name
    cancelled = -5,         // asked to stop, and did
    timed_out = -6,         // a wait or deadline ended
    unavailable = -7,       // the server cannot be reached or went away
    denied = -8,            // no permission: server role or file mode
    corrupt = -9,           // a file is not what it should be
    refused = -10,          // a guard or rule said no; the message says how to override
    io = -11,               // the operating system failed a file operation
    server = -12,           // the server answered with an error
    unsupported = -13,      // valid, but not something this version does
    internal = -14,         // our bug
    out_of_memory = -15,
};

const char* code_name(Code code);  // "busy"; "unknown" for a number that is none of them

enum class Origin : std::int32_t { own = 0, server = 1, system = 2, http = 3, tls = 4 };

struct Failure : std::exception {
    // reason: a stable snake_case word of at most 47 bytes, listed in capi/ABI.md.
    // message: UTF-8, lower case, no full stop, names the thing and the way out; never a secret or a document's value.
    Failure(Code code_, std::string reason_, std::string message_)
        : code(code_), reason(std::move(reason_)), message(std::move(message_)) {}

    Failure& from(Origin origin_, std::int32_t origin_code_) {
        origin = origin_;
        origin_code = origin_code_;
        return *this;
    }
    Failure& may_retry(bool yes = true) {
        retryable = yes;
        return *this;
    }
    const char* what() const noexcept override { return message.c_str(); }

    Code code;
    std::string reason;
    std::string message;
    Origin origin = Origin::own;
    std::int32_t origin_code = 0;
    bool retryable = false;
};

// A Failure for a system call that set errno: EACCES, EPERM and EROFS become `denied`, ENOENT `not_found`, all else `io`.
// reason: disk_full (ENOSPC, EDQUOT), permission_denied, read_only_folder (EROFS), file_missing, io_error.
// what: the action and the thing, e.g. "cannot create /data/backups/x".
Failure system_failure(const std::string& what, int errno_value);

}  // namespace reprise
