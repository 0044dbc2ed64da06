#include "keygen.h"

#include <fcntl.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <reprise/reprise.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>

namespace cli {
namespace {

using Text = std::unique_ptr<char, void (*)(char*)>;

Problem not_written(const std::string& path, int error) {
    if (error == EEXIST)
        return Problem(REPRISE_E_BUSY, "name_taken",
                       path + " is there already, and a key is never written over: choose another name");
    return Problem(error == EACCES || error == EPERM || error == EROFS ? REPRISE_E_DENIED : REPRISE_E_IO, "io_error",
                   "cannot write " + path + ": " + std::strerror(error));
}

// A name that a power cut takes away would take the key of every backup made for it.
bool keep_entry(const std::string& path) {
    const int folder = open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    const bool worked = fsync(folder) == 0 || errno == EINVAL;  // of a kind that has nothing to make durable
    const int error = errno;
    close(folder);
    errno = error;
    return worked;
}

// 0600 from the first byte, whatever the umask.
void write_new(const std::string& path, const char* bytes, std::size_t size) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) throw not_written(path, errno);
    bool worked = fchmod(file, 0600) == 0;
    while (worked && size > 0) {
        const ssize_t written = write(file, bytes, size);
        worked = written > 0 || (written < 0 && errno == EINTR);
        if (written > 0) bytes += written, size -= static_cast<std::size_t>(written);
    }
    worked = worked && fsync(file) == 0 && keep_entry(path);
    const int error = errno;
    close(file);
    if (worked) return;
    unlink(path.c_str());
    throw not_written(path, error);
}

void print(const std::string& path, const std::string& kind, const std::string& shared, bool as_json) {
    if (!as_json) {
        std::cerr << "The secret is in " << path << ": keep a copy of it elsewhere, nothing opens without it.\n";
        std::cout << shared << (shared.back() == '\n' ? "" : "\n");
        return;
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
    json.StartObject();
    json.Key("file");
    json.String(path.c_str());
    json.Key("kind");
    json.String(kind.c_str());
    json.Key("shared");
    json.String(shared.c_str());
    json.EndObject();
    std::cout << buffer.GetString() << "\n";
}

}  // namespace

int keygen(const Arguments& arguments) {
    const std::string kind = arguments.flag("signing") ? "signing" : "age";
    const std::string path = std::filesystem::absolute(arguments.file).lexically_normal().string();
    char *secret = nullptr, *shared = nullptr;
    std::size_t secret_size = 0, shared_size = 0;
    reprise_error error{};
    const int32_t code = reprise_key_new(kind.data(), kind.size(), &secret, &secret_size, &shared, &shared_size, &error);
    const Text owned_secret(secret, reprise_free), owned_shared(shared, reprise_free);
    if (code != REPRISE_OK) throw Problem(code, error.reason, error.message);
    write_new(path, secret, secret_size);
    print(path, kind, std::string(shared, shared_size), arguments.flag("json"));
    return exit_ok;
}

}  // namespace cli
