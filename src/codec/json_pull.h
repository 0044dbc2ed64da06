// A pull tokenizer over a stream, for files that are not one document per line: memory stays bounded by one value.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace reprise {

class JsonPull {
public:
    enum class Token { begin_object, end_object, begin_array, end_array, key, string, number, literal, end };
    using Read = std::function<std::size_t(char* buffer, std::size_t capacity)>;  // 0 at the end

    // lenient: NaN, Infinity, -Infinity are numbers and lone surrogate escapes become U+FFFD (json.dump writes both).
    JsonPull(Read read, bool lenient);
    ~JsonPull();

    // Throws Failure{corrupt, "json_invalid" | "file_truncated" | "json_too_deep"} with line and column. At most 1000
    // deep, without recursion.
    Token next();
    std::string_view text() const;  // of key, string (unescaped), number, literal: valid until next()
    // After next() gave begin_object or begin_array: the whole value's raw text, up to and with its closing bracket;
    // the following next() is what comes after it. Failure{corrupt, "document_too_large"} beyond `max_bytes`.
    std::string_view take_raw(std::size_t max_bytes);
    std::uint64_t line() const;
    std::uint32_t replaced_surrogates() const;
    void restart();  // begins a new text at the next read; buffers are kept

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace reprise
