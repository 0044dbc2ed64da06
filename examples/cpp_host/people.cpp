#include "people.h"

#include <mongoc/mongoc.h>

#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>

namespace people {
namespace {

struct Free {
    void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
    void operator()(mongoc_collection_t* collection) const { mongoc_collection_destroy(collection); }
};

struct Document {
    bson_t bson = BSON_INITIALIZER;
    Document() = default;
    Document(const Document&) = delete;
    Document& operator=(const Document&) = delete;
    ~Document() { bson_destroy(&bson); }
    void add(const char* key, const std::string& text) { bson_append_utf8(&bson, key, -1, text.c_str(), -1); }
};

void insert(mongoc_collection_t* users, const std::string& line, int number) {
    std::istringstream fields(line);
    std::string name, email, department;
    std::getline(fields, name, ',');
    std::getline(fields, email, ',');
    std::getline(fields, department, ',');
    if (name.empty() || email.find('@') == std::string::npos)
        throw std::runtime_error("row " + std::to_string(number) + " is not name,email,department");
    Document document;
    document.add("name", name);
    document.add("email", email);
    document.add("department", department);
    document.add("role", "employee");
    bson_error_t error;
    if (!mongoc_collection_insert_one(users, &document.bson, nullptr, nullptr, &error))
        throw std::runtime_error("row " + std::to_string(number) + " was not inserted: " + error.message);
}

}  // namespace

int import_csv(const std::string& mongo_url, const std::string& database, const std::string& csv) {
    static std::once_flag once;
    std::call_once(once, mongoc_init);
    const std::unique_ptr<mongoc_client_t, Free> client(mongoc_client_new(mongo_url.c_str()));
    if (!client) throw std::runtime_error("MONGO_URL is no connection string");
    const std::unique_ptr<mongoc_collection_t, Free> users(
        mongoc_client_get_collection(client.get(), database.c_str(), "users"));
    std::istringstream lines(csv);
    int number = 0, inserted = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        while (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty() || (number == 1 && line.rfind("name,", 0) == 0)) continue;
        insert(users.get(), line, number);
        ++inserted;
    }
    return inserted;
}

}  // namespace people
