/* Introduces: what a backend does before it serves: bring the data back when the database is empty.
 *
 *   MONGO_URL=mongodb://127.0.0.1:27017 03_startup DATABASE FOLDER
 */
#include <reprise/reprise.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called on threads of the library, several at once; it must return soon and call nothing of reprise. */
static void log_line(void* user, int32_t level, const char* message, size_t size) {
    (void)user;
    if (level >= REPRISE_LOG_INFO) fprintf(stderr, "reprise: %.*s\n", (int)size, message);
}

int main(int count, char** arguments) {
    const char* url = getenv("MONGO_URL");
    char config[4096];
    reprise_engine* engine = NULL;
    reprise_error error;
    char* result = NULL;
    int may_serve;

    if (count != 3) {
        fprintf(stderr, "usage: %s DATABASE FOLDER\n", arguments[0]);
        return 2;
    }
    /* "sentinel" names the collection whose emptiness means that the data is lost; unset, it is users where the newest good
     * backup holds some, and else the whole database. */
    snprintf(config, sizeof config, "{\"mongo_url\":\"%s\",\"database\":\"%s\",\"directory\":\"%s\"}",
             url != NULL ? url : "mongodb://127.0.0.1:27017", arguments[1], arguments[2]);
    if (reprise_open(config, REPRISE_NUL, &engine, &error) != REPRISE_OK ||
        reprise_log_hook_set(engine, log_line, NULL, &error) != REPRISE_OK ||
        reprise_run(engine, "startup", REPRISE_NUL, NULL, 0, &result, NULL, &error) != REPRISE_OK) {
        fprintf(stderr, "%s: %s [%s]\n", reprise_code_name(error.code), error.message, error.reason);
        reprise_close(engine);
        return 1;
    }
    puts(result);
    /* False with in_progress and refused: do not serve, unless the configuration says on_failure: start_anyway. */
    may_serve = strstr(result, "\"may_go_on\":true") != NULL;
    reprise_free(result);
    reprise_close(engine);
    /* Here the backend would make its indexes, run its migrations, and serve. */
    return may_serve ? 0 : 1;
}
