/* S12: bad configuration is refused when it is opened, naming the key, its type and what is expected. S10: no secret is told.
 */
#define _DEFAULT_SOURCE 1
#include "support.h"

#define URL "\"mongo_url\":\"mongodb://u:S3cret-pw@127.0.0.1:9/\""
#define GOOD URL ",\"database\":\"hr\",\"directory\":\"/tmp/reprise_never_made\""

typedef struct bad {
    const char* config;
    const char* reason;
    const char* said; /* the message holds this */
} bad;

static const bad kBad[] = {
    {"", "key_missing", "mongo_url"},
    {"{", "json_invalid", "configuration"},
    {"[]", "key_type_wrong", "object"},
    {"null", "key_type_wrong", "object"},
    {"{" GOOD "} x", "json_invalid", "configuration"},
    {"{\"mongo_url\":\"mongodb://u:S3cret-pw@h/\"", "json_invalid", "configuration"},
    {"{" URL ",\"directory\":\"/x\"}", "key_missing", "database"},
    {"{" URL ",\"database\":\"hr\"}", "key_missing", "directory"},
    {"{\"database\":\"hr\",\"directory\":\"/x\"}", "key_missing", "mongo_url"},
    {"{" GOOD ",\"directroy\":\"/x\"}", "key_unknown", "did you mean \"directory\"?"},
    {"{" GOOD ",\"password\":\"S3cret-pw\"}", "key_unknown", "password"},
    {"{" GOOD ",\"database\":\"hr\"}", "duplicate_key", "configuration"},
    {"{" GOOD ",\"connect_timeout_ms\":\"10\"}", "key_type_wrong",
     "key connect_timeout_ms of the configuration is a string, expected a whole number"},
    {"{" GOOD ",\"connect_timeout_ms\":0}", "key_value_wrong", "connect_timeout_ms"},
    {"{" GOOD ",\"sentinel\":5}", "key_type_wrong", "key sentinel of the configuration is a number, expected a string"},
    {"{" GOOD ",\"sentinel\":\"a$b\"}", "key_value_wrong", "sentinel"},
    {"{" GOOD ",\"sentinel\":null}", "key_type_wrong", "sentinel"},
    {"{" GOOD ",\"include\":\"users\"}", "key_type_wrong", "expected an array of strings"},
    {"{" GOOD ",\"include\":[\"users\",5]}", "key_type_wrong", "include[1]"},
    {"{" GOOD ",\"exclude\":[\"\"]}", "key_value_wrong", "exclude[0]"},
    {"{" GOOD ",\"exclude\":[\"a$b\"]}", "key_value_wrong", "exclude[0]"},
    {"{" GOOD ",\"profile\":\"pretty\"}", "key_value_wrong", "\"readable\", \"portable\""},
    {"{" GOOD ",\"consistency\":\"none\"}", "key_value_wrong", "consistency"},
    {"{" GOOD ",\"log_level\":\"loud\"}", "key_value_wrong", "log_level"},
    {"{" URL ",\"database\":\"h/r\",\"directory\":\"/x\"}", "key_value_wrong", "database"},
    {"{" URL ",\"database\":\"\",\"directory\":\"/x\"}", "key_value_wrong", "database"},
    {"{" URL ",\"database\":\"hr\",\"directory\":\"\"}", "key_value_wrong", "directory"},
    {"{" URL ",\"database\":\"hr\",\"directory\":\"/x\\u0000y\"}", "key_value_wrong", "directory"},
    {"{\"mongo_url\":\"mongodb+http://u:S3cret-pw@h\",\"database\":\"hr\",\"directory\":\"/x\"}", "mongo_url_invalid",
     "mongo_url"},
    {"{\"mongo_url\":\"u:S3cret-pw@h\",\"database\":\"hr\",\"directory\":\"/x\"}", "mongo_url_invalid", "mongo_url"},
    {"{\"mongo_url\":\"\",\"database\":\"hr\",\"directory\":\"/x\"}", "key_value_wrong", "mongo_url"},
    {"{\"mongo_url\":{\"pw\":\"S3cret-pw\"},\"database\":\"hr\",\"directory\":\"/x\"}", "key_type_wrong", "mongo_url"},
};

static void bad_ones_are_refused(void) {
    size_t i;
    for (i = 0; i < sizeof kBad / sizeof *kBad; ++i) {
        reprise_engine* engine = NULL;
        reprise_error error;
        const int32_t code = reprise_open(kBad[i].config, REPRISE_NUL, &engine, &error);
        CHECK(code == REPRISE_E_INVALID_CONFIG);
        CHECK(engine == NULL);
        CHECK(strcmp(error.reason, kBad[i].reason) == 0);
        CHECK(strstr(error.message, kBad[i].said) != NULL);
        CHECK(strstr(error.message, "S3cret") == NULL);
        CHECK(error.message[0] != '\0' && error.message[strlen(error.message) - 1] != '.');
        if (check_failed > 0) {
            fprintf(stderr, "config %zu: %d %s: %s\n", i, (int)code, error.reason, error.message);
            return;
        }
    }
}

static void the_effective_one_hides_secrets(void) {
    reprise_engine* engine = NULL;
    char* json = NULL;
    char here[600], wanted[700];
    CHECK_OK(reprise_open("{" URL ",\"database\":\"hr\",\"directory\":\"sub/../backups/\",\"include\":[\"users\"]}",
                          REPRISE_NUL, &engine, &error));
    CHECK_OK(reprise_config(engine, &json, NULL, &error));
    CHECK(getcwd(here, sizeof here) != NULL);
    snprintf(wanted, sizeof wanted, "\"directory\":\"%s/backups\"", here);
    CHECK(has(json, wanted));
    CHECK(has(json, "\"mongo_url\":\"***\"") && !has(json, "S3cret") && !has(json, "127.0.0.1"));
    CHECK(has(json, "\"include\":[\"users\"]") && has(json, "\"sentinel\":null") && has(json, "\"connect_timeout_ms\":10000"));
    CHECK(has(json, "\"profile\":\"readable\"") && has(json, "\"consistency\":\"prefer_snapshot\"") &&
          has(json, "\"log_level\":\"info\""));
    reprise_free(json);
    reprise_close(engine);
}

static void a_message_is_cut_at_a_character(void) {
    char config[4096];
    reprise_engine* engine = NULL;
    reprise_error error;
    size_t at = 0, i;
    at += (size_t)snprintf(config, sizeof config,
                           "{\"mongo_url\":\"mongodb://h\",\"database\":\"hr\",\"directory\":\"/x\",\"include\":[");
    for (i = 0; i < 3; ++i) at += (size_t)snprintf(config + at, sizeof config - at, "\"a\",");
    snprintf(config + at, sizeof config - at, "\"b\"],\"%s\":1}",
             "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
             "\xc3\xa9");
    CHECK(reprise_open(config, REPRISE_NUL, &engine, &error) == REPRISE_E_INVALID_CONFIG);
    CHECK(memchr(error.message, '\0', sizeof error.message) != NULL);
    CHECK(strstr(error.message, "\xc3\xa9\xc3\xa9") != NULL);
}

int main(void) {
    bad_ones_are_refused();
    the_effective_one_hides_secrets();
    a_message_is_cut_at_a_character();
    return check_end("test_config");
}
