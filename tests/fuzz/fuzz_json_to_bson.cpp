// Any text: either it is refused, or its document's own text decodes to the same document. The two small readers and the
// one for the replaced system's documents must only not fall over.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/failure.h"
#include "codec/bson_to_json.h"
#include "codec/json.h"
#include "codec/json_pull.h"
#include "codec/json_to_bson.h"

namespace {

using namespace reprise;

void check_document(std::string_view bytes) {
    static Encoder encoder(Profile::readable);
    static Decoder decoder;
    const std::string document(bytes);
    std::string text;
    encoder.encode(document, text);
    if (decoder.decode(text) != document) std::abort();
}

void run_decoder(std::string text) {
    static Decoder decoder;
    std::string_view document;
    try {
        document = decoder.decode(text);
    } catch (const Failure&) {
        return;
    }
    check_document(document);
}

void run_legacy(std::string_view text) {
    static LegacyDecoder decoder;
    LegacyDocument document;
    try {
        document = decoder.decode(text);
    } catch (const Failure&) {
        return;
    }
    check_document(document.bson);
}

void run_small(std::string_view text) {
    Json value;
    try {
        value = parse_json(text);
    } catch (const Failure&) {
        return;
    }
    if (!(parse_json(value.text()) == value)) std::abort();
}

void run_pull(std::string_view text, bool lenient) {
    JsonPull pull(
        [text](char* buffer, std::size_t capacity) mutable {
            const std::size_t size = std::min({capacity, text.size(), std::size_t{3}});
            std::copy_n(text.data(), size, buffer);
            text.remove_prefix(size);
            return size;
        },
        lenient);
    try {
        for (auto token = pull.next(); token != JsonPull::Token::end; token = pull.next())
            if (token == JsonPull::Token::begin_array) pull.take_raw(64);
    } catch (const Failure&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    run_decoder(text);
    run_legacy(text);
    run_small(text);
    run_pull(text, false);
    run_pull(text, true);
    return 0;
}
