// What is written: one valid stream for every program, the same bytes every time, whole at every block's border.
#include <doctest/doctest.h>
#include <zstd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "../bench/hr_documents.h"
#include "codec/bson_to_json.h"
#include "stream/gzip.h"
#include "stream/ordered.h"
#include "stream_support.h"

using namespace reprise;
using namespace stream_test;

TEST_CASE("the words for compression are read, and wrong ones refused with what is allowed") {
    const auto text_of = [](const char* word) { return parse_compression(word, "it").text(); };
    CHECK(text_of("none") == "none");
    CHECK(text_of("gzip") == "gzip:2");
    CHECK(text_of("gzip:9") == "gzip:9");
    CHECK(text_of("zstd") == "zstd:2");
    CHECK(text_of("zstd:19") == "zstd:19");
    CHECK(std::string(parse_compression("zstd", "it").suffix()) == ".zst");
    CHECK(std::string(parse_compression("gzip", "it").suffix()) == ".gz");
    CHECK(std::string(parse_compression("none", "it").suffix()).empty());
    for (const char* wrong : {"", "Gzip", "xz", "none:1", "gzip:", "gzip:0", "gzip:10", "gzip:-1", "zstd:20", "zstd:3 ",
                              "zstd:1:2", "zstd:003", "zstd:99999999999", ":3"}) {
        CAPTURE(wrong);
        try {
            parse_compression(wrong, "key compression");
            FAIL("taken");
        } catch (const Failure& failure) {
            CHECK(failure.code == Code::invalid_config);
            CHECK(failure.reason == "key_value_wrong");
            CHECK(failure.message.find("key compression") == 0);
        }
    }
}

TEST_CASE("what is compressed unpacks to itself, at every level and around every border of a block") {
    for (const std::string how : {"gzip:1", "gzip:2", "gzip:3", "gzip:4", "gzip:6", "gzip:9", "zstd:1", "zstd:3", "zstd:12"}) {
        CAPTURE(how);
        for (const std::size_t size : {0, 1, 63, 64, 65, 4095, 70000}) {
            const std::string text = lines(size);
            REQUIRE((unpack(pack(how, text)) == text));
        }
    }
    for (const std::string how : {"gzip:1", "gzip:3", "gzip:6", "zstd:1"}) {
        CAPTURE(how);
        for (const int off : {-1, 0, 1})
            for (const int blocks : {1, 2, 3}) {
                const std::string text =
                    lines(static_cast<std::size_t>(blocks) * kGzipBlockBytes + static_cast<std::size_t>(off));
                REQUIRE((unpack(pack(how, text)) == text));
            }
    }
}

TEST_CASE("what does not shrink hardly grows, and zeros almost vanish") {
    const std::string random = noise(3000000), zeros(3000000, '\0');
    for (const std::string how : {"gzip:1", "gzip:2", "gzip:3", "gzip:6", "zstd:1", "zstd:19"}) {
        CAPTURE(how);
        const std::string stored = pack(how, random);
        CHECK(stored.size() < random.size() + random.size() / 1000);
        CHECK((unpack(stored) == random));
        const std::string small = pack(how, zeros);
        CHECK(small.size() < 60000);
        CHECK((unpack(small) == zeros));
    }
}

TEST_CASE("the same content gives the same bytes, however it was written and whichever thread was first") {
    const std::string text = lines(9 * kGzipBlockBytes + 12345);
    for (const std::string how : {"gzip:2", "gzip:6", "zstd:1", "zstd:5"}) {
        CAPTURE(how);
        const std::string first = pack(how, text, 100000);
        for (const std::size_t piece : {1000u, 65536u, 3000000u}) CHECK((pack(how, text, piece) == first));
    }
}

TEST_CASE("the stored bytes are one gzip member or one zstd frame with a checksum: readers stop after the first") {
    const std::string text = lines(5 * kGzipBlockBytes + 7);
    const std::string stored = pack("zstd", text);
    CHECK(ZSTD_findFrameCompressedSize(stored.data(), stored.size()) == stored.size());
    CHECK((static_cast<unsigned char>(stored[4]) & 4) != 0);  // of the frame's descriptor: it has a checksum
    const char* one_member =
        "python3 -c 'import sys, zlib; d = zlib.decompressobj(31); "
        "sys.stdout.buffer.write(d.decompress(sys.stdin.buffer.read())); sys.exit(not d.eof or d.unused_data != b\"\")'";
    for (const std::string how : {"gzip:1", "gzip:6"}) CHECK((through(one_member, pack(how, text)) == text));
}

TEST_CASE("gzip -d, zstd -d and Python read what is written") {
    const std::string text = lines(2 * kGzipBlockBytes + 7);
    for (const std::string how : {"gzip:1", "gzip:3", "gzip:7"}) {
        CHECK((through("gzip -dc", pack(how, text)) == text));
        CHECK((through("python3 -c 'import sys, gzip; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))'",
                       pack(how, text)) == text));
    }
    for (const std::string how : {"zstd:1", "zstd:9", "zstd:17"}) CHECK((through("zstd -dcq", pack(how, text)) == text));
    CHECK(through("gzip -dc", pack("gzip", "")).empty());
    CHECK(through("zstd -dcq", pack("zstd", "")).empty());
}

TEST_CASE("the default makes a smaller file of HR documents than zstd -3 does, or gzip of the same BSON as mongodump has it") {
    std::mt19937_64 random(20251012);
    std::string bson, json;
    Encoder encoder(Profile::readable);
    for (int i = 0; i < 8000; ++i) {
        const std::string document = bench::hr_document(random);
        bson += document;
        encoder.encode(document, json);
        json += ",\n";
    }
    const std::size_t ours = pack("zstd", json).size();
    CHECK(ours < pack("zstd:1", json).size());
    CHECK(ours < through("zstd -3cq", json).size());
    CHECK(ours < through("gzip -6c", bson).size());
}

TEST_CASE("s14: every thread that compression starts, zstd's own too, hears no signal of the host") {
    const auto threads = [] {
        std::set<std::string> found;
        for (const auto& each : std::filesystem::directory_iterator("/proc/self/task")) found.insert(each.path().string());
        return found;
    };
    const auto blocked_by = [](const std::string& thread) {
        std::ifstream status(thread + "/status");
        for (std::string line; std::getline(status, line);)
            if (line.rfind("SigBlk:", 0) == 0) return std::stoull(line.substr(7), nullptr, 16);
        return 0ULL;
    };
    for (const char* how : {"zstd", "gzip", "none"}) {
        CAPTURE(how);
        const auto before = threads();
        Memory stored;
        const auto sink = make_compressor(stored, parse_compression(how, "it"));
        sink->write(lines(20'000'000));  // enough for every thread to be started
        std::size_t ours = 0;
        for (const std::string& thread : threads()) {
            if (before.count(thread) > 0) continue;
            ++ours;
            for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE, SIGALRM, SIGUSR1, SIGPROF})
                CHECK((blocked_by(thread) >> (signal - 1) & 1) == 1);
        }
        CHECK(ours >= (std::string(how) == "zstd" ? 1 + worker_count() : 1));
        sink->finish();
        CHECK(unpack(stored.text) == lines(20'000'000));
    }
}

TEST_CASE("windows are 4 MiB at most, which browsers take") {
    const std::string stored = pack("zstd:19", std::string(6000000, 'x'));
    REQUIRE((static_cast<unsigned char>(stored[4]) & 0x20) == 0);  // a window descriptor follows
    CHECK(static_cast<unsigned char>(stored[5]) <= ((22 - 10) << 3));
}

TEST_CASE("a failure of what is below comes out of write or finish, and nothing is finished") {
    const std::string text = noise(20000000);
    for (const std::string how : {"gzip:1", "gzip:6", "zstd:1"}) {
        CAPTURE(how);
        for (const std::size_t full_at : {0u, 5u, 3000000u}) {
            Memory memory;
            memory.full_at = full_at;
            const auto sink = make_compressor(memory, parse_compression(how, "it"));
            try {
                for (std::size_t at = 0; at < text.size(); at += 50000) sink->write(std::string_view(text).substr(at, 50000));
                sink->finish();
                FAIL("nothing was said");
            } catch (const Failure& failure) {
                CHECK(failure.reason == "disk_full");
            }
            CHECK_FALSE(memory.finished);
        }
    }
}

TEST_CASE("a compressor that is dropped finishes nothing, wherever it stood") {
    const std::string text = lines(7 * kGzipBlockBytes);
    for (const std::string how : {"none", "gzip:1", "gzip:9", "zstd:1"})
        for (const std::size_t size : {0u, 10u, 1u << 20, 7u << 20}) {
            Memory memory;
            make_compressor(memory, parse_compression(how, "it"))->write(std::string_view(text).substr(0, size));
            CHECK_FALSE(memory.finished);
        }
}

TEST_CASE("blocks are delivered in order though the first ones take longest") {
    std::string order;
    OrderedBlocks blocks({"reprise-test", 10,
                          [] {
                              return [](OrderedBlock& block) {
                                  volatile unsigned spin = 0;
                                  for (unsigned i = 0; i < 100000U * static_cast<unsigned>('z' - block.in[0]); ++i)
                                      spin = spin + 1;
                                  block.out = block.in.substr(0, 1);
                              };
                          },
                          [&](OrderedBlock& block) { order += block.out; }});
    for (char c = 'a'; c <= 'z'; ++c) blocks.write(std::string(10, c));
    blocks.finish();
    CHECK(order == "abcdefghijklmnopqrstuvwxyz");
}
