// Our codec against libbson's on generated HR documents: medians of alternating runs in one process, as JSON on stdout.
// The documents of one run fit a core's cache, as a batch that has just come from the server does: what is measured is the
// codec and not the memory.
//   bench_codec [DOCUMENTS]
#include <bson/bson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "codec/bson_to_json.h"
#include "codec/json_to_bson.h"
#include "hr_documents.h"

namespace {

using namespace reprise;

constexpr int kRuns = 9;
constexpr int kPasses = 20;  // over all documents in one run
constexpr std::size_t kDefaultDocuments = 1000;

struct Corpus {
    std::vector<std::string> documents, texts;
    double bson_megabytes = 0;
};

Corpus make_corpus(std::size_t count) {
    Corpus corpus;
    corpus.documents = bench::hr_documents(count);
    Encoder encoder(Profile::readable);
    Decoder decoder;
    std::size_t bytes = 0;
    for (const std::string& document : corpus.documents) {
        encoder.encode(document, corpus.texts.emplace_back());
        std::string scratch = corpus.texts.back();
        if (decoder.decode(scratch) != document) {
            std::fputs("bench_codec: a document did not come back\n", stderr);
            std::exit(1);
        }
        bytes += document.size();
    }
    corpus.bson_megabytes = kPasses * static_cast<double>(bytes) / 1e6;  // of a run
    return corpus;
}

std::size_t encode_ours(const Corpus& corpus) {
    static Encoder encoder(Profile::readable);
    static std::string out;
    std::size_t total = 0;
    for (const std::string& document : corpus.documents) {
        out.clear();
        encoder.encode(document, out);
        total += out.size();
    }
    return total;
}

std::size_t encode_libbson(const Corpus& corpus) {
    std::size_t total = 0;
    for (const std::string& document : corpus.documents) {
        bson_t view;
        std::size_t size = 0;
        if (!bson_init_static(&view, reinterpret_cast<const std::uint8_t*>(document.data()), document.size())) std::exit(1);
        bson_free(bson_as_relaxed_extended_json(&view, &size));
        total += size;
    }
    return total;
}

// The copy is part of it: decoding destroys its text.
std::size_t decode_ours(const Corpus& corpus) {
    static Decoder decoder;
    static std::string scratch;
    std::size_t total = 0;
    for (const std::string& text : corpus.texts) {
        scratch = text;
        total += decoder.decode(scratch).size();
    }
    return total;
}

std::size_t decode_libbson(const Corpus& corpus) {
    std::size_t total = 0;
    for (const std::string& text : corpus.texts) {
        bson_error_t error;
        bson_t* document =
            bson_new_from_json(reinterpret_cast<const std::uint8_t*>(text.data()), static_cast<ssize_t>(text.size()), &error);
        if (document == nullptr) std::exit(1);
        total += document->len;
        bson_destroy(document);
    }
    return total;
}

double seconds(const std::function<std::size_t()>& work) {
    static volatile std::size_t sink = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int pass = 0; pass < kPasses; ++pass) sink = sink + work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

using Work = std::size_t (*)(const Corpus&);

// The median of the runs' ratios, and each side's own median as MB/s of BSON.
void compare(const Corpus& corpus, const char* name, Work ours, Work theirs, const char* separator) {
    std::vector<double> our_seconds, their_seconds, ratios;
    for (int run = 0; run < kRuns; ++run) {
        our_seconds.push_back(seconds([&] { return ours(corpus); }));
        their_seconds.push_back(seconds([&] { return theirs(corpus); }));
        ratios.push_back(their_seconds.back() / our_seconds.back());
    }
    std::printf("{\"name\":\"%s_vs_libbson\",\"value\":%.2f,\"unit\":\"x\"},\n", name, median(ratios));
    std::printf("{\"name\":\"%s_ours\",\"value\":%.1f,\"unit\":\"MB/s\"},\n", name,
                corpus.bson_megabytes / median(our_seconds));
    std::printf("{\"name\":\"%s_libbson\",\"value\":%.1f,\"unit\":\"MB/s\"}%s\n", name,
                corpus.bson_megabytes / median(their_seconds), separator);
}

}  // namespace

int main(int count, char** arguments) {
    const std::size_t asked = count > 1 ? std::strtoul(arguments[count - 1], nullptr, 10) : 0;  // 0 for words like --json
    const std::size_t documents = asked > 0 ? asked : kDefaultDocuments;
    const Corpus corpus = make_corpus(documents);
    std::puts("[");
    compare(corpus, "encode", encode_ours, encode_libbson, ",");
    compare(corpus, "decode", decode_ours, decode_libbson, "");
    std::puts("]");
    return 0;
}
