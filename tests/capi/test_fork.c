/* Fork: an engine that was only opened works in the child; a child of a busy parent is told so by every call but close. */
#define _DEFAULT_SOURCE 1
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "support.h"

/* A server that accepts and never answers keeps a job busy for as long as the test needs it. */
static int listen_silently(char* url, size_t room) {
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr*)&address, sizeof address) != 0 || listen(fd, 16) != 0) exit(2);
    getsockname(fd, (struct sockaddr*)&address, &size);
    snprintf(url, room, "mongodb://127.0.0.1:%d/", (int)ntohs(address.sin_port));
    return fd;
}

/* The child's own checks count: it exits with their number of failures. */
static void in_child(void (*body)(reprise_engine*), reprise_engine* engine) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        check_failed = 0;
        alarm(30);
        body(engine);
        _exit(check_failed > 99 ? 99 : check_failed);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void works(reprise_engine* engine) {
    char* json = NULL;
    int fd = -1;
    CHECK_OK(reprise_config(engine, &json, NULL, &error));
    reprise_free(json);
    CHECK_OK(reprise_list(engine, &json, NULL, &error));
    reprise_free(json);
    CHECK_FAILS(run(engine, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    CHECK_FAILS(run(engine, "backup", "{}", &json, &error), REPRISE_E_UNAVAILABLE, "server_unreachable");
    CHECK_OK(reprise_events_fd(engine, &fd, &error));
    CHECK_OK(reprise_shutdown(NULL, 1000, &error));
    reprise_close(engine);
}

static void refuses(reprise_engine* engine) {
    char* json = NULL;
    uint64_t job = 0;
    int fd = -1;
    size_t size = 0;
    char buffer[8];
    reprise_engine* fresh = NULL;
    reprise_stream* stream = NULL;
    reprise_job_status status;
    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
#define BUSY(call) CHECK_FAILS(call, REPRISE_E_BUSY, "forked_while_busy")
    BUSY(reprise_build(&json, NULL, &error));
    BUSY(reprise_open("{}", REPRISE_NUL, &fresh, &error));
    BUSY(reprise_config(engine, &json, NULL, &error));
    BUSY(reprise_job_start(engine, "verify", REPRISE_NUL, NULL, 0, &job, &error));
    BUSY(reprise_job_wait(engine, 1, 1000, &status, &error));
    BUSY(reprise_job_result(engine, 1, &json, NULL, &error));
    BUSY(reprise_job_cancel(engine, 1, &error));
    BUSY(reprise_job_list(engine, &json, NULL, &error));
    BUSY(reprise_run(engine, "verify", REPRISE_NUL, NULL, 0, &json, NULL, &error));
    BUSY(reprise_list(engine, &json, NULL, &error));
    BUSY(reprise_show(engine, NULL, 0, &json, NULL, &error));
    BUSY(reprise_status(engine, &json, NULL, &error));
    BUSY(reprise_stream_open(engine, "cat", REPRISE_NUL, NULL, 0, &stream, &error));
    BUSY(reprise_stream_read(NULL, buffer, sizeof buffer, &size, &error));
    BUSY(reprise_events_next(engine, 1000, &json, NULL, &error));
    BUSY(reprise_events_fd(engine, &fd, &error));
    BUSY(reprise_log_hook_set(engine, NULL, NULL, &error));
    BUSY(reprise_shutdown(engine, 1000, &error));
    BUSY(reprise_shutdown(NULL, 1000, &error));
    CHECK(strcmp(reprise_code_name(-4), "busy") == 0);
    CHECK(reprise_abi() == REPRISE_ABI);
    reprise_close(engine);
}

/* Runs after our exit handlers and before a leak checker's: what the parent's threads hold is no leak of the child. */
static pid_t g_parent;
static void end_of_child(void) {
    if (getpid() != g_parent) _exit(check_failed > 99 ? 99 : check_failed);
}

static void a_child_may_exit(reprise_engine* engine) {
    (void)engine;
    exit(check_failed); /* with exit handlers: nothing of ours may hang or crash in them */
}

int main(void) {
    char folder[512], url[128];
    reprise_engine *idle, *busy;
    char* json = NULL;
    uint64_t job = 0;
    int listener;
    reprise_job_status status;
    g_parent = getpid();
    atexit(end_of_child);
    make_folder(folder, sizeof folder);
    idle = open_engine(NOWHERE, "d", folder, "");
    in_child(works, idle);
    CHECK_FAILS(run(idle, "verify", "{}", &json, &error), REPRISE_E_NOT_FOUND, "no_backup");
    in_child(works, idle); /* a job has run and ended: the parent is not busy */

    listener = listen_silently(url, sizeof url);
    busy = open_engine(url, "d", folder, ",\"connect_timeout_ms\":60000");
    CHECK_OK(reprise_job_start(busy, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    in_child(refuses, busy);
    in_child(refuses, idle);
    in_child(a_child_may_exit, busy);

    memset(&status, 0, sizeof status);
    status.struct_size = sizeof status;
    CHECK_OK(reprise_job_cancel(busy, job, &error));
    CHECK_OK(reprise_job_wait(busy, job, 10000, &status, &error));
    CHECK(status.state == REPRISE_JOB_CANCELLED && status.code == REPRISE_E_CANCELLED);
    CHECK_FAILS(reprise_job_result(busy, job, &json, NULL, &error), REPRISE_E_CANCELLED, "cancelled");
    in_child(works, idle);
    reprise_close(busy);
    reprise_close(idle);
    close(listener);
    remove_tree(folder);
    return check_end("test_fork");
}
