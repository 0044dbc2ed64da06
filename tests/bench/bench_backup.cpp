// One measured step per call; tests/bench/bench.py calls them in turn and takes medians. Prints one JSON object.
//   load URL DB COUNT      fills a database with HR documents
//   drop URL DB            drops a database
//   drain URL DB           only reads every document of every collection with libmongoc's cursors
//   backup URL DB FOLDER [COMPRESSION [RECIPIENT]]
//                          ours over the C interface: until the file is whole and durable, and until `latest` moved
//   dump URL DB FOLDER     writes each collection's documents to FOLDER/NAME.bson, as mongodump does
//   insert URL DB TARGET   inserts the documents of DB, ready in memory, into the empty database TARGET; then renames each
//                          collection once
//   restore URL DB FOLDER  drops DB, then ours over the C interface
#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hr_documents.h"
#include "reprise/reprise.h"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kBatchDocuments = 10000;
constexpr std::int64_t kPollMs = 2;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The ten collections of the system that reprise replaces, and the share of all documents of each, in per mille.
struct Share {
    const char* name;
    int per_mille;
};
constexpr std::array<Share, 10> kShares{{{"users", 60},
                                         {"absences", 200},
                                         {"work_hours", 330},
                                         {"leave_balances", 60},
                                         {"leave_transactions", 150},
                                         {"cse_delegates", 5},
                                         {"cse_cessions", 15},
                                         {"employees", 60},
                                         {"absence_requests", 80},
                                         {"overtime", 40}}};

struct Closer {
    void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
    void operator()(mongoc_database_t* database) const { mongoc_database_destroy(database); }
    void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
    void operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }
};
template <typename T>
using Handle = std::unique_ptr<T, Closer>;

Handle<mongoc_client_t> connect(const char* url) {
    Handle<mongoc_client_t> client(mongoc_client_new(url));
    if (!client) throw std::runtime_error("the connection string is not one");
    return client;
}

void drop(mongoc_client_t* client, const char* name) {
    const Handle<mongoc_database_t> database(mongoc_client_get_database(client, name));
    bson_error_t error;
    if (!mongoc_database_drop(database.get(), &error)) throw std::runtime_error(error.message);
}

std::vector<std::string> collections(mongoc_client_t* client, const char* name) {
    const Handle<mongoc_database_t> database(mongoc_client_get_database(client, name));
    bson_error_t error;
    char** names = mongoc_database_get_collection_names_with_opts(database.get(), nullptr, &error);
    if (names == nullptr) throw std::runtime_error(error.message);
    std::vector<std::string> found;
    for (char** one = names; *one != nullptr; ++one) {
        if (std::string_view(*one) != "reprise" && std::string_view(*one).substr(0, 8) != "reprise_") found.emplace_back(*one);
    }
    bson_strfreev(names);
    return found;
}

// Calls `each` for every document of every collection, in the server's own batches.
template <typename Each>
void read_all(mongoc_client_t* client, const char* database, Each each) {
    bson_t everything = BSON_INITIALIZER;
    for (const std::string& name : collections(client, database)) {
        const Handle<mongoc_collection_t> collection(mongoc_client_get_collection(client, database, name.c_str()));
        const Handle<mongoc_cursor_t> cursor(mongoc_collection_find_with_opts(collection.get(), &everything, nullptr, nullptr));
        const bson_t* document = nullptr;
        while (mongoc_cursor_next(cursor.get(), &document)) each(name, document);
        bson_error_t error;
        if (mongoc_cursor_error(cursor.get(), &error)) throw std::runtime_error(error.message);
    }
}

using Documents = std::map<std::string, std::vector<std::string>>;

void insert_batch(mongoc_collection_t* collection, const std::vector<std::string>& documents, std::size_t from) {
    const std::size_t size = std::min(kBatchDocuments, documents.size() - from);
    std::unique_ptr<bson_t[]> views(new bson_t[size]);
    std::unique_ptr<const bson_t*[]> pointers(new const bson_t*[size]);
    for (std::size_t i = 0; i < size; ++i) {
        const std::string& bytes = documents[from + i];
        if (!bson_init_static(&views[i], reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) {
            throw std::runtime_error("a generated document is not BSON");
        }
        pointers[i] = &views[i];
    }
    bson_error_t error;
    if (!mongoc_collection_insert_many(collection, pointers.get(), size, nullptr, nullptr, &error)) {
        throw std::runtime_error(error.message);
    }
}

void insert_all(mongoc_client_t* client, const char* database, const Documents& all) {
    for (const auto& [name, documents] : all) {
        const Handle<mongoc_collection_t> collection(mongoc_client_get_collection(client, database, name.c_str()));
        for (std::size_t from = 0; from < documents.size(); from += kBatchDocuments) {
            insert_batch(collection.get(), documents, from);
        }
    }
}

void load(const char* url, const char* database, std::int64_t count) {
    const auto client = connect(url);
    drop(client.get(), database);
    std::mt19937_64 random(20251012);
    std::int64_t number = 0, bytes = 0;
    for (std::size_t i = 0; i < kShares.size(); ++i) {
        const bool last = i + 1 == kShares.size();
        std::int64_t left = last ? count - number : count * kShares[i].per_mille / 1000;
        while (left > 0) {
            Documents some;
            std::vector<std::string>& batch = some[kShares[i].name];
            for (; left > 0 && batch.size() < kBatchDocuments; --left, ++number) {
                batch.push_back(reprise::bench::hr_document(random));
                bytes += static_cast<std::int64_t>(batch.back().size());
            }
            insert_all(client.get(), database, some);
        }
    }
    std::printf("{\"documents\": %lld, \"bytes\": %lld}\n", static_cast<long long>(number), static_cast<long long>(bytes));
}

void drain(const char* url, const char* database) {
    const auto begin = Clock::now();
    const auto client = connect(url);
    std::int64_t documents = 0, bytes = 0;
    read_all(client.get(), database, [&](const std::string&, const bson_t* document) {
        ++documents;
        bytes += document->len;
    });
    std::printf("{\"seconds\": %.6f, \"documents\": %lld, \"bytes\": %lld}\n", seconds_since(begin),
                static_cast<long long>(documents), static_cast<long long>(bytes));
}

// What a swap cannot do without: one bare rename of each collection.
void rename_all(mongoc_client_t* client, const char* database, const Documents& all) {
    for (const auto& [name, documents] : all) {
        const Handle<mongoc_collection_t> collection(mongoc_client_get_collection(client, database, name.c_str()));
        bson_error_t error;
        if (!mongoc_collection_rename(collection.get(), database, (name + "_renamed").c_str(), false, &error)) {
            throw std::runtime_error(error.message);
        }
    }
}

void insert(const char* url, const char* database, const char* target) {
    const auto client = connect(url);
    Documents all;
    read_all(client.get(), database, [&](const std::string& name, const bson_t* document) {
        all[name].emplace_back(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    });
    drop(client.get(), target);
    const auto begin = Clock::now();
    insert_all(client.get(), target, all);
    const double inserted = seconds_since(begin);
    rename_all(client.get(), target, all);
    std::printf("{\"seconds\": %.6f, \"renamed\": %.6f}\n", inserted, seconds_since(begin));
    drop(client.get(), target);
}

void need(std::int32_t code, const reprise_error& error) {
    if (code != REPRISE_OK) throw std::runtime_error(std::string(error.reason) + ": " + error.message);
}

void dump(const char* url, const char* database, const std::string& folder) {
    std::map<std::string, std::ofstream> files;
    read_all(connect(url).get(), database, [&](const std::string& name, const bson_t* document) {
        std::ofstream& file = files[name];
        if (!file.is_open()) file.open(folder + "/" + name + ".bson", std::ios::binary);
        file.write(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    });
    for (auto& [name, file] : files)
        if (!file.flush()) throw std::runtime_error("cannot write " + name + ".bson");
}

// The keys are literals; paths, names and recipients of the benches hold nothing that JSON would have to escape.
reprise_engine* open(const char* url, const char* database, const char* folder, const std::string& more = {}) {
    const std::string config = std::string("{\"mongo_url\": \"") + url + "\", \"database\": \"" + database +
                               "\", \"directory\": \"" + folder + "\"" + more + "}";
    reprise_engine* engine = nullptr;
    reprise_error error{};
    need(reprise_open(config.data(), config.size(), &engine, &error), error);
    return engine;
}

void backup(const std::vector<const char*>& words) {
    std::string more;
    if (words.size() > 5) more += std::string(", \"compression\": \"") + words[5] + "\"";
    if (words.size() > 6) more += std::string(", \"encryption\": {\"recipients\": [\"") + words[6] + "\"]}";
    reprise_engine* engine = open(words[2], words[3], words[4], more);
    reprise_error error{};
    std::uint64_t job = 0;
    const auto begin = Clock::now();
    need(reprise_job_start(engine, "backup", REPRISE_NUL, nullptr, 0, &job, &error), error);
    double durable = 0;
    reprise_job_status status{};
    status.struct_size = sizeof status;
    do {
        need(reprise_job_wait(engine, job, kPollMs, &status, &error), error);
        if (durable == 0 && std::strcmp(status.phase, "verifying") == 0) durable = seconds_since(begin);
    } while (status.state == REPRISE_JOB_RUNNING);
    const double verified = seconds_since(begin);
    char* json = nullptr;
    need(reprise_job_result(engine, job, &json, nullptr, &error), error);
    if (durable == 0) throw std::runtime_error("the job never said that it was verifying");
    std::printf("{\"durable\": %.6f, \"verified\": %.6f, \"result\": %s}\n", durable, verified, json);
    reprise_free(json);
    reprise_close(engine);
}

void restore(const char* url, const char* database, const char* folder) {
    drop(connect(url).get(), database);
    reprise_engine* engine = open(url, database, folder);
    reprise_error error{};
    char* json = nullptr;
    const auto begin = Clock::now();
    need(reprise_run(engine, "restore", REPRISE_NUL, nullptr, 0, &json, nullptr, &error), error);
    std::printf("{\"seconds\": %.6f, \"result\": %s}\n", seconds_since(begin), json);
    reprise_free(json);
    reprise_close(engine);
}

int run(const std::vector<const char*>& words) {
    const std::string_view verb = words[1];
    if (verb == "drain" && words.size() == 4) return drain(words[2], words[3]), 0;
    if (verb == "drop" && words.size() == 4) return drop(connect(words[2]).get(), words[3]), std::puts("{}"), 0;
    if (verb == "backup" && words.size() >= 5 && words.size() <= 7) return backup(words), 0;
    if (words.size() != 5) return 2;
    if (verb == "dump") return dump(words[2], words[3], words[4]), std::puts("{}"), 0;
    if (verb == "load") return load(words[2], words[3], std::stoll(words[4])), 0;
    if (verb == "insert") return insert(words[2], words[3], words[4]), 0;
    if (verb == "restore") return restore(words[2], words[3], words[4]), 0;
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    const std::vector<const char*> words(arguments, arguments + count);
    mongoc_init();
    try {
        const int code = count >= 4 ? run(words) : 2;
        if (code != 0) std::fprintf(stderr, "usage: the top of tests/bench/bench_backup.cpp\n");
        return code;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_backup %s: %s\n", words[1], problem.what());
        return 1;
    }
}
