#include "guard.h"

using namespace reprise_capi;

int32_t reprise_service_start(reprise_engine* engine, reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        engine->service.start_service();
    });
}

int32_t reprise_service_stop(reprise_engine* engine, int64_t deadline_ms, reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        if (!engine->service.stop_service(deadline_ms))
            throw reprise::Failure(reprise::Code::busy, "shutdown_incomplete",
                                   "the service has not stopped yet: its backup is past its point of no return or stuck; wait "
                                   "longer, or leave it");
    });
}
