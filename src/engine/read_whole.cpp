#include "engine/read_whole.h"

#include "stream/vault.h"

namespace reprise {
namespace {
constexpr std::int64_t kDocumentsPerCheck = 1024;
}

ReadOptions read_options(const Context& context) {
    ReadOptions options;
    options.layers.cancel = context.cancel;
    if (Vault* vault = context.vault) options.layers.open_age = [vault](Source& below) { return vault->opened(below); };
    return options;
}

std::size_t CountingSource::read(char* buffer, std::size_t capacity) {
    const std::size_t count = blob_.read(buffer, capacity);
    if (bytes_ == 0) layered_ = layer_of(std::string_view(buffer, count)) != Layer::none;
    if (layered_) hash_.update(std::string_view(buffer, count));
    bytes_ += static_cast<std::int64_t>(count);
    return count;
}

void read_whole(BackupReader& reader, const CountingSource& source, const char* phase, const Context& context,
                const WholeReadHooks& hooks) {
    Progress progress;
    progress.phase = phase;
    progress.bytes_total = source.total();
    const auto look_up = [&] {
        context.cancel->check();
        progress.bytes = source.bytes();
        context.progress(progress);
    };
    std::string_view bson;
    while (reader.next_collection(progress.collection)) {
        look_up();
        if (hooks.collection) hooks.collection(progress.collection);
        while (reader.next_document(bson)) {
            if (hooks.document) hooks.document(bson);
            if (++progress.documents % kDocumentsPerCheck == 0) look_up();
        }
        if (hooks.collection_end) hooks.collection_end();
    }
    progress.collection.clear();
    look_up();
}

}  // namespace reprise
