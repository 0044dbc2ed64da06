// What the live tests of src/mongo share: the server's URL, a database of their own, servers of another shape.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/bson.h"
#include "base/failure.h"
#include "crypto/random.h"
#include "mongo/catalog.h"
#include "mongo/client.h"
#include "mongo/cursor.h"
#include "mongo/lease.h"
#include "mongo/writer.h"

namespace live {

using namespace reprise;

inline Secret server_url() {
    const char* url = std::getenv("REPRISE_TEST_MONGO_URL");
    REQUIRE_MESSAGE(url != nullptr, "run me through: python tests/live/servers.py run -- live_mongo");
    return Secret(url);
}

// The Python test server differs from MongoDB: it calls a time series a collection, and a rename gives a new UUID and
// drops the options. What depends on that is not asked of it.
inline bool on_python_server() {
    const char* kind = std::getenv("REPRISE_TEST_SERVER_KIND");
    return kind != nullptr && std::string(kind) == "py";
}

// A database that goes with the test.
struct Database {
    explicit Database(Secret url_ = server_url())
        : url(std::move(url_)), name("reprise_live_" + random_hex(4)), client(url, cancel) {}
    ~Database() {
        try {
            client.command(name, BsonBuilder().add("dropDatabase", 1).str());
        } catch (const Failure&) {
        }
    }
    std::string command(const BsonBuilder& built, CommandOptions options = {}) {
        return client.command(name, built.str(), options);
    }
    void insert(const std::string& collection, const std::vector<std::string>& documents) {
        BatchWriter writer(client, name, collection);
        for (const std::string& document : documents) writer.add(document);
        writer.flush();
        REQUIRE(writer.error_count() == 0);
    }
    std::vector<std::string> read(const std::string& collection, FindOptions options = {}) {
        std::vector<std::string> found;
        Cursor cursor(client, name, collection, options);
        std::string_view document;
        while (cursor.next(document)) found.emplace_back(document);
        return found;
    }

    Secret url;
    Cancel cancel;
    std::string name;
    Client client;
};

// The Failure that `what` must throw.
template <typename F>
Failure failure_of(F&& what) {
    try {
        what();
    } catch (const Failure& failure) {
        return failure;
    }
    FAIL("nothing was thrown");
    return Failure(Code::internal, "", "");
}

// A server of its own, started through servers.py and ended with this object.
class OwnServer {
public:
    explicit OwnServer(const std::vector<std::string>& flags) {
        int to[2], from[2];
        REQUIRE(::pipe(to) == 0);
        REQUIRE(::pipe(from) == 0);
        child_ = ::fork();
        if (child_ == 0) {
            ::dup2(to[0], 0);
            ::dup2(from[1], 1);
            for (const int fd : {to[0], to[1], from[0], from[1]}) ::close(fd);
            std::vector<std::string> words{"python3", REPRISE_SOURCE_FOLDER "/tests/live/servers.py", "serve"};
            words.insert(words.end(), flags.begin(), flags.end());
            std::vector<char*> arguments;
            for (std::string& word : words) arguments.push_back(word.data());
            arguments.push_back(nullptr);
            ::unsetenv("LD_PRELOAD");
            ::execvp("python3", arguments.data());
            ::_exit(127);
        }
        ::close(to[0]);
        ::close(from[1]);
        input_ = to[1];
        std::FILE* output = ::fdopen(from[0], "r");
        char line[512];
        while (std::fgets(line, sizeof line, output) != nullptr) {
            std::string text(line);
            while (!text.empty() && text.back() == '\n') text.pop_back();
            lines_.push_back(text);
            if (lines_.size() == 5) break;
        }
        std::fclose(output);
    }
    ~OwnServer() {
        ::close(input_);
        int status = 0;
        ::waitpid(child_, &status, 0);
    }
    OwnServer(const OwnServer&) = delete;
    OwnServer& operator=(const OwnServer&) = delete;
    bool started() const { return lines_.size() == 5; }
    const std::string& url() const { return lines_.at(0); }
    pid_t pid() const { return static_cast<pid_t>(std::stol(lines_.at(1))); }
    const std::string& port() const { return lines_.at(2); }
    const std::string& ca_file() const { return lines_.at(4); }

private:
    pid_t child_ = -1;
    int input_ = -1;
    std::vector<std::string> lines_;
};

inline std::string document(std::int64_t id, const std::string& text = "text") {
    return BsonBuilder().add("_id", id).add("text", text).str();
}

}  // namespace live
