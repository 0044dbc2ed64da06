// A database and a folder of its own for each live test, both gone afterwards.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "base/bson.h"
#include "base/bytes.h"
#include "base/failure.h"
#include "crypto/random.h"
#include "engine/compare.h"
#include "engine/measure.h"
#include "engine/owner.h"
#include "engine/shelf.h"
#include "engine/snapshot.h"
#include "engine/verify.h"
#include "mongo/catalog.h"
#include "mongo/client.h"
#include "mongo/writer.h"
#include "store/local.h"

namespace backup_test {

using namespace reprise;

inline Secret server_url() {
    const char* url = std::getenv("REPRISE_TEST_MONGO_URL");
    REQUIRE_MESSAGE(url != nullptr, "REPRISE_TEST_MONGO_URL is not set: python tests/live/servers.py run -- …");
    return Secret(url);
}

struct Fixture {
    Fixture() : client(server_url(), cancel) {
        std::string pattern = (std::filesystem::temp_directory_path() / "reprise_backup_XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        store = open_local_store(folder);
        place.url = server_url();
        place.database = "reprise_test_" + random_hex(6);
        place.store = store.get();
        place.folder = folder;
        place.job = "1";
        context.cancel = &cancel;
    }
    ~Fixture() {
        try {
            Cancel own;
            Client last(server_url(), own);
            last.command(place.database, BsonBuilder().add("dropDatabase", 1).str());
        } catch (const Failure&) {
        }
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    std::string run(const std::string& command) { return client.command(place.database, command); }
    void create(const std::string& name, const std::string& options = BsonBuilder().str()) {
        create_collection(client, place.database, name, options);
    }
    void fill(const std::string& name, int count, int from = 0) {
        BatchWriter writer(client, place.database, name);
        for (int i = from; i < from + count; ++i)
            writer.add(BsonBuilder().add("_id", i).add("name", "person " + std::to_string(i)).add("salary", 1000.5 + i).str());
        writer.flush();
        REQUIRE(writer.error_count() == 0);
    }
    void drop(const std::string& name) { drop_collection(client, place.database, name); }
    void remove_all(const std::string& name) {
        const std::string every = BsonBuilder().doc("q", BsonBuilder().str()).add("limit", 0).str();
        run(BsonBuilder().add("delete", name).array("deletes", BsonArray().doc(every).str()).str());
    }
    BackupResult back_up(const BackupOptions& options = {}) { return backup(place, options, context); }

    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const Blob& blob : store->list()) names.push_back(blob.name);
        return names;
    }
    // Everything in the folder that a person sees, temporary files included.
    std::vector<std::string> entries() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            if (entry.path().filename() != ".reprise") names.push_back(entry.path().filename().string());
        return names;
    }
    std::string text_of(const std::string& name) const {
        std::ifstream file(folder + "/" + name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
    void write_text(const std::string& name, const std::string& text) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << text;
    }

    Cancel cancel;
    Client client;
    std::string folder;
    std::unique_ptr<Store> store;
    Place place;
    Context context;
};

inline Failure failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Failure& failure) {
        return failure;
    }
    return Failure(Code::ok, "nothing_thrown", "nothing was thrown");
}
inline std::string reason_of(const std::function<void()>& body) { return failure_of(body).reason; }

inline std::string index_spec(const std::string& name, const std::string& key, BsonBuilder extra = {}) {
    return extra.doc("key", key).add("name", name).str();
}

}  // namespace backup_test
