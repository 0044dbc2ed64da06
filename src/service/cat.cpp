#include "service/cat.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/failure.h"
#include "engine/shelf.h"
#include "format/reader.h"
#include "store/local.h"
#include "stream/layers.h"

namespace reprise {
namespace {

// Hands the reader its bytes and keeps a copy for the caller.
class Tee final : public Source {
public:
    void open(Source& inner) { inner_ = &inner; }
    std::size_t read(char* buffer, std::size_t capacity) override {
        const std::size_t got = inner_->read(buffer, capacity);
        kept_.append(buffer, got);
        return got;
    }
    std::size_t take(char* buffer, std::size_t capacity) {
        const std::size_t count = std::min(capacity, kept_.size() - taken_);
        std::memcpy(buffer, kept_.data() + taken_, count);
        taken_ += count;
        if (taken_ == kept_.size()) kept_.clear(), taken_ = 0;
        return count;
    }
    bool empty() const { return kept_.empty(); }

private:
    Source* inner_ = nullptr;
    std::string kept_;
    std::size_t taken_ = 0;
};

}  // namespace

struct CatStream::State {
    std::unique_ptr<Store> store;
    std::string name;
    std::unique_ptr<OpenBlob> blob;
    std::unique_ptr<Vault> vault;
    LayerOptions layers;
    std::unique_ptr<Content> content;
    std::unique_ptr<Tee> tee;
    std::unique_ptr<BackupReader> reader;
    std::optional<Failure> failure;
    bool in_collection = false, ended = false;

    // Reads the first bytes, so not before somebody asks for them.
    void open_content() {
        try {
            content = std::make_unique<Content>(*blob, layers);
        } catch (Failure& said) {
            if (said.code == Code::corrupt || said.code == Code::unsupported) said.message = name + ": " + said.message;
            throw;
        }
        tee->open(*content);
    }

    // One step of the reader, which may or may not fetch bytes.
    void advance() {
        if (reader == nullptr) {
            open_content();
            reader = std::make_unique<BackupReader>(*tee, name);
            return;
        }
        std::string_view document;
        std::string collection;
        if (in_collection)
            in_collection = reader->next_document(document);
        else if (reader->next_collection(collection))
            in_collection = true;
        else
            ended = true;
    }
};

CatStream::CatStream(const Setup& setup, const std::string& file) : state_(std::make_unique<State>()) {
    const Config& config = *setup.config;
    state_->vault = setup.vault();
    state_->layers.open_age = [vault = state_->vault.get()](Source& below) { return vault->opened(below); };
    state_->store = open_local_store(config.directory, true);
    state_->name = resolve_name(*state_->store, config.directory, file.empty() ? "latest" : file);
    state_->blob = state_->store->open(state_->name);
    state_->tee = std::make_unique<Tee>();
}

CatStream::~CatStream() = default;

// What was fetched before a failure is still given out: a person looking at a damaged file wants to see it up to there.
std::size_t CatStream::read(char* buffer, std::size_t capacity) {
    State& state = *state_;
    if (capacity == 0) throw Failure(Code::invalid_argument, "argument_invalid", "the buffer has no room");
    while (state.tee->empty() && !state.ended && !state.failure) {
        try {
            state.advance();
        } catch (const Failure& failure) {
            state.failure = failure;
        }
    }
    if (!state.tee->empty()) return state.tee->take(buffer, capacity);
    if (state.failure) throw *state.failure;
    return 0;
}

}  // namespace reprise
