#include "base/failure.h"

#include <cerrno>
#include <system_error>

namespace reprise {

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
