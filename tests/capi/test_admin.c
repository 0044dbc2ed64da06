/* The admin interface in C: a request in, a response out; what is wrong with a call is an error, with a request a response. */
#define _DEFAULT_SOURCE 1
#include "support.h"

#define INVALID REPRISE_E_INVALID_ARGUMENT
#define TOKEN "0123456789abcdef"

static reprise_request request_for(const char* method, const char* path) {
    reprise_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = method;
    request.method_size = REPRISE_NUL;
    request.path = path;
    request.path_size = strlen(path);
    request.base_path = "/api/backup";
    request.base_path_size = REPRISE_NUL;
    return request;
}

/* The status; the body's first bytes are in `body`. */
static int32_t answered(reprise_engine* engine, const reprise_request* request, char* body, size_t capacity) {
    reprise_response* response = NULL;
    int32_t status = 0;
    const char* headers = NULL;
    size_t headers_size = 0, got = 1, size = 0;
    char piece[512];
    CHECK_OK(reprise_admin_handle(engine, request, &response, &error));
    CHECK_OK(reprise_response_wait(response, 20000, &status, &headers, &headers_size, &error));
    CHECK(headers != NULL && strlen(headers) == headers_size && headers[0] == '[');
    while (got > 0) {
        CHECK_OK(reprise_response_read(response, piece, sizeof piece, &got, &error));
        for (size_t i = 0; i < got && size + 1 < capacity; ++i) body[size++] = piece[i];
    }
    body[size] = '\0';
    reprise_response_free(response);
    return status;
}

static void requests_are_answered(reprise_engine* engine) {
    static char body[4096];
    reprise_header bearer = {"authorization", REPRISE_NUL, "Bearer " TOKEN, REPRISE_NUL};
    reprise_request request = request_for("GET", "/openapi.json");
    CHECK(answered(engine, &request, body, sizeof body) == 200);
    CHECK(strstr(body, "\"openapi\"") != NULL);
    request = request_for("GET", "/list");
    CHECK(answered(engine, &request, body, sizeof body) == 401);
    request.principal = "the host knows her";
    request.principal_size = REPRISE_NUL;
    CHECK(answered(engine, &request, body, sizeof body) == 200);
    request = request_for("GET", "/metrics");
    request.headers = &bearer;
    request.header_count = 1;
    CHECK(answered(engine, &request, body, sizeof body) == 200);
    CHECK(strstr(body, "reprise_healthy 0\n") != NULL);
    request = request_for("GET", "/create");
    CHECK(answered(engine, &request, body, sizeof body) == 405);
}

/* A server that nobody reaches takes its time: its head comes later, and its body not before that. */
static void a_response_may_not_be_ready(reprise_engine* engine) {
    reprise_response* response = NULL;
    reprise_request request = request_for("POST", "/create");
    char piece[64];
    size_t got = 0;
    int32_t status = 0;
    request.principal = "x";
    request.principal_size = 1;
    CHECK_OK(reprise_admin_handle(engine, &request, &response, &error));
    CHECK_FAILS(reprise_response_read(response, piece, sizeof piece, &got, &error), REPRISE_E_BUSY, "response_not_ready");
    while (status == 0) CHECK_OK(reprise_response_wait(response, 50, &status, NULL, NULL, &error));
    CHECK(status == 503); /* nobody listens there */
    CHECK_OK(reprise_response_read(response, piece, sizeof piece, &got, &error));
    CHECK(got > 0);
    reprise_response_free(response);
}

static void wrong_calls_are_errors(reprise_engine* engine) {
    reprise_response* response = (reprise_response*)&check_count;
    reprise_request request = request_for("GET", "/list");
    int32_t status = 7;
    size_t size = 7;
    char piece[8];
    CHECK_FAILS(reprise_admin_handle(NULL, &request, &response, &error), INVALID, "argument_null");
    CHECK(response == NULL);
    CHECK_FAILS(reprise_admin_handle(engine, NULL, &response, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_admin_handle(engine, &request, NULL, &error), INVALID, "argument_null");
    request.struct_size = 3;
    CHECK_FAILS(reprise_admin_handle(engine, &request, &response, &error), INVALID, "struct_size_unknown");
    request = request_for("GET", "/list");
    request.header_count = 2;
    CHECK_FAILS(reprise_admin_handle(engine, &request, &response, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_response_wait(NULL, 0, &status, NULL, NULL, &error), INVALID, "argument_null");
    CHECK(status == 0);
    CHECK_FAILS(reprise_response_read(NULL, piece, sizeof piece, &size, &error), INVALID, "argument_null");
    CHECK(size == 0);
    reprise_response_free(NULL);
}

static void the_log_is_read_and_written(reprise_engine* engine) {
    char* json = NULL;
    CHECK_OK(reprise_audit_add(engine, "{\"what\":\"import\",\"actor\":{\"who\":\"sophie\"}}", REPRISE_NUL, &error));
    CHECK_OK(reprise_audit_read(engine, "{\"limit\":1}", REPRISE_NUL, &json, NULL, &error));
    CHECK(strstr(json, "\"what\":\"import\"") != NULL && strstr(json, "\"who\":\"sophie\"") != NULL);
    CHECK(strstr(json, "\"whole\":true") != NULL);
    reprise_free(json);
    CHECK_FAILS(reprise_audit_add(engine, "{\"result\":\"done\"}", REPRISE_NUL, &error), INVALID, "key_missing");
    CHECK_FAILS(reprise_audit_add(engine, "{\"what\":\"x\",\"who\":\"y\"}", REPRISE_NUL, &error), INVALID, "key_unknown");
    CHECK_FAILS(reprise_audit_read(engine, "{\"limit\":-1}", REPRISE_NUL, &json, NULL, &error), INVALID, "key_value_wrong");
    CHECK_OK(reprise_metrics(engine, &json, NULL, &error));
    CHECK(strstr(json, "# TYPE reprise_healthy gauge") != NULL);
    reprise_free(json);
    CHECK_FAILS(reprise_delete(engine, "backup_20250101_000000.json", REPRISE_NUL, NULL, 0, &json, NULL, &error),
                REPRISE_E_NOT_FOUND, "file_missing");
    CHECK_FAILS(reprise_delete(engine, "../x", REPRISE_NUL, NULL, 0, &json, NULL, &error), INVALID, "name_invalid");
    CHECK_FAILS(reprise_delete(engine, NULL, 0, NULL, 0, &json, NULL, &error), INVALID, "argument_null");
}

int main(void) {
    char folder[512];
    reprise_engine* engine;
    if (make_folder(folder, sizeof folder) == NULL) return 2;
    engine = open_engine(NOWHERE, "hr", folder, ",\"admin\":{\"monitor_token\":\"" TOKEN "\"}");
    requests_are_answered(engine);
    a_response_may_not_be_ready(engine);
    wrong_calls_are_errors(engine);
    the_log_is_read_and_written(engine);
    reprise_close(engine);
    remove_tree(folder);
    return check_end("test_admin");
}
