#include "format/writer.h"

#include <utility>

#include "base/failure.h"
#include "base/text.h"
#include "codec/bson_to_json.h"
#include "codec/json.h"
#include "crypto/digest.h"
#include "format/closed_lists.h"
#include "format/sections.h"
#include "stream/hash.h"

namespace reprise {
namespace {

constexpr std::size_t kBlockBytes = 512 * 1024;
constexpr std::size_t kMaxIdleBytes = 4 * 1024 * 1024;  // what one huge document made of the block is given back

Failure misuse(const std::string& what) {
    return Failure(Code::internal, "writer_misused", "the backup writer was misused: " + what);
}

}  // namespace

struct BackupWriter::State {
    State(Sink& to, Profile profile) : sink(to), encoder(profile) {}

    void flush() {
        hash.update(block);
        sink.write(block);
        if (block.capacity() > kMaxIdleBytes) block = std::string();
        block.clear();
        block.reserve(kBlockBytes * 2);
    }
    void flush_full() {
        if (block.size() >= kBlockBytes) flush();
    }

    void encode(std::string_view bson) {
        const std::size_t start = block.size();
        const std::uint32_t count = encoder.encode(bson, block);
        escapes += count;
        // A line may be 32 MiB with its comma; base64 of the largest document is always shorter.
        if (block.size() - start < kMaxLineBytes) return;
        block.resize(start);
        block += R"({"$rawBson":{"type":"03","base64":")";
        append_base64(block, bson);
        block += "\"}}";
        escapes += 1 - static_cast<std::int64_t>(count);
    }

    void entry(const CatalogEntry& entry) {
        const std::size_t start = block.size();
        append_json_string(block, entry.name);
        block += ":{\"type\":";
        append_json_string(block, entry.type);
        block += ",\"options\":";
        encode(entry.options);
        if (entry.type != "view") {
            block += ",\"indexes\":[";
            for (std::size_t i = 0; i < entry.indexes.size(); ++i) {
                if (i > 0) block += ',';
                encode(entry.indexes[i]);
            }
            block += ']';
        }
        if (!entry.shard_key.empty()) {
            block += ",\"shardKey\":";
            encode(entry.shard_key);
        }
        block += '}';
        if (block.size() - start >= kMaxLineBytes)
            throw Failure(Code::unsupported, "catalog_too_large",
                          "options and indexes of \"" + printable(entry.name) + "\" exceed 32 MiB; exclude it");
    }

    void open(const Header& header) {
        block += "{\"backup_date\":";
        append_json_string(block, iso_time(header.backup_date_us));
        block += ",\"database\":";
        append_json_string(block, header.database);
        block += ",\n\"reprise\":" + header_to_json(header).text() + ",\n\"catalog\":{\n";
        for (std::size_t i = 0; i < catalog.size(); ++i) {
            entry(catalog[i]);
            block += i + 1 < catalog.size() ? ",\n" : "\n";
            flush_full();
        }
        block += "},\n\"collections\":{\n";
    }

    // The next catalog entry that has documents, or null.
    const CatalogEntry* next_entry() {
        while (at < catalog.size() && catalog[at].type == "view") ++at;
        return at < catalog.size() ? &catalog[at] : nullptr;
    }

    Sink& sink;
    Encoder encoder;
    Sha256 hash;
    std::string block;
    std::vector<CatalogEntry> catalog;
    std::size_t at = 0;
    std::int64_t escapes = 0;
    bool running = false, finished = false;
    Sign sign;
    CollectionSummary now;
    CollectionDigest digest;
    std::vector<std::pair<std::string, CollectionSummary>> done;
};

BackupWriter::BackupWriter(Sink& sink, const Header& header, const std::vector<CatalogEntry>& catalog, Sign sign)
    : state_(std::make_unique<State>(sink, header.profile == "portable" ? Profile::portable : Profile::readable)) {
    for (CatalogEntry entry : catalog) {
        if (entry.options.empty()) entry.options = std::string("\5\0\0\0\0", 5);
        check_entry(header.database, entry, "the catalog");
        state_->catalog.push_back(std::move(entry));
    }
    state_->sign = std::move(sign);
    state_->open(header);
}

BackupWriter::~BackupWriter() = default;

void BackupWriter::begin_collection(const std::string& name) {
    State& state = *state_;
    const CatalogEntry* entry = state.next_entry();
    if (state.running || entry == nullptr || entry->name != name) throw misuse("collection out of the catalog's order");
    if (!state.done.empty()) state.block += ",\n";
    append_json_string(state.block, name);
    state.block += ":[\n";
    state.now = {};
    state.digest = CollectionDigest(entry->type == "timeseries");
    state.running = true;
}

void BackupWriter::document(std::string_view bson) {
    State& state = *state_;
    if (!state.running) throw misuse("a document outside of a collection");
    if (state.now.documents > 0) state.block += ",\n";
    state.encode(bson);
    state.digest.add(bson);
    ++state.now.documents;
    state.now.bson_bytes += static_cast<std::int64_t>(bson.size());
    state.flush_full();
}

CollectionSummary BackupWriter::end_collection() {
    State& state = *state_;
    if (!state.running) throw misuse("the end of no collection");
    state.block += state.now.documents > 0 ? "\n]" : "]";
    state.now.digest = state.digest.text();
    state.done.emplace_back(state.catalog[state.at++].name, state.now);
    state.running = false;
    return state.now;
}

std::string BackupWriter::finish(Summary& summary) {
    State& state = *state_;
    if (state.running || state.finished || state.next_entry() != nullptr)
        throw misuse("finished before every collection was written");
    state.finished = true;
    summary.documents = 0;
    summary.escapes = state.escapes;
    for (const auto& [name, one] : state.done) summary.documents += one.documents;
    summary.collections = state.done;
    state.block += state.done.empty() ? "},\n" : "\n},\n";
    state.block += "\"summary\":" + summary_to_json(summary).text() + ",\n";
    state.flush();
    const std::string sha256 = to_hex(state.hash.finish());
    if (state.sign) state.sink.write(signature_to_text(state.sign(sha256)));
    state.sink.write("\"sha256\":\"" + sha256 + "\"}\n");
    state.sink.finish();
    return sha256;
}

}  // namespace reprise
