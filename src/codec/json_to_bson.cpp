#include "codec/json_to_bson.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include "base/failure.h"
#include "codec/bson_to_json.h"
#include "codec/decode_run.h"

namespace reprise {

struct Decoder::State {
    DecodeRun run{DecodeRun::Dialect::extended};
    rapidjson::Reader reader;
};

namespace {

constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;

[[noreturn]] void refuse_at(std::size_t offset, const char* reason, std::string problem) {
    if (!problem.empty() && problem[0] >= 'A' && problem[0] <= 'Z') problem[0] = static_cast<char>(problem[0] - 'A' + 'a');
    if (!problem.empty() && problem.back() == '.') problem.pop_back();
    throw Failure(Code::corrupt, reason, "invalid document at byte " + std::to_string(offset) + ": " + problem);
}

}  // namespace

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::~Decoder() = default;

std::string_view Decoder::decode(std::string& text) {
    if (text.size() > kMaxLineBytes) throw Failure(Code::corrupt, "document_too_large", "a document's text is larger than 32 MiB");
    DecodeRun& run = state_->run;
    run.reset();
    rapidjson::InsituStringStream stream(text.data());
    // RapidJSON recurses, but only as deep as the run lets it: 200 documents, each with a scope around it at most.
    const auto result = state_->reader.Parse<kFlags>(stream, run);
    if (result.Code() == rapidjson::kParseErrorTermination && run.problem() != nullptr)
        refuse_at(result.Offset(), run.reason(), run.problem());
    if (result.Code() == rapidjson::kParseErrorNumberTooBig)
        refuse_at(result.Offset(), "number_out_of_range", "a number is too large for a double");
    if (result.IsError()) refuse_at(result.Offset(), "json_invalid", rapidjson::GetParseError_En(result.Code()));
    // The reader takes a NUL for the end.
    if (stream.Tell() != text.size()) refuse_at(stream.Tell(), "json_invalid", "there are bytes after the document");
    return run.document();
}

}  // namespace reprise
