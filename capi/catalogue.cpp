#include "guard.h"

using namespace reprise_capi;

int32_t reprise_list(reprise_engine* engine, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [](reprise::Service& service) { return service.list(); });
}

int32_t reprise_show(reprise_engine* engine, const char* file, size_t file_size, char** json, size_t* size,
                     reprise_error* error) {
    return json_out(engine, json, size, error,
                    [&](reprise::Service& service) { return service.show(text_in(file, file_size, "file")); });
}

int32_t reprise_mark(reprise_engine* engine, const char* file, size_t file_size, const char* options, size_t options_size,
                     char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [&](reprise::Service& service) {
        return service.mark(text_in(file, file_size, "file"), text_in(options, options_size, "options"));
    });
}

int32_t reprise_delete(reprise_engine* engine, const char* file, size_t file_size, const char* options, size_t options_size,
                       char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [&](reprise::Service& service) {
        return service.remove(text_in(file, file_size, "file"), text_in(options, options_size, "options"));
    });
}

int32_t reprise_metrics(reprise_engine* engine, char** text, size_t* size, reprise_error* error) {
    clear_out(text, size);
    return guarded(error, [&] {
        need(engine, "engine");
        need(text, "text");
        text_out(engine->service.metrics(), text, size);
    });
}

int32_t reprise_audit_read(reprise_engine* engine, const char* options, size_t options_size, char** json, size_t* size,
                           reprise_error* error) {
    return json_out(engine, json, size, error,
                    [&](reprise::Service& service) { return service.read_audit(text_in(options, options_size, "options")); });
}

int32_t reprise_audit_add(reprise_engine* engine, const char* line, size_t line_size, reprise_error* error) {
    return guarded(error, [&] {
        need(engine, "engine");
        engine->service.add_audit(text_in(line, line_size, "line"));
    });
}

int32_t reprise_status(reprise_engine* engine, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [](reprise::Service& service) { return service.status(); });
}
