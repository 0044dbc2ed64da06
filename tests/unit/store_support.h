// A folder of its own per test, and a child process to do dangerous things in.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/failure.h"
#include "store/local.h"

namespace store_test {

struct TempFolder {
    TempFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "reprise_store_XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::string of(const std::string& name) const { return path + "/" + name; }
    std::string path;
};

// Runs `body` in a child; its return value is the child's exit code, -signal when it was killed, 99 when it threw.
inline int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = body();
        } catch (...) {
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

inline std::string reason_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const reprise::Failure& failure) {
        return failure.reason;
    }
    return "nothing was thrown";
}

inline void put(reprise::Store& store, const std::string& name, const std::string& bytes) {
    auto blob = store.create();
    blob->write(bytes);
    blob->finish();
    blob->publish(name);
}

inline std::string get(reprise::Source& source) {
    std::string out;
    char buffer[1000];
    while (const std::size_t count = source.read(buffer, sizeof buffer)) out.append(buffer, count);
    return out;
}

inline std::vector<std::string> entries(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    return names;
}

inline unsigned mode_of(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

}  // namespace store_test
