#include "guard.h"

using namespace reprise_capi;

int32_t reprise_open(const char* config, size_t config_size, reprise_engine** engine, reprise_error* error) {
    if (engine != nullptr) *engine = nullptr;
    return guarded(error, [&] {
        need(engine, "engine");
        need(config, "config");
        *engine = new reprise_engine(text_in(config, config_size, "config"));
    });
}

int32_t reprise_config(reprise_engine* engine, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [](reprise::Service& service) { return service.config(); });
}

int32_t reprise_secret_set(reprise_engine* engine, const char* name, size_t name_size, const char* bytes, size_t size,
                           reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        need(name, "name");
        if (bytes == nullptr && size != 0) need(bytes, "bytes");
        const size_t length = size == REPRISE_NUL ? std::strlen(bytes) : size;
        engine->service.set_secret(text_in(name, name_size, "name"), {bytes == nullptr ? "" : bytes, length});
    });
}

int32_t reprise_shutdown(reprise_engine* engine, int64_t deadline_ms, reprise_error* error) {
    return guarded(error, [&] {
        const bool ended = engine != nullptr ? engine->service.shutdown(deadline_ms) : reprise::shutdown_all(deadline_ms);
        if (!ended)
            throw reprise::Failure(
                reprise::Code::busy, "shutdown_incomplete",
                "a job has not ended yet: it is past its point of no return or stuck; wait longer, or leave it");
    });
}

// In a child of a busy parent the memory is left behind: freeing it might wait for a lock that nobody releases.
void reprise_close(reprise_engine* engine) {
    if (engine == nullptr || reprise::forked_while_busy()) return;
    guarded(nullptr, [&] { delete engine; });
}
