#include "engine/read_whole.h"

namespace reprise {
namespace {
constexpr std::int64_t kDocumentsPerCheck = 1024;
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
