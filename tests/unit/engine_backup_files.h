// Backup files made without a server, in a folder of their own.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/bson.h"
#include "base/failure.h"
#include "crypto/random.h"
#include "engine/measure.h"
#include "engine/owner.h"
#include "engine/shelf.h"
#include "engine/verify.h"
#include "format/writer.h"
#include "store/local.h"

namespace backup_files {

using namespace reprise;

constexpr const char* kDeployment = "0123456789abcdef0123456789abcdef";

struct Made {
    std::string name = "backup_20251012_162721.json";
    std::int64_t sequence = 1;
    std::map<std::string, int> documents = {{"users", 3}};
    std::string database = "hr";
    std::string scope = "all";
    std::optional<std::string> deployment = kDeployment;
};

struct Shelf {
    Shelf() {
        std::string pattern = (std::filesystem::temp_directory_path() / "reprise_shelf_XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
        store = open_local_store(folder);
        context.cancel = &cancel;
        place.database = "hr";
        place.store = store.get();
        place.folder = folder;
        place.job = "1";
    }
    ~Shelf() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    void make(const Made& made) {
        auto staged = store->create();
        Header header;
        header.backup_date_us = 1760286441000000 + made.sequence * 1000000;
        header.database = made.database;
        header.id = random_hex(16);
        header.deployment = made.deployment;
        header.sequence = made.sequence;
        header.scope.is = made.scope;
        header.version = kVersion;
        header.server = "7.0.0";
        std::vector<CatalogEntry> catalog;
        for (const auto& [name, count] : made.documents)
            catalog.push_back({name, "collection", BsonBuilder().str(), {id_index()}});
        BackupWriter writer(*staged, header, catalog);
        for (const auto& [name, count] : made.documents) {
            writer.begin_collection(name);
            for (int i = 0; i < count; ++i) writer.document(BsonBuilder().add("_id", i).add("name", "person").str());
            writer.end_collection();
        }
        Summary summary;
        summary.read_from_us = summary.read_to_us = header.backup_date_us;
        writer.finish(summary);
        staged->publish(made.name);
    }
    static std::string id_index() {
        return BsonBuilder().add("v", 2).doc("key", BsonBuilder().add("_id", 1).str()).add("name", "_id_").str();
    }

    std::string text_of(const std::string& name) const {
        std::ifstream file(folder + "/" + name, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
    void write_text(const std::string& name, const std::string& text) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << text;
    }
    void replace_in(const std::string& name, const std::string& from, const std::string& to) const {
        std::string text = text_of(name);
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        write_text(name, text.replace(at, from.size(), to));
    }
    // Another time of its last change, the same bytes.
    void touch(const std::string& name) const {
        const std::string path = folder + "/" + name;
        std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::hours(1));
    }
    std::vector<ShelfItem> examined() { return read_shelf(*store, true, context); }
    std::vector<std::string> names() {
        std::vector<std::string> names;
        for (const ShelfItem& item : read_shelf(*store, false, context)) names.push_back(item.blob.name);
        return names;
    }

    std::string folder;
    std::unique_ptr<Store> store;
    Cancel cancel;
    Context context;
    Place place;
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

}  // namespace backup_files
