// Backups in memory: written by BackupWriter, read by BackupReader.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bson.h"
#include "base/failure.h"
#include "format/reader.h"
#include "format/writer.h"

namespace format_test {

struct MemorySink : reprise::Sink {
    void write(std::string_view bytes) override { text += bytes; }
    void finish() override { finished = true; }
    std::string text;
    bool finished = false;
};

// Gives `text` in pieces of `piece` bytes.
struct MemorySource : reprise::Source {
    explicit MemorySource(std::string_view text_, std::size_t piece_ = 1 << 20) : text(text_), piece(piece_) {}
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t count = std::min({capacity, piece, text.size() - at});
        std::copy_n(text.data() + at, count, buffer);
        at += count;
        return count;
    }
    std::string_view text;
    std::size_t piece, at = 0;
};

struct Collection {
    reprise::CatalogEntry entry;
    std::vector<std::string> documents;
};

struct Backup {
    reprise::Header header;
    std::vector<Collection> collections;
    reprise::Summary summary;
    std::string sha256;
    bool legacy = false;
    std::vector<std::string> warnings;
    std::optional<std::string> mismatch;
};

inline Backup sample(int documents = 2) {
    using reprise::BsonBuilder;
    Backup backup;
    backup.header.backup_date_us = 1760286441123456;
    backup.header.database = "test_database";
    backup.header.id = "0123456789abcdef0123456789abcdef";
    backup.header.deployment = "fedcba9876543210fedcba9876543210";
    backup.header.sequence = 42;
    backup.header.label = "nightly";
    backup.header.version = "0.1.0";
    backup.header.server = "7.0.0";
    backup.summary.read_from_us = 1760286441123456;
    backup.summary.read_to_us = 1760286442000000;
    const std::string none = BsonBuilder().str();
    const std::string id_index =
        BsonBuilder().add("v", 2).doc("key", BsonBuilder().add("_id", 1).str()).add("name", "_id_").str();
    Collection users{{"users", "collection", none, {id_index}}, {}};
    for (int i = 0; i < documents; ++i)
        users.documents.push_back(BsonBuilder().add("_id", i).add("name", "Sophie " + std::to_string(i)).str());
    backup.collections.push_back(users);
    backup.collections.push_back({{"absences", "collection", none, {id_index}}, {}});
    const std::string options = BsonBuilder().add("viewOn", "users").array("pipeline", BsonBuilder().str()).str();
    backup.collections.push_back({{"active_users", "view", options, {}}, {}});
    return backup;
}

inline std::string write(Backup& backup) {
    MemorySink sink;
    std::vector<reprise::CatalogEntry> catalog;
    for (const Collection& collection : backup.collections) catalog.push_back(collection.entry);
    reprise::BackupWriter writer(sink, backup.header, catalog);
    for (const Collection& collection : backup.collections) {
        if (collection.entry.type == "view") continue;
        writer.begin_collection(collection.entry.name);
        for (const std::string& document : collection.documents) writer.document(document);
        writer.end_collection();
    }
    backup.sha256 = writer.finish(backup.summary);
    return sink.text;
}

inline Backup read(std::string_view text, bool tolerate = false, std::size_t piece = 1 << 20) {
    MemorySource source(text, piece);
    reprise::BackupReader reader(source, "backup_20251012_162721.json", {tolerate});
    Backup backup;
    backup.header = reader.header();
    backup.legacy = reader.legacy();
    for (const auto& entry : reader.catalog()) backup.collections.push_back({entry, {}});
    std::string name;
    while (reader.next_collection(name)) {
        auto found = std::find_if(backup.collections.begin(), backup.collections.end(),
                                  [&](const Collection& c) { return c.entry.name == name; });
        if (found == backup.collections.end())
            found = backup.collections.insert(found, Collection{{name, "collection", "", {}}, {}});
        std::string_view bson;
        while (reader.next_document(bson)) found->documents.emplace_back(bson);
    }
    backup.summary = reader.summary();
    backup.sha256 = reader.sha256();
    backup.warnings = reader.warnings();
    backup.mismatch = reader.mismatch();
    return backup;
}

inline std::string reason_of(std::string_view text, bool tolerate = false) {
    try {
        read(text, tolerate);
    } catch (const reprise::Failure& failure) {
        return failure.reason;
    }
    return "fine";
}

inline std::string message_of(std::string_view text) {
    try {
        read(text);
    } catch (const reprise::Failure& failure) {
        return failure.message;
    }
    return "fine";
}

}  // namespace format_test
