/* What every consumer does with the library: asks its version, opens it wrongly and rightly, and fails to reach a server. */
#ifndef REPRISE_CONSUMER_CHECK_H
#define REPRISE_CONSUMER_CHECK_H

#include <stdio.h>
#include <string.h>

#include "reprise/reprise.h"

#define CONSUMER_NEED(what)                                                         \
    do {                                                                            \
        if (!(what)) {                                                              \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what);    \
            return 1;                                                               \
        }                                                                           \
    } while (0)

static int check_open_wrongly(void) {
    reprise_engine* engine = NULL;
    reprise_error error;
    memset(&error, 0, sizeof error);
    CONSUMER_NEED(reprise_open("{\"databse\": \"hr\"}", REPRISE_NUL, &engine, &error) == REPRISE_E_INVALID_CONFIG);
    CONSUMER_NEED(engine == NULL && error.code == REPRISE_E_INVALID_CONFIG && strlen(error.reason) > 0);
    CONSUMER_NEED(strstr(error.message, "databse") != NULL);
    return 0;
}

static int check_unreachable(void) {
    /* Port 1 of the loopback: nobody listens there, and the driver inside must say so, as an error of ours. */
    static const char config[] =
        "{\"mongo_url\": \"mongodb://127.0.0.1:1/\", \"database\": \"hr\", \"directory\": \"consumer_backups\","
        " \"connect_timeout_ms\": 500}";
    reprise_engine* engine = NULL;
    reprise_error error;
    char* json = NULL;
    size_t size = 0;
    memset(&error, 0, sizeof error);
    CONSUMER_NEED(reprise_open(config, REPRISE_NUL, &engine, &error) == REPRISE_OK);
    CONSUMER_NEED(reprise_config(engine, &json, &size, &error) == REPRISE_OK && strlen(json) == size);
    reprise_free(json);
    CONSUMER_NEED(reprise_run(engine, "backup", REPRISE_NUL, NULL, 0, &json, &size, &error) == REPRISE_E_UNAVAILABLE);
    CONSUMER_NEED(json == NULL && strcmp(error.reason, "server_unreachable") == 0);
    reprise_close(engine);
    return 0;
}

static int check_reprise(void) {
    CONSUMER_NEED(reprise_abi() / 1000 == REPRISE_ABI / 1000);
    CONSUMER_NEED(strcmp(reprise_version(), REPRISE_EXPECTED_VERSION) == 0);
    CONSUMER_NEED(strcmp(reprise_code_name(REPRISE_E_BUSY), "busy") == 0);
    return check_open_wrongly() != 0 || check_unreachable() != 0;
}

#endif
