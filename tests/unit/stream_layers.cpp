// What is read: any number of members and frames by any program, and nothing that is cut, damaged, endless or more than that.
#include <doctest/doctest.h>

#include <fstream>

#include "base/cancel.h"
#include "stream/deflate.h"
#include "stream/gzip.h"
#include "stream/intake.h"
#include "stream/zstd.h"
#include "stream_support.h"

using namespace reprise;
using namespace stream_test;

namespace {

const std::string kText = lines(3000);

std::string frame(std::string_view bytes) { return std::string("\x28\xb5\x2f\xfd", 4) + std::string(bytes); }

// Repeats what an inner text gives, for ever.
struct Endless : Source {
    std::size_t read(char* buffer, std::size_t capacity) override {
        for (std::size_t i = 0; i < capacity; ++i, at = (at + 1) % text.size()) buffer[i] = text[at];
        return capacity;
    }
    std::string text;
    std::size_t at = 0;
};

}  // namespace

TEST_CASE("layers are told by content") {
    CHECK(layer_of("") == Layer::none);
    CHECK(layer_of("{\"backup_date\"") == Layer::none);
    CHECK(layer_of("\x1f\x8b") == Layer::gzip);
    CHECK(layer_of("\x1f") == Layer::none);
    CHECK(layer_of("\x28\xb5\x2f\xfd") == Layer::zstd);
    CHECK(layer_of("\x5a\x2a\x4d\x18") == Layer::zstd);
    CHECK(layer_of("age-encryption.org/v1\n") == Layer::age);
    CHECK(layer_of("\r\n\n-----BEGIN AGE ENCRYPTED FILE-----") == Layer::age);
}

TEST_CASE("a plain stream goes through as it is") {
    for (const std::size_t size : {0, 1, 63, 64, 65, 3000}) CHECK(unpack(kText.substr(0, size)) == kText.substr(0, size));
    CHECK(unpack(kText, 1, 7) == kText);
}

TEST_CASE("several members or frames are one stream, empty ones too, in whatever pieces they arrive") {
    for (const std::string how : {"gzip", "zstd"}) {
        const std::string two = pack(how, kText.substr(0, 1000)) + pack(how, "") + pack(how, kText.substr(1000));
        for (const std::size_t piece : {1u, 2u, 3u, 5u, 8u, 13u, 1000000u})
            for (const std::size_t capacity : {1u, 100u, 100000u}) CHECK(unpack(two, piece, capacity) == kText);
    }
}

TEST_CASE("files that other programs made are read") {
    const std::string text = lines(1500000);
    for (const char* command :
         {"gzip -1c", "gzip -6c", "gzip -9c", "zstd -1cq", "zstd -19cq", "zstd -cq --long=27", "zstd -cq --no-check",
          "python3 -c 'import sys, gzip; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read()))'"}) {
        CAPTURE(command);
        CHECK((unpack(through(command, text)) == text));
    }
    // The name stands in the header, as of a file.
    CHECK((unpack(through("sh -c 'd=$(mktemp -d) && cat >$d/name && gzip -c $d/name && rm -r $d'", text)) == text));
}

TEST_CASE("a gzip header with everything in it is read, and its checksum checked") {
    const std::string plain = pack("gzip", kText);
    std::string header("\x1f\x8b\x08\x1e\x01\x02\x03\x04\x00\x03", 10);
    header += std::string("\x05\x00", 2) + "extra" + std::string("name\0comment\0", 13);
    const std::uint32_t check = crc32_of(0, header);
    const std::string good = header + static_cast<char>(check & 0xFF) + static_cast<char>(check >> 8 & 0xFF) + plain.substr(10);
    CHECK(unpack(good, 1) == kText);
    for (std::size_t at = 4; at < header.size() + 2; ++at) {
        std::string wrong = good;
        wrong[at] = static_cast<char>(wrong[at] ^ 0x10);
        CAPTURE(at);
        CHECK(reason_of(wrong) != "fine");
    }
    std::string reserved = plain, other_method = plain;
    reserved[3] = static_cast<char>(0x20);
    other_method[2] = 7;
    CHECK(reason_of(reserved) == "file_damaged");
    CHECK(reason_of(other_method) == "file_damaged");
    CHECK(reason_of(std::string("\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03", 10) + std::string(100000, 'n')) == "file_damaged");
}

TEST_CASE("a cut at every byte is refused as a cut") {
    for (const std::string how : {"gzip:1", "gzip:6", "zstd"}) {
        CAPTURE(how);
        const std::string stored = pack(how, kText);
        for (std::size_t size = how == "zstd" ? 4 : 2; size < stored.size(); ++size) {
            CAPTURE(size);
            REQUIRE(reason_of(stored.substr(0, size)) == "file_truncated");
            REQUIRE(reason_of(stored + stored.substr(0, size), 3) == "file_truncated");
        }
        CHECK(reason_of(stored + stored.substr(0, 1)) == "file_truncated");
    }
}

TEST_CASE("a flipped bit anywhere is refused, or changes nothing of the content") {
    for (const std::string how : {"gzip:1", "gzip:6", "zstd"}) {
        CAPTURE(how);
        const std::string stored = pack(how, kText.substr(0, 700));
        for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
            std::string wrong = stored;
            wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << bit % 8));
            if (layer_of(wrong) == Layer::none) continue;  // not a layer any more: the reader of backups refuses it
            std::string got;
            try {
                got = unpack(wrong);
            } catch (const Failure& failure) {
                CHECK((failure.code == Code::corrupt || failure.code == Code::unsupported));
                continue;
            }
            CAPTURE(bit);
            REQUIRE(got == kText.substr(0, 700));
        }
    }
}

TEST_CASE("whatever follows the last member or frame is refused as such") {
    for (const std::string how : {"gzip", "zstd"})
        for (const std::string& tail :
             {std::string("\n"), std::string(1, '\0'), std::string(512, '\0'), std::string("{}"), std::string("garbage")}) {
            CAPTURE(how);
            CHECK(reason_of(pack(how, kText) + tail) == "trailing_bytes");
            CHECK(reason_of(pack(how, kText) + tail, 1) == "trailing_bytes");
        }
    CHECK(reason_of(pack("gzip", kText) + pack("zstd", kText)) == "trailing_bytes");
    CHECK(reason_of(pack("zstd", kText) + pack("gzip", kText)) == "trailing_bytes");
}

TEST_CASE("frames to skip are skipped; dictionaries and windows over 128 MiB are refused by name") {
    const std::string skip("\x50\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
    CHECK(unpack(skip + pack("zstd", kText) + skip, 1) == kText);
    CHECK(reason_of(skip.substr(0, 9)) == "file_truncated");
    const std::string block("\x01\x00\x00", 3);                                              // raw, empty, the last one
    CHECK(reason_of(frame(std::string("\x00\x88", 2) + block)) == "fine");                   // a window of 128 MiB
    CHECK(reason_of(frame(std::string("\x00\x90", 2) + block)) == "layer_unsupported");      // of 256 MiB
    CHECK(reason_of(frame(std::string("\x00\xff", 2) + block)) == "layer_unsupported");      // the largest that can be said
    CHECK(reason_of(frame(std::string("\x01\x58\x05", 3) + block)) == "layer_unsupported");  // dictionary 5
}

TEST_CASE("a file has each layer once, and age outermost") {
    CHECK(reason_of(pack("gzip", pack("gzip", kText))) == "layer_unsupported");
    CHECK(reason_of(pack("zstd", pack("gzip", kText))) == "layer_unsupported");
    CHECK(reason_of(pack("gzip", "age-encryption.org/v1\n")) == "layer_unsupported");
    CHECK(reason_of("age-encryption.org/v1\n") == "layer_unsupported");
}

TEST_CASE("an age layer is opened by whoever holds the keys, and compression told inside it") {
    struct Opened : Source {
        explicit Opened(Source& below_) : below(below_) {
            char magic[22];
            for (std::size_t got = 0; got < sizeof magic;) got += below.read(magic + got, sizeof magic - got);
        }
        std::size_t read(char* buffer, std::size_t capacity) override { return below.read(buffer, capacity); }
        Source& below;
    };
    LayerOptions options;
    options.open_age = [](Source& below) { return std::make_unique<Opened>(below); };
    for (const std::string how : {"none", "gzip", "zstd"}) {
        const std::string stored = "age-encryption.org/v1\n" + pack(how, kText);
        Pieces pieces(stored, 10);
        Content content(pieces, options);
        CHECK(content.encrypted());
        CHECK((content.compression() == Layer::none) == (how == "none"));
        std::string text(kText.size() + 1, '\0');
        std::size_t size = 0;
        while (const std::size_t count = content.read(text.data() + size, text.size() - size)) size += count;
        CHECK(text.substr(0, size) == kText);
    }
}

TEST_CASE("a stream that unpacks without end is stopped, and one that gives nothing heeds a cancel") {
    Pieces none("");
    Intake intake(none, nullptr);
    intake.gave_out(16ULL << 30);
    CHECK_THROWS_WITH_AS(intake.gave_out(1), doctest::Contains("2000 times"), Failure);

    for (const std::string how : {"gzip", "zstd"}) {
        Endless endless;
        endless.text = pack(how, "");
        Cancel cancel;
        cancel.request();
        const auto source = how == "gzip" ? open_gzip(endless, &cancel) : open_zstd(endless, &cancel);
        char byte = 0;
        CHECK_THROWS_WITH_AS(source->read(&byte, 1), doctest::Contains("cancelled"), Failure);
    }
}

TEST_CASE("zlib and ISA-L write and read each other") {
    if (!has_isal()) {
        MESSAGE("skipped: built without ISA-L");
        return;
    }
    const std::string text = lines(300000);
    const auto inflated = [&](Inflater& inflater, std::string_view in, std::size_t piece) {
        std::string out(text.size() + 100, '\0');
        Inflater::Step step{{}, out.data(), out.size()};
        auto outcome = Inflater::Outcome::more;
        for (std::size_t rounds = 0; outcome == Inflater::Outcome::more && rounds < 1000000; ++rounds) {
            step.in = in.substr(0, piece);
            const std::size_t before = step.in.size();
            outcome = inflater.inflate(step);
            in.remove_prefix(before - step.in.size());
        }
        CHECK(outcome == Inflater::Outcome::ended);
        CHECK(step.unused <= Inflater::kMaxUnused);
        CHECK(in.size() + step.unused == 20);
        out.resize(out.size() - step.room);
        return out;
    };
    for (const int level : {1, 2, 3}) {
        std::string by_isal, by_zlib;
        isal_deflater(level)->deflate(text.substr(0, 100000), false, by_isal);
        isal_deflater(level)->deflate(text.substr(100000), true, by_isal);
        zlib_deflater(level)->deflate(text, true, by_zlib);
        for (std::string* stored : {&by_isal, &by_zlib}) {
            *stored += std::string(20, '\x55');
            for (const std::size_t piece : {1u, 7u, 1000000u}) {
                CHECK((inflated(*isal_inflater(), *stored, piece) == text));
                CHECK((inflated(*zlib_inflater(), *stored, piece) == text));
            }
        }
    }
    CHECK(isal_deflater(4) == nullptr);
    CHECK(crc32_joined(crc32_of(0, "123"), crc32_of(0, "456789"), 6) == 0xCBF43926);
}
