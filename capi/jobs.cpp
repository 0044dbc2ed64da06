#include <cstddef>

#include "guard.h"

using namespace reprise_capi;

static_assert(sizeof(reprise_job_status) == sizeof(size_t) + 8 + 4 + 4 + 4 * 8 + 32 + 256, "no padding in reprise_job_status");

int32_t reprise_job_start(reprise_engine* engine, const char* kind, size_t kind_size, const char* options, size_t options_size,
                          uint64_t* job, reprise_error* error) {
    if (job != nullptr) *job = 0;
    return guarded(error, [&] {
        need(engine, "engine");
        need(kind, "kind");
        need(job, "job");
        *job = engine->service.start(text_in(kind, kind_size, "kind"), text_in(options, options_size, "options"));
    });
}

static void fill(reprise_job_status* status, const reprise::JobRecord& record) {
    std::memset(status, 0, sizeof *status);
    status->struct_size = sizeof *status;
    status->job = record.id;
    status->state = static_cast<int32_t>(record.state);
    status->code = record.error && record.state != reprise::JobState::running ? static_cast<int32_t>(record.error->code) : 0;
    status->documents = record.progress.documents;
    status->documents_total = record.progress.documents_total;
    status->bytes = record.progress.bytes;
    status->bytes_total = record.progress.bytes_total;
    put_text(status->phase, sizeof status->phase, record.progress.phase);
    put_text(status->collection, sizeof status->collection, record.progress.collection);
}

int32_t reprise_job_wait(reprise_engine* engine, uint64_t job, int64_t wait_ms, reprise_job_status* status,
                         reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        need(status, "status");
        if (status->struct_size != sizeof *status)
            throw reprise::Failure(reprise::Code::invalid_argument, "struct_size_unknown",
                                   "struct_size of reprise_job_status is none that was ever published; set it to sizeof");
        fill(status, engine->service.wait(job, wait_ms));
    });
}

int32_t reprise_job_result(reprise_engine* engine, uint64_t job, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [&](reprise::Service& service) { return service.result(job); });
}

int32_t reprise_job_cancel(reprise_engine* engine, uint64_t job, reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        engine->service.cancel(job);
    });
}

int32_t reprise_job_list(reprise_engine* engine, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [](reprise::Service& service) { return service.jobs(); });
}

int32_t reprise_run(reprise_engine* engine, const char* kind, size_t kind_size, const char* options, size_t options_size,
                    char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [&](reprise::Service& service) {
        need(kind, "kind");
        return service.run(text_in(kind, kind_size, "kind"), text_in(options, options_size, "options"));
    });
}
