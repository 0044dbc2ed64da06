// A host that has its own libmongoc (the system's, another copy than the one inside libreprise.a), fmt and RapidJSON, and
// uses all of them side by side with reprise in one process, on one real server when REPRISE_TEST_MONGO_URL names one.
#include <fmt/format.h>
#include <mongoc/mongoc.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "check.h"

namespace {

constexpr const char* kDatabase = "reprise_consumer";
constexpr int kDocuments = 25;

std::string run(reprise_engine* engine, const char* kind, const char* options) {
    char* json = nullptr;
    reprise_error error{};
    if (reprise_run(engine, kind, REPRISE_NUL, options, options != nullptr ? REPRISE_NUL : 0, &json, nullptr, &error) != 0) {
        throw std::runtime_error(fmt::format("{}: {} ({})", kind, error.message, error.reason));
    }
    const std::string text = json;
    reprise_free(json);
    return text;
}

void fill(mongoc_collection_t* collection) {
    for (int i = 0; i < kDocuments; ++i) {
        bson_t* document = BCON_NEW("_id", BCON_INT32(i), "name", BCON_UTF8(fmt::format("employee {}", i).c_str()));
        bson_error_t error;
        const bool done = mongoc_collection_insert_one(collection, document, nullptr, nullptr, &error);
        bson_destroy(document);
        if (!done) throw std::runtime_error(error.message);
    }
}

std::int64_t count(mongoc_collection_t* collection) {
    bson_t empty = BSON_INITIALIZER;
    bson_error_t error;
    const std::int64_t documents = mongoc_collection_count_documents(collection, &empty, nullptr, nullptr, nullptr, &error);
    if (documents < 0) throw std::runtime_error(error.message);
    return documents;
}

reprise_engine* open(const char* url, const char* folder) {
    const std::string config =
        fmt::format(R"({{"mongo_url": "{}", "database": "{}", "directory": "{}"}})", url, kDatabase, folder);
    reprise_engine* engine = nullptr;
    reprise_error error{};
    if (reprise_open(config.data(), config.size(), &engine, &error) != 0) throw std::runtime_error(error.message);
    return engine;
}

// Fills with the host's driver, saves with ours, destroys with the host's, brings back with ours, counts with the host's.
void there_and_back(const char* url, const char* folder) {
    mongoc_client_t* client = mongoc_client_new(url);
    mongoc_database_t* database = mongoc_client_get_database(client, kDatabase);
    mongoc_collection_t* collection = mongoc_client_get_collection(client, kDatabase, "users");
    mongoc_database_drop(database, nullptr);
    fill(collection);
    reprise_engine* engine = open(url, folder);
    rapidjson::Document result;
    result.Parse(run(engine, "backup", nullptr).c_str());
    if (result["documents"].GetInt64() != kDocuments) throw std::runtime_error("the backup holds another number of documents");
    mongoc_collection_drop(collection, nullptr);
    result.Parse(run(engine, "startup", nullptr).c_str());
    if (std::string(result["result"].GetString()) != "restored") throw std::runtime_error("startup did not restore");
    if (count(collection) != kDocuments) throw std::runtime_error("the restored collection is not whole");
    reprise_close(engine);
    mongoc_database_drop(database, nullptr);
    mongoc_collection_destroy(collection);
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
}

}  // namespace

int main() {
    mongoc_init();
    if (check_reprise() != 0) return 1;
    const char* url = std::getenv("REPRISE_TEST_MONGO_URL");
    char folder[] = "crowded_XXXXXX";
    if (mkdtemp(folder) == nullptr) return 1;
    char* full = realpath(folder, nullptr);
    try {
        if (url != nullptr) there_and_back(url, full);
    } catch (const std::exception& problem) {
        fmt::print(stderr, "crowded host: {}\n", problem.what());
        return 1;
    }
    std::free(full);
    fmt::print("crowded host: mongoc {} of the host beside reprise {}{}\n", mongoc_get_version(), reprise_version(),
               url != nullptr ? ", there and back" : "; the server part is skipped: REPRISE_TEST_MONGO_URL is not set");
    mongoc_cleanup();
    return 0;
}
