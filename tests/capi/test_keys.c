/* Keys and pushed secrets: pairs that fit, errors that repeat nothing, and configuration that is refused by path. */
#define _DEFAULT_SOURCE 1
#include "support.h"

#define INVALID REPRISE_E_INVALID_ARGUMENT
#define CONFIG REPRISE_E_INVALID_CONFIG

static void pairs_fit(void) {
    char *secret = NULL, *shared = NULL, *again = NULL;
    size_t secret_size = 0, shared_size = 0, again_size = 0;
    CHECK_OK(reprise_key_new("age", 3, &secret, &secret_size, &shared, &shared_size, &error));
    CHECK(strstr(secret, "\nAGE-SECRET-KEY-1") != NULL && strlen(secret) == secret_size);
    CHECK(strncmp(shared, "age1", 4) == 0 && shared_size == 62);
    CHECK_OK(reprise_key_recipient(secret, secret_size, &again, &again_size, &error));
    CHECK(strcmp(again, shared) == 0);
    reprise_free(secret);
    reprise_free(shared);
    reprise_free(again);
    CHECK_OK(reprise_key_new("signing", REPRISE_NUL, &secret, NULL, &shared, NULL, &error));
    CHECK(strncmp(secret, "-----BEGIN PRIVATE KEY-----", 27) == 0 && strncmp(shared, "-----BEGIN PUBLIC KEY-----", 26) == 0);
    CHECK_OK(reprise_key_recipient(secret, REPRISE_NUL, &again, NULL, &error));
    CHECK(strcmp(again, shared) == 0);
    reprise_free(secret);
    reprise_free(shared);
    reprise_free(again);
}

static void wrong_keys_are_not_repeated(void) {
    char *secret = (char*)&check_count, *shared = (char*)&check_count;
    reprise_error problem;
    CHECK_FAILS(reprise_key_new("rsa", 3, &secret, NULL, &shared, NULL, &error), INVALID, "key_kind_unknown");
    CHECK(secret == NULL && shared == NULL);
    CHECK_FAILS(reprise_key_new(NULL, 0, &secret, NULL, &shared, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_key_new("age", 3, NULL, NULL, &shared, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_key_new("age", 3, &secret, NULL, NULL, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_key_recipient("AGE-SECRET-KEY-1WRONG", REPRISE_NUL, &shared, NULL, &error), CONFIG, "identity_invalid");
    CHECK(reprise_key_recipient("AGE-SECRET-KEY-1WRONG", REPRISE_NUL, &shared, NULL, &problem) == CONFIG);
    CHECK(strstr(problem.message, "WRONG") == NULL);
    CHECK_FAILS(reprise_key_recipient("-----BEGIN nothing", REPRISE_NUL, &shared, NULL, &error), CONFIG, "signing_key_invalid");
    CHECK_FAILS(reprise_key_recipient(NULL, 0, &shared, NULL, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_key_recipient("x", 1, NULL, NULL, &error), INVALID, "argument_null");
}

static void secrets_have_names(const char* folder) {
    static char large[70000];
    reprise_engine* engine = open_engine(NOWHERE, "hr", folder, "");
    CHECK_OK(reprise_secret_set(engine, "passphrase", REPRISE_NUL, "one\0line", 8, &error));
    CHECK_OK(reprise_secret_set(engine, "passphrase", 10, "words", REPRISE_NUL, &error));
    CHECK_OK(reprise_secret_set(engine, "passphrase", 10, NULL, 0, &error));
    CHECK_FAILS(reprise_secret_set(engine, "password", REPRISE_NUL, "x", 1, &error), INVALID, "secret_unknown");
    CHECK_FAILS(reprise_secret_set(engine, "identity", 8, large, sizeof large, &error), INVALID, "argument_too_long");
    CHECK_FAILS(reprise_secret_set(engine, "identity", 8, NULL, 5, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_secret_set(engine, NULL, 0, "x", 1, &error), INVALID, "argument_null");
    CHECK_FAILS(reprise_secret_set(NULL, "identity", 8, "x", 1, &error), INVALID, "argument_null");
    reprise_close(engine);
}

static void refused(const char* folder, const char* more, const char* reason, const char* path) {
    reprise_engine* engine = NULL;
    reprise_error problem;
    char config[1024];
    snprintf(config, sizeof config, "{\"mongo_url\":\"" NOWHERE "\",\"database\":\"hr\",\"directory\":\"%s\",%s}", folder,
             more);
    CHECK_FAILS(reprise_open(config, REPRISE_NUL, &engine, &error), CONFIG, reason);
    CHECK(reprise_open(config, REPRISE_NUL, &engine, &problem) == CONFIG);
    CHECK(strstr(problem.message, path) != NULL);
    CHECK(strstr(problem.message, "Zecret") == NULL);
}

static void configuration_is_checked_when_it_is_opened(const char* folder) {
    char* json = NULL;
    reprise_engine* engine;
    refused(folder, "\"encryption\":{\"recipients\":[\"ageZecret\"]}", "recipient_invalid", "encryption.recipients[0]");
    refused(folder, "\"encryption\":{\"recipient\":\"age1\"}", "key_unknown", "encryption.recipient");
    refused(folder, "\"encryption\":{\"scrypt_max_log_n\":23}", "key_value_wrong", "encryption.scrypt_max_log_n");
    refused(folder, "\"encryption\":{\"identity_file\":5}", "key_type_wrong", "encryption.identity_file");
    refused(folder, "\"encryption\":\"Zecret\"", "key_type_wrong", "encryption");
    refused(folder, "\"signature\":{\"trust_key_files\":[\"\"]}", "key_value_wrong", "signature.trust_key_files[0]");
    engine = open_engine(NOWHERE, "hr", folder,
                         ",\"encryption\":{\"recipients\":[\"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\"],"
                         "\"identity_file\":\"/nowhere/key\"},\"signature\":{\"sign_key_file\":\"/nowhere/sign\"}");
    CHECK_OK(reprise_config(engine, &json, NULL, &error));
    CHECK(has(json, "\"recipients\":[\"***\"]") && has(json, "/nowhere/key") && has(json, "\"scrypt_max_log_n\":18"));
    reprise_free(json);
    reprise_close(engine);
}

int main(void) {
    char folder[512];
    if (make_folder(folder, sizeof folder) == NULL) return 2;
    pairs_fit();
    wrong_keys_are_not_repeated();
    secrets_have_names(folder);
    configuration_is_checked_when_it_is_opened(folder);
    remove_tree(folder);
    return check_end("test_keys");
}
