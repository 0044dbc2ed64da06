/* Every function with NULL and wrong arguments: an error with code, reason and message, outs cleared, nothing broken. */
#define _DEFAULT_SOURCE 1
#include "support.h"

#define INVALID REPRISE_E_INVALID_ARGUMENT

static void* const kDirty = (void*)&check_count; /* an out that must be cleared */
static char read_buffer[16];

static void structs_are_as_published(void) {
    CHECK(sizeof(reprise_error) == 512);
    CHECK(offsetof(reprise_error, reason) == 16);
    CHECK(offsetof(reprise_error, message) == 64);
    CHECK(sizeof(reprise_job_status) == sizeof(size_t) + 8 + 8 + 32 + 32 + 256);
    CHECK(offsetof(reprise_job_status, phase) == sizeof(size_t) + 48);
}

static void version_and_memory(void) {
    static const struct {
        int32_t code;
        const char* name;
    } names[] = {{0, "ok"},        {-1, "invalid_argument"}, {-2, "invalid_config"}, {-3, "not_found"},
                 {-4, "busy"},     {-5, "cancelled"},        {-6, "timed_out"},      {-7, "unavailable"},
                 {-8, "denied"},   {-9, "corrupt"},          {-10, "refused"},       {-11, "io"},
                 {-12, "server"},  {-13, "unsupported"},     {-14, "internal"},      {-15, "out_of_memory"},
                 {-16, "unknown"}, {1, "unknown"},           {INT32_MIN, "unknown"}, {INT32_MAX, "unknown"}};
    size_t i, size = 7;
    char* json = kDirty;
    for (i = 0; i < sizeof names / sizeof *names; ++i) CHECK(strcmp(reprise_code_name(names[i].code), names[i].name) == 0);
    CHECK(reprise_abi() == REPRISE_ABI);
    CHECK(strlen(reprise_version()) >= 5);
    reprise_free(NULL);
    CHECK_FAILS(reprise_build(NULL, &size, &error), INVALID, "argument_null");
    CHECK(size == 0);
    CHECK(reprise_build(NULL, NULL, NULL) == INVALID);
    CHECK_OK(reprise_build(&json, &size, &error));
    CHECK(json != NULL && strlen(json) == size &&
          has(json,
              "\"kinds\":[\"backup\",\"before\",\"startup\",\"restore\",\"verify\",\"rehash\",\"rekey\",\"forget\","
              "\"preview\"]"));
    CHECK(has(json, "\"mongo_url\":\"string\"") && has(json, "\"mode\":{\"one_of\":[\"replace\",\"merge\"]}"));
    reprise_free(json);
}

static void open_and_close(const char* folder) {
    reprise_engine* engine = kDirty;
    char config[2048];
    reprise_close(NULL);
    reprise_stream_close(NULL);
    CHECK_FAILS(reprise_open(NULL, 0, &engine, &error), INVALID, "argument_null");
    CHECK(engine == NULL);
    CHECK_FAILS(reprise_open(NULL, 5, &engine, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_open("{}", REPRISE_NUL, NULL, &error), INVALID, "argument_null");
    CHECK(reprise_open(NULL, REPRISE_NUL, NULL, NULL) == INVALID);
    CHECK_FAILS(reprise_open("{\"database\":\"\xff\"}", REPRISE_NUL, &engine, &error), INVALID, "argument_not_utf8");
    CHECK_FAILS(reprise_open("{}\0", 3, &engine, &error), INVALID, "argument_not_utf8");
    CHECK_FAILS(reprise_open("{}", 0, &engine, &error), REPRISE_E_INVALID_CONFIG, "key_missing");
    snprintf(config, sizeof config, "{\"mongo_url\":\"" NOWHERE "\",\"database\":\"d\",\"directory\":\"%s\"} trailing", folder);
    CHECK_OK(reprise_open(config, strlen(config) - strlen(" trailing"), &engine, &error));
    CHECK(engine != NULL);
    reprise_close(engine);
    CHECK_FAILS(reprise_open(config, REPRISE_NUL, &engine, &error), REPRISE_E_INVALID_CONFIG, "json_invalid");
    CHECK(engine == NULL);
}

static void outs_without_engine(void) {
    char* json = kDirty;
    size_t size = 3;
    uint64_t job = 3;
    int fd = 3;
    reprise_stream* stream = kDirty;
    reprise_job_status status;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    CHECK_FAILS(reprise_config(NULL, &json, &size, &error), INVALID, "argument_null");
    CHECK(json == NULL && size == 0);
    json = kDirty, size = 3;
    CHECK_FAILS(reprise_service_start(NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_service_stop(NULL, 0, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_run(NULL, "verify", REPRISE_NUL, NULL, 0, &json, &size, &error), INVALID, "argument_null");
    CHECK(json == NULL && size == 0);
    CHECK_FAILS(reprise_job_start(NULL, "verify", REPRISE_NUL, NULL, 0, &job, &error), INVALID, "argument_null");
    CHECK(job == 0);
    CHECK_FAILS(reprise_job_wait(NULL, 1, 0, &status, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_result(NULL, 1, &json, &size, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_cancel(NULL, 1, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_list(NULL, &json, &size, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_list(NULL, &json, &size, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_show(NULL, "latest", REPRISE_NUL, &json, &size, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_status(NULL, &json, &size, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_stream_open(NULL, "cat", REPRISE_NUL, NULL, 0, &stream, &error), INVALID, "argument_null");
    CHECK(stream == NULL);
    size = 3;
    CHECK_FAILS(reprise_stream_read(NULL, read_buffer, sizeof read_buffer, &size, &error), INVALID, "argument_null");
    CHECK(size == 0);
    json = kDirty, size = 3;
    CHECK_FAILS(reprise_events_next(NULL, 0, &json, &size, &error), INVALID, "argument_null");
    CHECK(json == NULL && size == 0);
    CHECK_FAILS(reprise_events_fd(NULL, &fd, &error), INVALID, "argument_null");
    CHECK(fd == -1);
    CHECK_FAILS(reprise_log_hook_set(NULL, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_OK(reprise_shutdown(NULL, 0, &error));
    CHECK_OK(reprise_shutdown(NULL, -1, &error));
}

static void outs_that_are_null(reprise_engine* engine) {
    CHECK_FAILS(reprise_config(engine, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_run(engine, "verify", REPRISE_NUL, NULL, 0, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_start(engine, "verify", REPRISE_NUL, NULL, 0, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_wait(engine, 1, 0, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_result(engine, 1, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_list(engine, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_list(engine, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_show(engine, NULL, 0, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_status(engine, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_stream_open(engine, "cat", REPRISE_NUL, NULL, 0, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_events_next(engine, 0, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_events_fd(engine, NULL, &error), INVALID, "argument_null");
}

static void jobs_with_wrong_arguments(reprise_engine* engine) {
    uint64_t job = 9;
    char* json = kDirty;
    reprise_job_status status;
    CHECK_FAILS(reprise_job_start(engine, NULL, 0, NULL, 0, &job, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_start(engine, "destroy", REPRISE_NUL, NULL, 0, &job, &error), INVALID, "job_kind_unknown");
    CHECK(job == 0);
    CHECK_FAILS(reprise_job_start(engine, "verify", 3, NULL, 0, &job, &error), INVALID, "job_kind_unknown");
    CHECK_FAILS(reprise_job_start(engine, "\xc3", 1, NULL, 0, &job, &error), INVALID, "argument_not_utf8");
    CHECK_FAILS(reprise_job_start(engine, "verify", REPRISE_NUL, NULL, 4, &job, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_job_start(engine, "verify", REPRISE_NUL, "{", REPRISE_NUL, &job, &error), INVALID, "json_invalid");
    CHECK_FAILS(reprise_job_start(engine, "verify", REPRISE_NUL, "[]", REPRISE_NUL, &job, &error), INVALID, "key_type_wrong");
    CHECK_FAILS(run(engine, "verify", "{\"fil\":\"x\"}", &json, &error), INVALID, "key_unknown");
    CHECK(json == NULL);
    CHECK_FAILS(run(engine, "verify", "{\"file\":5}", &json, &error), INVALID, "key_type_wrong");
    CHECK_FAILS(run(engine, "verify", "{\"file\":\"x\",\"file\":\"y\"}", &json, &error), INVALID, "duplicate_key");
    CHECK_FAILS(run(engine, "rehash", "{}", &json, &error), INVALID, "key_missing");
    CHECK_FAILS(run(engine, "restore", "{\"mode\":\"sideways\"}", &json, &error), INVALID, "key_value_wrong");
    CHECK_FAILS(run(engine, "restore", "{\"include\":[\"a\",7]}", &json, &error), INVALID, "key_type_wrong");
    CHECK_FAILS(run(engine, "restore", "{\"to_database\":\"a.b\"}", &json, &error), INVALID, "key_value_wrong");
    CHECK_FAILS(run(engine, "restore", "{\"to_mongo_url\":\"http://x\"}", &json, &error), INVALID, "mongo_url_invalid");
    CHECK_FAILS(run(engine, "backup", "{\"wait_ms\":-2}", &json, &error), INVALID, "key_value_wrong");
    CHECK_FAILS(run(engine, "backup", "{\"wait_ms\":1.5}", &json, &error), INVALID, "key_type_wrong");
    memset(&status, 0, sizeof status);
    CHECK_FAILS(reprise_job_wait(engine, 1, 0, &status, &error), INVALID, "struct_size_unknown");
    status.struct_size = sizeof status - 1;
    CHECK_FAILS(reprise_job_wait(engine, 1, 0, &status, &error), INVALID, "struct_size_unknown");
    status.struct_size = sizeof status;
    CHECK_FAILS(reprise_job_wait(engine, 0, 0, &status, &error), REPRISE_E_NOT_FOUND, "job_unknown");
    CHECK_FAILS(reprise_job_wait(engine, UINT64_MAX, 5, &status, &error), REPRISE_E_NOT_FOUND, "job_unknown");
    CHECK_FAILS(reprise_job_result(engine, 12345, &json, NULL, &error), REPRISE_E_NOT_FOUND, "job_unknown");
    CHECK_FAILS(reprise_job_cancel(engine, 12345, &error), REPRISE_E_NOT_FOUND, "job_unknown");
}

/* S11: a name from outside stays inside the folder. */
static void names_that_lead_out(reprise_engine* engine) {
    static const char* const names[] = {"../x",         "/etc/passwd", "a/../b", "./x",      ".reprise",
                                        ".hidden",      "..",          ".",      "a/b.json", "backup_20250101_000000.json/",
                                        "%2e%2e/x.json"};
    reprise_stream* stream = kDirty;
    char* json = NULL;
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; ++i) {
        reprise_error error;
        const int32_t code = reprise_show(engine, names[i], REPRISE_NUL, &json, NULL, &error);
        CHECK(code == INVALID || code == REPRISE_E_NOT_FOUND);
        CHECK(json == NULL);
        CHECK(reprise_stream_open(engine, "cat", REPRISE_NUL, names[i], REPRISE_NUL, &stream, &error) == code);
        CHECK(stream == NULL);
    }
    CHECK_FAILS(reprise_show(engine, "a\0b", 3, &json, NULL, &error), INVALID, "argument_not_utf8");
    CHECK_FAILS(reprise_stream_open(engine, "dog", REPRISE_NUL, NULL, 0, &stream, &error), INVALID, "stream_unknown");
}

/* Reading, waiting for nothing and asking about a folder that is not there makes nothing. */
static void reading_makes_no_folder(const char* folder) {
    char missing[600];
    char* json = NULL;
    struct stat about;
    reprise_engine* engine;
    snprintf(missing, sizeof missing, "%s/not/there", folder);
    engine = open_engine(NOWHERE, "d", missing, "");
    CHECK_OK(reprise_list(engine, &json, NULL, &error));
    CHECK(json != NULL && strcmp(json, "{\"backups\":[],\"total\":0}") == 0);
    reprise_free(json);
    CHECK_OK(reprise_status(engine, &json, NULL, &error));
    CHECK(has(json, "\"free_bytes\":null") && has(json, "\"backups\":0"));
    reprise_free(json);
    CHECK_OK(reprise_job_list(engine, &json, NULL, &error));
    CHECK(json != NULL && strcmp(json, "{\"jobs\":[]}") == 0);
    reprise_free(json);
    CHECK_FAILS(reprise_show(engine, "latest", REPRISE_NUL, &json, NULL, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK_FAILS(run(engine, "restore", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK_FAILS(run(engine, "startup", "{}", &json, &error), REPRISE_E_UNAVAILABLE, "server_unreachable");
    reprise_close(engine);
    CHECK(stat(missing, &about) != 0);
}

int main(void) {
    char folder[512];
    reprise_engine* engine;
    make_folder(folder, sizeof folder);
    structs_are_as_published();
    version_and_memory();
    open_and_close(folder);
    outs_without_engine();
    engine = open_engine(NOWHERE, "d", folder, "");
    outs_that_are_null(engine);
    jobs_with_wrong_arguments(engine);
    names_that_lead_out(engine);
    reprise_close(engine);
    reading_makes_no_folder(folder);
    remove_tree(folder);
    return check_end("test_arguments");
}
