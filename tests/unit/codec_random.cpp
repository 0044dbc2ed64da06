// Random documents of every type, made at byte level: ours gives the same bytes back, and so does libbson where Extended
// JSON can say the document and libbson's own faults are kept out of the way.
#include <bson/bson.h>

#include <cstdlib>
#include <random>

#include "codec_support.h"

using namespace codec_test;

namespace {

constexpr int kDocuments = 4000;
constexpr int kMaxLevels = 6;

// Whose reader must be able to read the documents: ours (everything), or another's, whose own faults are left out.
enum class Reader { ours, libbson, pymongo };

class Generator {
public:
    Generator(unsigned seed, Reader reader) : random_(seed), odd_(reader == Reader::ours), reader_(reader) {}

    std::string document(int levels = 0) {
        BsonBuilder builder;
        const std::size_t count = below(levels < 2 ? 12 : 5);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = key(i);
            const std::string bytes_of_it = value(levels);
            builder.raw(type_, name, bytes_of_it);
        }
        return builder.str();
    }

private:
    std::size_t below(std::size_t limit) { return random_() % limit; }
    bool rarely() { return odd_ && below(40) == 0; }

    std::string bytes(std::size_t size) {
        std::string out;
        for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(random_());
        return out;
    }

    std::string text(bool with_nul) {
        static const char* const kPieces[] = {"a", "Zz",  "é", "€", "😀", "\"", "\\", "\n", "\x01", "/", "0123456789abcdef",
                                              " ", "\x7f"};
        std::string out;
        for (std::size_t i = below(9); i > 0; --i) out += kPieces[below(std::size(kPieces))];
        if (with_nul && below(8) == 0) out += '\0';
        if (rarely()) out += "\xED\xA0\x80";
        return out;
    }

    // libbson 1.23 loses the key of these in arrays, and of what is nested in a scope. pymongo has no such types.
    bool is_misread() const {
        const bool old_type = type_ == BsonType::symbol || type_ == BsonType::undefined || type_ == BsonType::db_pointer;
        if (reader_ == Reader::pymongo && old_type) return true;
        const bool code = type_ == BsonType::code || type_ == BsonType::code_w_scope || type_ == BsonType::db_pointer;
        return !odd_ && careful_ > 0 && code;
    }

    // Chooses the type of the value that follows, too.
    std::string key(std::size_t index) {
        static constexpr BsonType kTypes[] = {
            BsonType::double_,   BsonType::string,     BsonType::document, BsonType::array,      BsonType::binary,
            BsonType::undefined, BsonType::oid,        BsonType::boolean,  BsonType::date,       BsonType::null,
            BsonType::regex,     BsonType::db_pointer, BsonType::code,     BsonType::symbol,     BsonType::code_w_scope,
            BsonType::int32,     BsonType::timestamp,  BsonType::int64,    BsonType::decimal128, BsonType::min_key,
            BsonType::max_key};
        do {
            type_ = kTypes[below(std::size(kTypes))];
        } while (is_misread());
        if (rarely()) return "$oid";
        if (rarely()) return "twice";
        return text(false) + std::to_string(index);
    }

    std::string array(int levels) {
        ++careful_;
        const std::string made = array_items(levels);
        --careful_;
        return made;
    }

    std::string array_items(int levels) {
        BsonBuilder builder;
        const std::size_t count = below(13);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = key(i);
            const std::string bytes_of_it = value(levels);
            builder.raw(type_, rarely() ? name : std::to_string(i), bytes_of_it);
        }
        return builder.str();
    }

    std::string value(int levels) {
        const bool deep = levels == kMaxLevels;
        switch (type_) {
            case BsonType::double_: return number();
            case BsonType::string:
            case BsonType::symbol: return counted_text(text(true));
            case BsonType::code: return counted_text(text(odd_));
            case BsonType::document: return deep ? BsonBuilder().str() : kept(document(levels + 1), BsonType::document);
            case BsonType::array: return deep ? BsonBuilder().str() : kept(array(levels + 1), BsonType::array);
            case BsonType::binary: return binary();
            case BsonType::oid: return bytes(12);
            case BsonType::boolean: return rarely() ? "\2"s : std::string(1, static_cast<char>(below(2)));
            case BsonType::date:
                return le(below(3) == 0 ? static_cast<std::int64_t>(random_())
                                        : static_cast<std::int64_t>(below(253402300800000)));
            case BsonType::regex: return text(false) + '\0' + (rarely() ? "xi" : below(2) == 0 ? "" : "imsx") + '\0';
            case BsonType::db_pointer: return counted_text(text(false)) + bytes(12);
            case BsonType::code_w_scope: return scope(deep ? kMaxLevels : levels + 1);
            case BsonType::int32: return le(static_cast<std::int32_t>(random_() >> below(64)));
            case BsonType::timestamp: return bytes(8);
            case BsonType::int64: return le(static_cast<std::int64_t>(random_()) >> below(64));
            case BsonType::decimal128: return decimal();
            default: return {};
        }
    }

    // What was made inside changed the type.
    std::string kept(std::string made, BsonType type) {
        type_ = type;
        return made;
    }

    std::string scope(int levels) {
        ++careful_;
        const std::string inner = document(levels);
        --careful_;
        type_ = BsonType::code_w_scope;
        const std::string body = counted_text(text(odd_)) + inner;
        return le(static_cast<std::int32_t>(body.size() + 4)) + body;
    }

    std::string number() {
        if (odd_ && below(3) == 0) return bytes(8);
        const double values[] = {static_cast<double>(below(1000000)) / 100.0, static_cast<double>(random_()),
                                 1.0 / static_cast<double>(1 + below(1000)),  -static_cast<double>(below(1000)),
                                 1e300 * static_cast<double>(below(100)),     0.001 * static_cast<double>(below(9999))};
        return le(values[below(std::size(values))]);
    }

    std::string binary() {
        const auto subtype = static_cast<char>(below(8) < 6 ? below(7) : 0x80);
        std::string content = bytes(subtype == 4 || subtype == 3 ? 16 : below(30));
        if (subtype == 2 && !rarely()) content = le(static_cast<std::int32_t>(content.size())) + content;
        return le(static_cast<std::int32_t>(content.size())) + subtype + content;
    }

    std::string decimal() {
        if (odd_ && below(3) == 0) return bytes(16);
        const std::uint64_t exponent = 6176 - 20 + below(40);
        return le(random_() >> below(64)) + le(exponent << 49 | random_() % 0x1ED09BEAD87C0u);
    }

    std::mt19937_64 random_;
    bool odd_;
    Reader reader_;
    int careful_ = 0;  // arrays and scopes around
    BsonType type_ = BsonType::null;
};

std::string libbson_decode(const std::string& text) {
    bson_error_t error;
    bson_t* document =
        bson_new_from_json(reinterpret_cast<const std::uint8_t*>(text.data()), static_cast<ssize_t>(text.size()), &error);
    if (document == nullptr) return std::string("libbson: ") + error.message;
    std::string bytes(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    bson_destroy(document);
    return bytes;
}

}  // namespace

TEST_CASE("random documents of every type come back byte for byte in both profiles") {
    Generator generator(20251012, Reader::ours);
    std::uint32_t all_escapes = 0;
    for (int i = 0; i < kDocuments; ++i) {
        const std::string document = generator.document();
        for (const Profile profile : {Profile::readable, Profile::portable}) {
            std::uint32_t escapes = 0;
            const std::string text = encode(document, profile, &escapes);
            all_escapes += escapes;
            if (decode(text) == document) continue;
            CAPTURE(to_hex(document));
            FAIL_CHECK(text);
        }
    }
    CHECK(all_escapes > 1000);
}

TEST_CASE("libbson reads our text of random documents as the same bytes") {
    Generator generator(42, Reader::libbson);
    for (int i = 0; i < kDocuments; ++i) {
        const std::string document = generator.document();
        for (const Profile profile : {Profile::readable, Profile::portable}) {
            std::uint32_t escapes = 0;
            const std::string text = encode(document, profile, &escapes);
            CHECK(escapes == 0);
            if (libbson_decode(text) == document) continue;
            CAPTURE(to_hex(document));
            CAPTURE(to_hex(libbson_decode(text)));
            FAIL_CHECK(text);
        }
    }
}

TEST_CASE("pymongo reads our text of random documents as the same bytes") {
    const std::filesystem::path root = REPRISE_SOURCE_FOLDER;
    const std::string python = (root / "build" / "venv" / "bin" / "python").string();
    if (std::system(("'" + python + "' -c 'import bson.json_util' >/dev/null 2>&1").c_str()) != 0) {
        MESSAGE("skipped: build/venv has no pymongo (tests/setup.sh makes it)");
        return;
    }
    std::string folder = (std::filesystem::temp_directory_path() / "reprise_codec_XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    {
        std::ofstream out(folder + "/lines", std::ios::binary);
        Generator generator(7, Reader::pymongo);
        for (int i = 0; i < kDocuments; ++i) {
            const std::string document = generator.document();
            for (const Profile profile : {Profile::readable, Profile::portable})
                out << to_hex(document) << '\t' << encode(document, profile) << '\n';
        }
    }
    const std::string script = (root / "tests" / "unit" / "codec_pymongo.py").string();
    CHECK(std::system(("'" + python + "' '" + script + "' '" + folder + "/lines'").c_str()) == 0);
    std::filesystem::remove_all(folder);
}
