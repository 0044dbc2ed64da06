#include "codec/encode_run.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/failure.h"
#include "codec/base64.h"
#include "codec/bson_check.h"
#include "codec/json_text.h"
#include "codec/number.h"
#include "codec/wrapper_keys.h"

namespace reprise {
namespace {

constexpr std::size_t kSmallestDocument = 5;
constexpr std::size_t kPlainKeyBytes = 64;    // longer keys take the general way
constexpr std::size_t kKeyOverrunBytes = 16;  // comma, quotes, colon, and what is copied a word at a time
constexpr std::size_t kRawTextBytes = 64;     // {"$rawBson":{"type":"03","base64":""}}

[[noreturn]] void refuse_depth() {
    throw Failure(Code::corrupt, "document_too_deep",
                  "a document is more than " + std::to_string(kMaxBsonDepth) + " levels deep");
}

bool is_index(std::string_view key, std::uint32_t index) {
    if (index < 10) return key.size() == 1 && key[0] == static_cast<char>('0' + index);
    char text[kMaxNumberBytes];
    return key == std::string_view(text, static_cast<std::size_t>(put_int64(text, index) - text));
}

}  // namespace

std::string_view EncodeRun::run() {
    if (document_.size() > kMaxDocumentBytes)
        throw Failure(Code::corrupt, "document_too_large",
                      "a document is larger than " + std::to_string(kMaxDocumentBytes) + " bytes");
    state_.frames.clear();
    state_.keys.clear();
    prefetch();
    char* at = state_.text.begin();
    at = walk(open(at, Kind::document, document_, 0));
    if (is_too_long(at)) at = escape_line();
    return {state_.text.begin(), offset(at)};
}

// A small document has just come from somewhere else; all of it will be read.
void EncodeRun::prefetch() const {
    constexpr std::size_t kCacheLineBytes = 64, kMaxBytes = 4096;
    for (std::size_t at = 0; at < std::min(document_.size(), kMaxBytes); at += kCacheLineBytes)
        __builtin_prefetch(document_.data() + at);
}

char* EncodeRun::walk(char* at) {
    while (!state_.frames.empty() && !is_too_long(at)) {
        const char* const end = state_.frames.back().end;
        at = cursor_ == end ? close(at) : put_field(at);
    }
    return at;
}

char* EncodeRun::put_field(char* at) {
    EncodeFrame& frame = state_.frames.back();
    const auto type = static_cast<BsonType>(*cursor_++);
    at = state_.text.ensure(at, kPlainKeyBytes + kKeyOverrunBytes + kMaxScalarText);
    if (frame.has_fields) *at++ = ',';
    frame.has_fields = true;
    if (frame.kind == Kind::array) {
        if (!is_index(take_key(), frame.index++)) return escape_open_document();
    } else {
        at = put_key(at);
        if (at == nullptr) return escape_open_document();
    }
    return put_value(at, type);
}

std::string_view EncodeRun::take_key() {
    const char* const first = cursor_;
    const char* const end = state_.frames.back().end;
    const auto* last = static_cast<const char*>(std::memchr(first, 0, static_cast<std::size_t>(end - first)));
    if (last == nullptr) refuse("a key does not end");
    cursor_ = last + 1;
    return {first, static_cast<std::size_t>(last - first)};
}

// nullptr when the document that holds the key must be escaped.
char* EncodeRun::put_key(char* at) {
    const std::string_view plain = put_plain_key(at);
    const std::string_view key = plain.data() != nullptr ? plain : take_key();
    if (!key.empty() && key[0] == '$' && wrapper_key(key) != WrapperKey::none) return nullptr;
    if (!state_.keys.add(state_.frames.back().keys, key)) return nullptr;
    if (plain.data() != nullptr) {
        at += key.size() + 1;
        *at++ = '"';
    } else {
        at = put_string(at, key);
        if (at == nullptr) return nullptr;
        at = state_.text.ensure(at, 1 + kMaxScalarText);
    }
    *at++ = ':';
    return at;
}

// Most keys are short and need no escape: they are copied while their end is looked for. The quote and the key are then
// written; without a view nothing was taken, and what stands at `at` does not count.
std::string_view EncodeRun::put_plain_key(char* at) {
    const char* const first = cursor_;
    const char* last = first;
    *at++ = '"';
    for (std::size_t done = 0; done < kPlainKeyBytes && state_.frames.back().end - last >= 8; done += 8) {
        std::memcpy(at + done, last, 8);
        const std::uint64_t special = mark_special(load_word(last));
        if (special == 0) {
            last += 8;
            continue;
        }
        last += first_marked(special);
        if (*last != '\0') break;
        cursor_ = last + 1;
        return {first, static_cast<std::size_t>(last - first)};
    }
    return {};
}

char* EncodeRun::open(char* at, Kind kind, std::string_view document, std::size_t out_start) {
    if (document.size() < kSmallestDocument || load_le<std::uint32_t>(document.data()) != document.size() ||
        document.back() != '\0')
        refuse("a document's length is wrong");
    if (state_.frames.size() == kMaxBsonDepth) refuse_depth();
    cursor_ = document.data() + 4;
    state_.frames.emplace_back(kind, document, out_start, state_.keys.open()).escapes_before = escapes_;
    at = state_.text.ensure(at, 1);
    *at++ = kind == Kind::array ? '[' : '{';
    return at;
}

char* EncodeRun::close(char* at) {
    const EncodeFrame& frame = state_.frames.back();
    if (!state_.keys.close(frame.keys)) return escape_open_document();
    at = state_.text.ensure(at, 2);
    *at++ = frame.kind == Kind::array ? ']' : '}';
    if (frame.kind == Kind::scope) *at++ = '}';
    cursor_ = frame.end + 1;
    state_.frames.pop_back();
    return at;
}

// Takes back what was written of the innermost document and writes its bytes instead.
char* EncodeRun::escape_open_document() {
    const EncodeFrame frame = state_.frames.back();
    state_.keys.forget(frame.keys);
    state_.frames.pop_back();
    escapes_ = frame.escapes_before;
    const std::string_view document(frame.begin, static_cast<std::size_t>(frame.end + 1 - frame.begin));
    cursor_ = frame.end + 1;
    char* at = escape_value(frame.out_start, frame.kind == Kind::array ? BsonType::array : BsonType::document, document);
    at = state_.text.ensure(at, 1);
    if (frame.kind == Kind::scope) *at++ = '}';
    return at;
}

char* EncodeRun::escape_line() {
    state_.frames.clear();
    state_.keys.clear();
    escapes_ = 0;
    return escape_value(0, BsonType::document, document_);
}

char* EncodeRun::escape_value(std::size_t out_start, BsonType type, std::string_view value) {
    check(type, value);
    ++escapes_;
    return put_raw(state_.text.begin() + out_start, type, value);
}

char* EncodeRun::put_raw(char* at, BsonType type, std::string_view value) {
    const char type_byte = static_cast<char>(type);
    at = state_.text.ensure(at, kRawTextBytes + base64_size(value.size()));
    at = put_bytes(at, "{\"$rawBson\":{\"type\":\"");
    at = put_hex(at, {&type_byte, 1});
    at = put_bytes(at, "\",\"base64\":\"");
    return put_bytes(put_base64(at, value), "\"}}");
}

// A quoted string; nullptr when it is not UTF-8. Stops early in a line that is too long already.
char* EncodeRun::put_string(char* at, std::string_view text) {
    constexpr std::ptrdiff_t kChunkBytes = 4096;
    constexpr std::size_t kOverrunBytes = 16;  // quotes, the last character, and what is copied a word at a time
    const char* from = text.data();
    const char* const end = from + text.size();
    at = state_.text.ensure(at, kOverrunBytes);
    *at++ = '"';
    while (from != end && !is_too_long(at)) {
        const char* const until = from + std::min(kChunkBytes, end - from);
        at = state_.text.ensure(at, static_cast<std::size_t>(until - from) * kMaxEscapedBytes + kOverrunBytes);
        at = put_json_text(at, from, until, end, document_.data() + document_.size());
        if (from == nullptr) return nullptr;
    }
    *at++ = '"';
    return at;
}

void EncodeRun::check(BsonType type, std::string_view value) const {
    const int levels = kMaxBsonDepth - static_cast<int>(state_.frames.size());
    const BsonProblem problem = check_bson_value(static_cast<unsigned char>(type), value, levels);
    if (problem == BsonProblem::too_deep) refuse_depth();
    if (problem == BsonProblem::invalid) refuse("a value is cut off or of unknown type");
}

void EncodeRun::refuse(const char* problem) const {
    throw Failure(Code::corrupt, "bson_invalid", std::string("invalid BSON: ") + problem);
}

Encoder::Encoder(Profile profile) : state_(std::make_unique<State>(profile)) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

std::uint32_t Encoder::encode(std::string_view document, std::string& out) {
    EncodeRun run(*state_, document);
    out += run.run();
    return run.escapes();
}

}  // namespace reprise
