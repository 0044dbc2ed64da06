#include "codec/json_to_bson.h"

#include "base/failure.h"
#include "codec/bson_to_json.h"
#include "codec/decode_run.h"
#include "codec/decode_text.h"

namespace reprise {

struct Decoder::State {
    DecodeRun run{DecodeRun::Dialect::extended};
};

Decoder::Decoder() : state_(std::make_unique<State>()) {}
Decoder::~Decoder() = default;

std::string_view Decoder::decode(std::string& text) {
    if (text.size() > kMaxLineBytes)
        throw Failure(Code::corrupt, "document_too_large", "a document's text is larger than 32 MiB");
    state_->run.reset();
    DecodeText reader(state_->run, text.data(), text.data() + text.size());
    if (reader.parse()) return state_->run.document();
    throw Failure(Code::corrupt, reader.reason(),
                  "invalid document at byte " + std::to_string(reader.offset()) + ": " + reader.problem());
}

}  // namespace reprise
