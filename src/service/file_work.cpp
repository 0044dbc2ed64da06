#include "service/file_work.h"

#include "engine/shelf.h"
#include "store/local.h"

namespace reprise {

FileWork::FileWork(const Config& config, const std::string& file, const char* job, const Json& options) {
    name = resolve_name(*open_local_store(config.directory, true), config.directory, file);
    store = open_local_store(config.directory);
    context.cancel = &cancel;
    place.database = config.database;
    place.store = store.get();
    place.folder = config.directory;
    place.job = job;
    place.wait_ms = number_or(options, "wait_ms", 0);
}

}  // namespace reprise
