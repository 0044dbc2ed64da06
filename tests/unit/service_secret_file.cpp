// Who may read and who may replace the files that keys stand in.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/failure.h"
#include "service/secret_file.h"

using namespace reprise;

namespace {

struct Folder {
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "reprise_keys_XXXXXX").string();
        path = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string file(const std::string& name, unsigned mode) const {
        const std::string made = path + "/" + name;
        std::ofstream(made) << "content of " << name;
        ::chmod(made.c_str(), mode);
        return made;
    }
    std::string path;
};

template <typename Call>
std::string reason_of(Call&& call) {
    try {
        call();
    } catch (const Failure& failure) {
        CHECK(failure.message.find("content of") == std::string::npos);
        return failure.reason;
    }
    return "";
}

std::string reason_of_secret(const std::string& path) {
    return reason_of([&] { read_secret_file(path, "the identity file"); });
}
std::string reason_of_key(const std::string& path) {
    return reason_of([&] { read_key_file(path, "the trusted key"); });
}

}  // namespace

TEST_CASE("a secret file is read by its owner alone") {
    const Folder folder;
    CHECK(read_secret_file(folder.file("key", 0600), "it").reveal() == "content of key");
    CHECK(read_secret_file(folder.file("key", 0400), "it").reveal() == "content of key");
    for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0644U, 0666U}) {
        CAPTURE(mode);
        CHECK(reason_of_secret(folder.file("key", mode)) == "secret_exposed");
    }
    CHECK(reason_of_secret(folder.path + "/none") == "key_missing");
    CHECK(reason_of_secret(folder.path) == "secret_file_invalid");
    CHECK(reason_of_secret(folder.file("key", 0600).append("/key")) == "io_error");
}

TEST_CASE("a trusted key is read by anybody and written by its owner alone: who writes it says who is believed") {
    const Folder folder;
    CHECK(read_key_file(folder.file("key", 0644), "it") == "content of key");
    for (const unsigned mode : {0664U, 0646U, 0666U}) {
        CAPTURE(mode);
        CHECK(reason_of_key(folder.file("key", mode)) == "key_replaceable");
    }
}

TEST_CASE("a key in a folder that everybody may write to is refused, unless nobody can replace what is another's there") {
    const Folder folder;
    const std::string secret = folder.file("secret", 0600), trusted = folder.file("trusted", 0644);
    std::filesystem::create_directory(folder.path + "/links");
    std::filesystem::create_symlink(secret, folder.path + "/links/secret");
    ::chmod(folder.path.c_str(), 0777);
    CHECK(reason_of_secret(secret) == "key_replaceable");
    CHECK(reason_of_key(trusted) == "key_replaceable");
    CHECK(reason_of_secret(folder.path + "/links/secret") == "key_replaceable");  // what counts is where the file lies
    ::chmod(folder.path.c_str(), 01777);
    CHECK(reason_of_secret(secret) == "");
    CHECK(reason_of_key(trusted) == "");
    ::chmod(folder.path.c_str(), 0775);
    CHECK(reason_of_secret(folder.path + "/links/secret") == "");
}
