// Memory that does not grow: 200 MB go through writer and reader. Left out under AddressSanitizer, which keeps freed memory.
#include <doctest/doctest.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>

#include "format_support.h"

using namespace reprise;
using namespace format_test;

namespace {

constexpr long kMaxGrowthBytes = 64L * 1024 * 1024;
constexpr std::int64_t kFileBytes = 200L * 1000 * 1000;

long resident_bytes() {
    long size = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> size >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

struct File : Sink, Source {
    File() : stream(std::tmpfile(), &std::fclose) {}
    void write(std::string_view bytes) override {
        if (std::fwrite(bytes.data(), 1, bytes.size(), stream.get()) != bytes.size())
            throw Failure(Code::io, "io_error", "no space");
    }
    void finish() override { std::rewind(stream.get()); }
    std::size_t read(char* buffer, std::size_t capacity) override { return std::fread(buffer, 1, capacity, stream.get()); }
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream;
};

std::int64_t write_much(File& file, const std::function<void()>& watch) {
    const Backup one = sample(0);
    BackupWriter writer(file, one.header, {one.collections[0].entry});
    writer.begin_collection("users");
    const std::string text(2000, 'x');
    std::int64_t count = 0;
    for (std::int64_t bytes = 0; bytes < kFileBytes; bytes += 2050, ++count) {
        writer.document(BsonBuilder().add("_id", count).add("name", text).add("n", 0.5).str());
        if (count % 10000 == 0) watch();
    }
    writer.end_collection();
    Summary summary = one.summary;
    writer.finish(summary);
    return count;
}

}  // namespace

TEST_CASE("200 MB are written and read, by line and by token, in memory that does not grow") {
    const long before = resident_bytes();
    long most = before;
    const auto watch = [&] { most = std::max(most, resident_bytes()); };
    File file;
    const std::int64_t count = write_much(file, watch);
    for (const bool tolerate : {false, true}) {
        file.finish();
        BackupReader reader(file, "much.json", {tolerate});
        std::string name;
        std::string_view bson;
        std::int64_t read = 0;
        while (reader.next_collection(name))
            while (reader.next_document(bson))
                if (++read % 10000 == 0) watch();
        CHECK(read == count);
        CHECK_FALSE(reader.mismatch());
    }
    CHECK(most - before < kMaxGrowthBytes);
    MESSAGE("grew by " << (most - before) / 1024 << " KiB");
}
#endif
