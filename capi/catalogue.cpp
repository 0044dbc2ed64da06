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

int32_t reprise_status(reprise_engine* engine, char** json, size_t* size, reprise_error* error) {
    return json_out(engine, json, size, error, [](reprise::Service& service) { return service.status(); });
}
