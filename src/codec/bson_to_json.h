// BSON → JSON, as in format/FORMAT.md ("Documents"): the exact inverse of json_to_bson. Own code, no libbson.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reprise {

enum class Profile { readable, portable };

// Limits of format 1.
constexpr std::size_t kMaxDocumentBytes = 16 * 1024 * 1024 + 16 * 1024;
constexpr std::size_t kMaxLineBytes = 32 * 1024 * 1024;
constexpr int kMaxBsonDepth = 200;

// Not thread-safe; one per thread; its buffers are reused, so nothing is allocated per field or per document.
class Encoder {
public:
    explicit Encoder(Profile profile);
    ~Encoder();
    Encoder(Encoder&&) noexcept;
    Encoder& operator=(Encoder&&) noexcept;

    // Appends `document` as one line of JSON, without the newline. Returns the number of escapes ($rawBson) it took.
    // Whatever Extended JSON cannot say is escaped. Bytes that are not a well-formed document (wrong lengths, unknown
    // type bytes, deeper than kMaxBsonDepth, over kMaxDocumentBytes) throw Failure{corrupt, "bson_invalid" |
    // "document_too_deep" | "document_too_large"}; `out` is then as it was.
    std::uint32_t encode(std::string_view document, std::string& out);

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace reprise
