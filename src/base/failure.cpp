#include "base/failure.h"

#include <cerrno>
#include <system_error>

namespace reprise {

const char* code_name(Code code) {
    switch (code) {
        case Code::ok: return "ok";
        case Code::invalid_argument: return "invalid_argument";
        case Code::invalid_config: return "invalid_config";
        case Code::not_found: return "not_found";
        case Code::busy: return "busy";
        case Code::cancelled: return "cancelled";
        case Code::timed_out: return "timed_out";
        case Code::unavailable: return "unavailable";
        case Code::denied: return "denied";
        case Code::corrupt: return "corrupt";
        case Code::refused: return "refused";
        case Code::io: return "io";
        case Code::server: return "server";
        case Code::unsupported: return "unsupported";
        case Code::internal: return "internal";
        case Code::out_of_memory: return "out_of_memory";
    }
    return "unknown";
}

Failure system_failure(const std::string& what, int errno_value) {
    Code code = Code::io;
    const char* reason = "io_error";
    switch (errno_value) {
        case ENOSPC:
        case EDQUOT: reason = "disk_full"; break;
        case EACCES:
        case EPERM: code = Code::denied, reason = "permission_denied"; break;
        case EROFS: code = Code::denied, reason = "read_only_folder"; break;
        case ENOENT: code = Code::not_found, reason = "file_missing"; break;
        default: break;
    }
    // generic_category().message is thread-safe where strerror is not.
    Failure failure(code, reason, what + ": " + std::generic_category().message(errno_value));
    failure.from(Origin::system, errno_value);
    return failure;
}

}  // namespace reprise
