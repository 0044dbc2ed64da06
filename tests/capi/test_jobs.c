/* Jobs without a server that answers: ids, waiting, cancelling, other engines and processes, shutdown, events. */
#define _DEFAULT_SOURCE 1
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "support.h"

static char g_folder[512], g_url[128];

static int listen_silently(void) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 16) != 0) exit(2);
    getsockname(fd, (struct sockaddr*)&address, &size);
    snprintf(g_url, sizeof g_url, "mongodb://127.0.0.1:%d/", (int)ntohs(address.sin_port));
    return fd;
}

static reprise_job_status wait_for(reprise_engine* engine, uint64_t job, int64_t wait_ms) {
    reprise_job_status status;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    CHECK_OK(reprise_job_wait(engine, job, wait_ms, &status, &error));
    return status;
}

static void ids_differ_and_are_small(void) {
    reprise_engine* engine = open_engine(NOWHERE, "d", g_folder, "");
    uint64_t last = 0, job = 0;
    int i;
    for (i = 0; i < 80; ++i) {
        CHECK_OK(reprise_job_start(engine, "verify", REPRISE_NUL, NULL, 0, &job, &error));
        CHECK(job != last && job > 0 && job < ((uint64_t)1 << 53));
        CHECK(wait_for(engine, job, 10000).state == REPRISE_JOB_FAILED);
        last = job;
    }
    reprise_close(engine);
}

static int job_files(void) {
    char path[600];
    int count = 0;
    DIR* folder;
    struct dirent* entry;
    snprintf(path, sizeof path, "%s/.reprise/jobs", g_folder);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) count += strstr(entry->d_name, ".json") != NULL;
    if (folder != NULL) closedir(folder);
    return count;
}

/* A running job seen, waited for and cancelled from another engine and from another process. */
static void others_see_and_cancel(void) {
    const int listener = listen_silently();
    reprise_engine* worker = open_engine(g_url, "d", g_folder, ",\"connect_timeout_ms\":60000");
    reprise_engine* other = open_engine(NOWHERE, "d", g_folder, "");
    char* json = NULL;
    char id[64];
    uint64_t job = 0;
    reprise_job_status status;
    CHECK_OK(reprise_job_start(worker, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    snprintf(id, sizeof id, "\"id\":%llu", (unsigned long long)job);
    status = wait_for(other, job, 0);
    CHECK(status.state == REPRISE_JOB_RUNNING && status.job == job && status.code == 0);
    CHECK_OK(reprise_job_list(other, &json, NULL, &error));
    CHECK(has(json, id) && has(json, "\"state\":\"running\""));
    reprise_free(json);
    CHECK_OK(reprise_status(other, &json, NULL, &error));
    CHECK(has(json, "\"running\":{") && has(json, id));
    reprise_free(json);
    CHECK_FAILS(reprise_job_result(other, job, &json, NULL, &error), REPRISE_E_BUSY, "job_running");
    CHECK_FAILS(reprise_job_result(worker, job, &json, NULL, &error), REPRISE_E_BUSY, "job_running");
    CHECK_OK(reprise_job_cancel(other, job, &error));
    status = wait_for(other, job, 10000);
    CHECK(status.state == REPRISE_JOB_CANCELLED && status.code == REPRISE_E_CANCELLED);
    CHECK_FAILS(reprise_job_result(other, job, &json, NULL, &error), REPRISE_E_CANCELLED, "cancelled");
    CHECK(wait_for(worker, job, 10000).state == REPRISE_JOB_CANCELLED);
    CHECK_OK(reprise_job_cancel(other, job, &error)); /* an ended one: nothing happens */
    reprise_close(other);
    reprise_close(worker);
    close(listener);
}

static void a_second_operation_is_busy(void) {
    const int listener = listen_silently();
    reprise_engine* first = open_engine(g_url, "d", g_folder, ",\"connect_timeout_ms\":60000");
    reprise_engine* second = open_engine(NOWHERE, "d", g_folder, "");
    char* json = NULL;
    uint64_t job = 0, waiting = 0;
    reprise_job_status status;
    int tries;
    CHECK_OK(reprise_job_start(first, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    for (tries = 0; tries < 200; ++tries) { /* until the first one holds the folder */
        reprise_error error;
        const int32_t code = run(second, "backup", "{}", &json, &error);
        if (code == REPRISE_E_BUSY && strcmp(error.reason, "folder_locked") == 0) {
            char id[32];
            snprintf(id, sizeof id, "job %llu", (unsigned long long)job);
            CHECK(strstr(error.message, id) != NULL);
            CHECK((error.flags & REPRISE_FLAG_RETRYABLE) != 0);
            break;
        }
        usleep(10000);
    }
    CHECK(tries < 200);
    CHECK_OK(reprise_job_start(second, "backup", REPRISE_NUL, "{\"wait_ms\":60000}", REPRISE_NUL, &waiting, &error));
    status = wait_for(second, waiting, 300);
    CHECK(status.state == REPRISE_JOB_RUNNING);
    CHECK_OK(reprise_job_cancel(first, job, &error));
    status = wait_for(second, waiting, 20000); /* it had its turn, and found no server */
    CHECK(status.state == REPRISE_JOB_FAILED && status.code == REPRISE_E_UNAVAILABLE);
    reprise_close(second);
    reprise_close(first);
    close(listener);
}

static void shutdown_and_close_are_bounded(void) {
    const int listener = listen_silently();
    reprise_engine* engine = open_engine(g_url, "d", g_folder, ",\"connect_timeout_ms\":60000");
    uint64_t job = 0;
    CHECK_OK(reprise_job_start(engine, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    CHECK_OK(reprise_shutdown(engine, 10000, &error));
    CHECK(wait_for(engine, job, 0).state == REPRISE_JOB_CANCELLED);
    CHECK_OK(reprise_job_start(engine, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    CHECK_OK(reprise_shutdown(NULL, 10000, &error));
    CHECK(wait_for(engine, job, 0).state == REPRISE_JOB_CANCELLED);
    CHECK_OK(reprise_job_start(engine, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    reprise_close(engine); /* with a job running */
    close(listener);
}

/* A process that dies leaves a job that reads as failed, and a folder that the next one can use. */
static void a_dead_process_leaves_a_failed_job(void) {
    const int listener = listen_silently();
    int channel[2], status = 0;
    uint64_t job = 0;
    reprise_engine* engine;
    char* json = NULL;
    pid_t child;
    if (pipe(channel) != 0) exit(2);
    child = fork();
    if (child == 0) {
        reprise_engine* mine = open_engine(g_url, "d", g_folder, ",\"connect_timeout_ms\":60000");
        if (reprise_job_start(mine, "backup", REPRISE_NUL, NULL, 0, &job, NULL) != 0) _exit(1);
        if (write(channel[1], &job, sizeof job) != (ssize_t)sizeof job) _exit(1);
        pause();
        _exit(0);
    }
    CHECK(read(channel[0], &job, sizeof job) == (ssize_t)sizeof job);
    engine = open_engine(NOWHERE, "d", g_folder, "");
    CHECK(wait_for(engine, job, 0).state == REPRISE_JOB_RUNNING);
    CHECK_FAILS(reprise_job_result(engine, job, &json, NULL, &error), REPRISE_E_BUSY, "job_running");
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(wait_for(engine, job, 10000).state == REPRISE_JOB_FAILED);
    CHECK_FAILS(reprise_job_result(engine, job, &json, NULL, &error), REPRISE_E_UNAVAILABLE, "process_died");
    CHECK_FAILS(run(engine, "backup", "{}", &json, &error), REPRISE_E_UNAVAILABLE, "server_unreachable");
    reprise_close(engine);
    close(channel[0]);
    close(channel[1]);
    close(listener);
}

static void next_is(reprise_engine* engine, const char* part) {
    char* json = NULL;
    CHECK_OK(reprise_events_next(engine, 10000, &json, NULL, &error));
    CHECK(has(json, part));
    reprise_free(json);
}

static void events_come_and_are_counted(void) {
    /* A folder that is not there: a job then writes no file, and 600 are done soon. */
    reprise_engine* engine = open_engine(NOWHERE, "d", "/nowhere/reprise", "");
    char* json = NULL;
    int fd = -1, again = -2, i, seen = 0;
    struct pollfd wanted;
    CHECK_OK(reprise_events_fd(engine, &fd, &error));
    CHECK_OK(reprise_events_fd(engine, &again, &error));
    CHECK(fd >= 0 && fd == again);
    wanted.fd = fd;
    wanted.events = POLLIN;
    CHECK(poll(&wanted, 1, 0) == 0);
    CHECK_OK(reprise_events_next(engine, 0, &json, NULL, &error));
    CHECK(json == NULL);
    CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK(poll(&wanted, 1, 10000) == 1);
    next_is(engine, "\"event\":\"log\",\"level\":\"error\"");
    next_is(engine, "\"event\":\"job_ended\"");
    CHECK(poll(&wanted, 1, 0) == 0);
    for (i = 0; i < 600; ++i) CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    next_is(engine, "\"event\":\"dropped\",\"count\":");
    while (reprise_events_next(engine, 0, &json, NULL, NULL) == 0 && json != NULL) {
        seen += !has(json, "\"event\":\"dropped\"");
        reprise_free(json);
    }
    /* A job tells its end before it pushes its event: the last ones may come while the ring is emptied, into new room. */
    CHECK(seen >= 1023 && seen <= 1024 + 64);
    reprise_close(engine);
}

static int g_lines;

static void count_line(void* user, int32_t level, const char* message, size_t size) {
    CHECK(user == &g_lines && level >= REPRISE_LOG_DEBUG && level <= REPRISE_LOG_ERROR);
    CHECK(strlen(message) == size && size > 0);
    ++g_lines;
}

static void the_log_hook_is_called(void) {
    reprise_engine* engine = open_engine(NOWHERE, "d", g_folder, "");
    char* json = NULL;
    int before;
    CHECK_OK(reprise_log_hook_set(engine, count_line, &g_lines, &error));
    CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK(g_lines == 1);
    CHECK_OK(reprise_log_hook_set(engine, NULL, NULL, &error));
    before = g_lines;
    CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK(g_lines == before);
    reprise_close(engine);
}

int main(void) {
    make_folder(g_folder, sizeof g_folder);
    a_dead_process_leaves_a_failed_job(); /* first: it forks */
    ids_differ_and_are_small();
    CHECK(job_files() > 60 && job_files() <= 66);
    others_see_and_cancel();
    a_second_operation_is_busy();
    shutdown_and_close_are_bounded();
    events_come_and_are_counted();
    the_log_hook_is_called();
    CHECK(job_files() > 60 && job_files() <= 66);
    remove_tree(g_folder);
    return check_end("test_jobs");
}
