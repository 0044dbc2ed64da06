/* Introduces: a job that runs beside us, its progress, how to stop it with Ctrl-C.
 *
 *   MONGO_URL=mongodb://127.0.0.1:27017 02_restore DATABASE FOLDER [FILE]
 */
#include <inttypes.h>
#include <reprise/reprise.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t interrupted = 0;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

/* Waits in short slices. A job that is asked to stop does within 2 s, unless it is past its point of no return; then it
 * finishes, and its result says what it did. Either way we wait for its end. */
static int wait_for(reprise_engine* engine, uint64_t job, reprise_error* error) {
    reprise_job_status status;
    int asked = 0;
    for (;;) {
        memset(&status, 0, sizeof status);
        status.struct_size = sizeof status;
        if (reprise_job_wait(engine, job, 200, &status, error) != REPRISE_OK) return error->code;
        if (status.state != REPRISE_JOB_RUNNING) return REPRISE_OK;
        fprintf(stderr, "%s %s: %" PRId64 " documents\n", status.phase, status.collection, status.documents);
        if (interrupted && !asked) {
            asked = 1;
            (void)reprise_job_cancel(engine, job, NULL);
        }
    }
}

int main(int count, char** arguments) {
    const char* url = getenv("MONGO_URL");
    char config[4096];
    char options[1024];
    reprise_engine* engine = NULL;
    reprise_error error;
    uint64_t job = 0;
    char* result = NULL;
    int32_t code;

    if (count < 3 || count > 4) {
        fprintf(stderr, "usage: %s DATABASE FOLDER [FILE]\n", arguments[0]);
        return 2;
    }
    snprintf(config, sizeof config, "{\"mongo_url\":\"%s\",\"database\":\"%s\",\"directory\":\"%s\"}",
             url != NULL ? url : "mongodb://127.0.0.1:27017", arguments[1], arguments[2]);
    snprintf(options, sizeof options, "{\"file\":\"%s\"}", count == 4 ? arguments[3] : "latest");
    signal(SIGINT, on_interrupt);

    /* The whole file is checked before anything is written, what is in the database is saved first, and the change is all
     * or nothing: nothing more is asked of us than to look at the code. */
    code = reprise_open(config, REPRISE_NUL, &engine, &error);
    if (code == REPRISE_OK) code = reprise_job_start(engine, "restore", REPRISE_NUL, options, REPRISE_NUL, &job, &error);
    if (code == REPRISE_OK) code = wait_for(engine, job, &error);
    if (code == REPRISE_OK) code = reprise_job_result(engine, job, &result, NULL, &error);
    if (code == REPRISE_OK) {
        puts(result); /* "safety_file" and "undo" say how to go back */
    } else {
        fprintf(stderr, "%s: %s [%s]\n", reprise_code_name(error.code), error.message, error.reason);
    }
    reprise_free(result);
    reprise_close(engine);
    return code == REPRISE_OK ? 0 : 1;
}
