// Documents of the replaced system: JSON as Python's json.dump wrote it, which RapidJSON does not take.
#include <algorithm>

#include "base/failure.h"
#include "codec/decode_run.h"
#include "codec/json_pull.h"
#include "codec/json_to_bson.h"
#include "codec/number.h"

namespace reprise {

struct LegacyDecoder::State {
    State() : pull([this](char* buffer, std::size_t capacity) { return read(buffer, capacity); }, true) {}

    std::size_t read(char* buffer, std::size_t capacity) {
        const std::size_t size = std::min(capacity, rest.size());
        std::copy_n(rest.data(), size, buffer);
        rest.remove_prefix(size);
        return size;
    }
    bool take(JsonPull::Token token);
    const char* keep();

    DecodeRun run{DecodeRun::Dialect::plain};
    std::string_view rest;
    std::string keys;  // the run looks back at them
    JsonPull pull;
};

// A copy of the current key that stays where it is: `keys` was made large enough before the first.
const char* LegacyDecoder::State::keep() {
    keys += pull.text();
    return keys.data() + keys.size() - pull.text().size();
}

bool LegacyDecoder::State::take(JsonPull::Token token) {
    using Token = JsonPull::Token;
    const std::string_view text = pull.text();
    switch (token) {
        case Token::begin_object: return run.begin_object();
        case Token::end_object: return run.end_object();
        case Token::begin_array: return run.begin_array();
        case Token::end_array: return run.end_array();
        case Token::key: return run.key({keep(), text.size()});
        case Token::string: return run.string(text);
        case Token::number: return run.number(text, is_integer_text(text));
        case Token::literal: return text == "null" ? run.null() : run.boolean(text == "true");
        case Token::end: break;
    }
    return true;
}

LegacyDecoder::LegacyDecoder() : state_(std::make_unique<State>()) {}
LegacyDecoder::~LegacyDecoder() = default;

LegacyDocument LegacyDecoder::decode(std::string_view text) {
    State& state = *state_;
    state.rest = text;
    state.keys.clear();
    state.keys.reserve(text.size());  // no escape becomes longer by being read
    state.run.reset();
    state.pull.restart();
    for (auto token = state.pull.next(); token != JsonPull::Token::end; token = state.pull.next()) {
        if (state.take(token)) continue;
        throw Failure(Code::corrupt, state.run.reason(),
                      "invalid document at its line " + std::to_string(state.pull.line()) + ": " + state.run.problem());
    }
    return {state.run.document(), state.pull.replaced_surrogates()};
}

}  // namespace reprise
