// One step per process; tests/bench/bench.py times them beside gzip, zstd and age, each as a process that reads a file and
// writes one.
//   make FOLDER COUNT                 writes content.json, a backup of COUNT HR documents
//   pack HOW IN OUT [RECIPIENT]       ours: HOW as in BACKUP_COMPRESSION
//   unpack IN OUT [IDENTITY_FILE]
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.h"
#include "format/writer.h"
#include "hr_documents.h"
#include "stream/layers.h"
#include "stream/packing.h"
#include "stream/vault.h"

namespace {

using namespace reprise;

constexpr std::size_t kBufferBytes = 256 * 1024;

class File final : public Sink, public Source {
public:
    File(const std::string& path, const char* mode) : file_(std::fopen(path.c_str(), mode), &std::fclose) {
        if (!file_) throw std::runtime_error("cannot open " + path);
    }
    void write(std::string_view bytes) override {
        if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) throw std::runtime_error("cannot write");
    }
    void finish() override { std::fflush(file_.get()); }
    std::size_t read(char* buffer, std::size_t capacity) override { return std::fread(buffer, 1, capacity, file_.get()); }

private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

void make(const std::string& folder, long count) {
    File json(folder + "/content.json", "wb");
    Header header;
    header.backup_date_us = 1760286441123456;
    header.database = "hr";
    header.id = std::string(32, 'a');
    header.server = "7.0.0";
    header.version = kVersion;
    const std::string id_index =
        BsonBuilder().add("v", 2).doc("key", BsonBuilder().add("_id", 1).str()).add("name", "_id_").str();
    BackupWriter writer(json, header, {{"users", "collection", BsonBuilder().str(), {id_index}}});
    writer.begin_collection("users");
    std::mt19937_64 random(20251012);
    for (long i = 0; i < count; ++i) writer.document(bench::hr_document(random));
    writer.end_collection();
    Summary summary;
    summary.read_from_us = summary.read_to_us = header.backup_date_us;
    writer.finish(summary);
}

void copy(Source& from, Sink& to) {
    std::string buffer(kBufferBytes, '\0');
    while (const std::size_t count = from.read(buffer.data(), buffer.size()))
        to.write(std::string_view(buffer).substr(0, count));
    to.finish();
}

std::vector<Secret> identities_in(const std::string& path) {
    std::ifstream file(path);
    return parse_identities(std::string(std::istreambuf_iterator<char>(file), {}));
}

void pack(const std::vector<std::string>& words) {
    File in(words[3], "rb"), out(words[4], "wb");
    Vault::Given given;
    if (words.size() > 5) given.recipients.push_back(parse_recipient(words[5]));
    Vault vault(std::move(given));
    Packing packing;
    packing.compression = parse_compression(words[2], "HOW");
    if (vault.encrypts()) packing.seal_age = [&vault](Sink& below) { return vault.encrypted(below); };
    copy(in, *make_packer(out, packing));
}

void unpack(const std::vector<std::string>& words) {
    File in(words[2], "rb"), out(words[3], "wb");
    Vault::Given given;
    if (words.size() > 4) given.secrets.identities = [&words] { return identities_in(words[4]); };
    Vault vault(std::move(given));
    LayerOptions options;
    options.open_age = [&vault](Source& below) { return vault.opened(below); };
    Content content(in, options);
    copy(content, out);
}

int run(const std::vector<std::string>& words) {
    const std::size_t count = words.size();
    if (count == 4 && words[1] == "make") return make(words[2], std::stol(words[3])), 0;
    if ((count == 5 || count == 6) && words[1] == "pack") return pack(words), 0;
    if ((count == 4 || count == 5) && words[1] == "unpack") return unpack(words), 0;
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    try {
        const int code = run({arguments, arguments + count});
        if (code != 0) std::fprintf(stderr, "usage: the top of tests/bench/bench_streams.cpp\n");
        return code;
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench_streams: %s\n", problem.what());
        return 1;
    }
}
