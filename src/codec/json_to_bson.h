// JSON → BSON, the exact inverse of bson_to_json: canonical and relaxed Extended JSON v2, and $rawBson escapes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace reprise {

// Not thread-safe; one per thread; buffers are reused. Number reading never depends on the locale.
class Decoder {
public:
    Decoder();
    ~Decoder();

    // `text` is one JSON object (a document line without newline and comma). It is parsed in place: its content is
    // destroyed. It must be followed by a NUL (std::string's own). The returned BSON is valid until the next call.
    // Throws Failure{corrupt, "json_invalid" | "extended_json_invalid" | "duplicate_key" | "number_out_of_range" |
    // "escape_invalid" | "document_too_deep" | "document_too_large", …} with the byte position in the message.
    std::string_view decode(std::string& text);

    struct State;

private:
    std::unique_ptr<State> state_;
};

// A document of the replaced system (plain JSON, as json.dump(default=str) wrote it): NaN and ±Infinity are doubles,
// integers are int32 or int64 by size, a lone surrogate becomes U+FFFD (counted). An object that holds an Extended JSON
// wrapper key is refused (Failure{corrupt, "legacy_extended_json"}); an integer beyond int64: "number_out_of_range".
struct LegacyDocument {
    std::string_view bson;              // valid until the next call
    std::uint32_t replaced_surrogates;  // in this document
};

class LegacyDecoder {
public:
    LegacyDecoder();
    ~LegacyDecoder();
    LegacyDocument decode(std::string_view text);  // the text of one object

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace reprise
