// Any bytes: either they are refused as BSON, or their text decodes to the same bytes, in both profiles.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/failure.h"
#include "codec/bson_to_json.h"
#include "codec/json_to_bson.h"

namespace {

void check(reprise::Encoder& encoder, std::string_view document) {
    static reprise::Decoder decoder;
    std::string text = "kept";
    try {
        encoder.encode(document, text);
    } catch (const reprise::Failure&) {
        if (text != "kept") std::abort();
        return;
    }
    text.erase(0, 4);
    if (text.find('\n') != std::string::npos) std::abort();
    // What was encoded always decodes: a Failure here ends the process, as it should.
    if (decoder.decode(text) != document) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static reprise::Encoder readable(reprise::Profile::readable), portable(reprise::Profile::portable);
    std::string document(reinterpret_cast<const char*>(data), size);
    check(readable, document);
    check(portable, document);
    // The outer length made right, so that more inputs get past it.
    if (size < 5) return 0;
    for (std::size_t i = 0; i < 4; ++i) document[i] = static_cast<char>(size >> (8 * i));
    document.back() = '\0';
    check(readable, document);
    return 0;
}
