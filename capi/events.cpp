#include "guard.h"

using namespace reprise_capi;

int32_t reprise_events_next(reprise_engine* engine, int64_t wait_ms, char** json, size_t* size, reprise_error* error) {
    clear_out(json, size);
    return guarded(error, [&] {
        need(engine, "engine");
        need(json, "json");
        if (const auto event = engine->service.next_event(wait_ms)) text_out(event->text(), json, size);
    });
}

int32_t reprise_events_fd(reprise_engine* engine, int* fd, reprise_error* error) {
    if (fd != nullptr) *fd = -1;
    return guarded(error, [&] {
        need(engine, "engine");
        need(fd, "fd");
        *fd = engine->service.events_descriptor();
    });
}

int32_t reprise_log_hook_set(reprise_engine* engine, reprise_log_hook hook, void* user, reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        engine->service.set_log_hook({hook, user});
    });
}
