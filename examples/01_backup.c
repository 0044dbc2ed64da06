/* Introduces: opening, one job from start to end, its result.
 *
 *   MONGO_URL=mongodb://127.0.0.1:27017 01_backup DATABASE FOLDER
 */
#include <reprise/reprise.h>
#include <stdio.h>
#include <stdlib.h>

/* Configuration is JSON; a name with a quote or backslash in it would need escaping, so we refuse one here. */
static int configure(char* config, size_t capacity, const char* database, const char* folder) {
    const char* url = getenv("MONGO_URL");
    int size = snprintf(config, capacity, "{\"mongo_url\":\"%s\",\"database\":\"%s\",\"directory\":\"%s\"}",
                        url != NULL ? url : "mongodb://127.0.0.1:27017", database, folder);
    return size > 0 && (size_t)size < capacity ? 0 : -1;
}

int main(int count, char** arguments) {
    char config[4096];
    reprise_engine* engine = NULL;
    reprise_error error;
    char* result = NULL;

    if (count != 3 || configure(config, sizeof config, arguments[1], arguments[2]) != 0) {
        fprintf(stderr, "usage: %s DATABASE FOLDER\n", arguments[0]);
        return 2;
    }
    /* Opening checks the configuration and starts nothing: no thread, no connection, no file. */
    if (reprise_open(config, REPRISE_NUL, &engine, &error) != REPRISE_OK) {
        fprintf(stderr, "%s [%s]\n", error.message, error.reason);
        return 2;
    }
    /* The file is written, read back and checked before this returns; only then is it the latest one. */
    if (reprise_run(engine, "backup", REPRISE_NUL, "{\"label\":\"example\"}", REPRISE_NUL, &result, NULL, &error) !=
        REPRISE_OK) {
        fprintf(stderr, "%s: %s [%s]\n", reprise_code_name(error.code), error.message, error.reason);
        reprise_close(engine);
        return 1;
    }
    puts(result); /* JSON: file, documents, collections, consistency … (capi/ABI.md) */
    reprise_free(result);
    reprise_close(engine);
    return 0;
}
