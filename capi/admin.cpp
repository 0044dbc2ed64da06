#include <algorithm>
#include <cstddef>

#include "guard.h"

using namespace reprise_capi;

static_assert(sizeof(reprise_header) == 4 * sizeof(size_t), "no padding in reprise_header");

// Bytes as they came: HTTP does not promise UTF-8, and what is wrong with a request is a response, not an error of the call.
static std::string field(const char* text, size_t size, const char* name) {
    if (text == nullptr && size == 0) return {};
    need(text, name);
    const size_t length = size == REPRISE_NUL ? ::strnlen(text, kMaxTextBytes) : std::min(size, kMaxTextBytes);
    return std::string(text, length);
}

static reprise::Request request_in(const reprise_request& in) {
    reprise::Request out;
    out.method = field(in.method, in.method_size, "method");
    out.path = field(in.path, in.path_size, "path");
    out.base_path = field(in.base_path, in.base_path_size, "base_path");
    out.query = field(in.query, in.query_size, "query");
    out.remote_address = field(in.remote_address, in.remote_address_size, "remote_address");
    out.request_id = field(in.request_id, in.request_id_size, "request_id");
    if (in.principal != nullptr && in.principal[0] != '\0' && in.principal_size > 0)
        out.principal = field(in.principal, in.principal_size, "principal");
    if (in.header_count > 0) need(in.headers, "headers");
    for (size_t i = 0; i < in.header_count && i < REPRISE_HEADERS_MAX; ++i)
        out.headers.emplace_back(field(in.headers[i].name, in.headers[i].name_size, "headers"),
                                 field(in.headers[i].value, in.headers[i].value_size, "headers"));
    if (in.body_size > 0) {
        need(in.body, "body");
        out.body.assign(in.body, std::min<size_t>(in.body_size, REPRISE_BODY_MAX + 1));
    }
    return out;
}

int32_t reprise_admin_handle(reprise_engine* engine, const reprise_request* request, reprise_response** response,
                             reprise_error* error) {
    if (response != nullptr) *response = nullptr;
    return guarded(error, [&] {
        need(engine, "engine");
        need(request, "request");
        need(response, "response");
        if (request->struct_size != sizeof *request)
            throw reprise::Failure(reprise::Code::invalid_argument, "struct_size_unknown",
                                   "struct_size of reprise_request is none that was ever published; set it to sizeof");
        *response = new reprise_response{engine->admin.handle(request_in(*request)), {}};
    });
}

int32_t reprise_response_wait(reprise_response* response, int64_t wait_ms, int32_t* status, const char** headers,
                              size_t* headers_size, reprise_error* error) {
    if (status != nullptr) *status = 0;
    if (headers != nullptr) *headers = nullptr;
    if (headers_size != nullptr) *headers_size = 0;
    return guarded(error, [&] {
        need(response, "response");
        need(status, "status");
        const reprise::Answer* answer = response->made->wait(wait_ms);
        if (answer == nullptr) return;
        if (response->headers.empty()) {
            reprise::Json list = reprise::Json::array();
            for (const auto& [name, value] : answer->headers)
                list.push(reprise::Json::array().push(name).push(reprise::is_utf8(value) ? value : reprise::printable(value)));
            response->headers = list.text();
        }
        *status = answer->status;
        if (headers != nullptr) *headers = response->headers.c_str();
        if (headers_size != nullptr) *headers_size = response->headers.size();
    });
}

int32_t reprise_response_read(reprise_response* response, char* buffer, size_t capacity, size_t* size, reprise_error* error) {
    if (size != nullptr) *size = 0;
    return guarded(error, [&] {
        need(response, "response");
        need(buffer, "buffer");
        need(size, "size");
        *size = response->made->read(buffer, capacity);
    });
}

void reprise_response_free(reprise_response* response) {
    if (response == nullptr || reprise::forked_while_busy()) return;
    guarded(nullptr, [&] { delete response; });
}
