/* The whole way on a real server, over the C interface alone. Data come in through a file of the replaced system, which the
 * test writes. Needs REPRISE_TEST_MONGO_URL; makes and empties databases named reprise_capi_PID_…. */
#define _DEFAULT_SOURCE 1
#include <signal.h>
#include <sys/wait.h>

#include "support.h"

static const char* g_url;
static char g_folder[512], g_database[64];

#define OLD_FULL "backup_20250101_000000.json"
#define OLD_EMPTY "backup_20240101_000000.json"

static void make_stage(const char* name) {
    make_folder(g_folder, sizeof g_folder);
    snprintf(g_database, sizeof g_database, "reprise_capi_%d_%s", (int)getpid(), name);
    write_file(g_folder, OLD_FULL,
               "{\"backup_date\": \"2025-01-01T00:00:00.000000\", \"database\": \"old\", \"collections\": {\n"
               "  \"users\": [{\"id\": \"1\", \"name\": \"Sophie\"}, {\"id\": \"2\", \"name\": \"Marc\"}],\n"
               "  \"absences\": [{\"n\": 1}]}}");
    write_file(g_folder, OLD_EMPTY,
               "{\"backup_date\": \"2024-01-01T00:00:00.000000\", \"database\": \"old\", \"collections\": {\"users\": [], "
               "\"absences\": []}}");
}

/* Runs a job that must be done, and looks for a part of its result. */
static void expect(reprise_engine* engine, const char* kind, const char* options, const char* part) {
    char* json = NULL;
    CHECK_OK(run(engine, kind, options, &json, &error));
    CHECK(has(json, part));
    if (json != NULL && !has(json, part)) fprintf(stderr, "%s %s gave %s, without %s\n", kind, options, json, part);
    reprise_free(json);
}

static void fill_database(reprise_engine* engine) {
    expect(engine, "restore", "{\"file\":\"" OLD_FULL "\",\"other_database\":true}", "\"documents\":3");
}

static void empty_database(reprise_engine* engine) {
    expect(engine, "restore", "{\"file\":\"" OLD_EMPTY "\",\"other_database\":true}", "\"documents\":0");
}

/* Names of our own files, newest first in `list`. */
static void latest_file(reprise_engine* engine, char* name, size_t room) {
    char* json = NULL;
    const char* at;
    name[0] = '\0';
    CHECK_OK(reprise_status(engine, &json, NULL, &error));
    at = json == NULL ? NULL : strstr(json, "\"latest\":\"");
    CHECK(at != NULL);
    if (at != NULL) snprintf(name, room, "%.*s", (int)strcspn(at + 10, "\""), at + 10);
    reprise_free(json);
}

static void backup_list_show_cat_verify(void) {
    reprise_engine* engine;
    reprise_stream* stream = NULL;
    char* json = NULL;
    char name[256], path[900], buffer[37];
    size_t size = 0, total = 0;
    struct stat about;
    int32_t code;
    make_stage("cat");
    engine = open_engine(g_url, g_database, g_folder, "");
    CHECK_FAILS(run(engine, "backup", "{}", &json, &error), REPRISE_E_NOT_FOUND, "database_missing");
    fill_database(engine);
    expect(engine, "backup", "{\"label\":\"nightly\"}", "\"latest\":true");
    latest_file(engine, name, sizeof name);
    CHECK_OK(reprise_list(engine, &json, NULL, &error));
    CHECK(has(json, name) && has(json, "\"label\":\"nightly\"") && has(json, "\"size_kb\":") && has(json, "\"modified\":\"20"));
    CHECK(has(json, "\"total\":3") && has(json, "\"legacy\":true") && has(json, "\"documents\":3"));
    reprise_free(json);
    CHECK_OK(reprise_show(engine, NULL, 0, &json, NULL, &error));
    CHECK(has(json, "\"catalog\":{") && has(json, "\"digest\":\"xxh3-128:") && has(json, "\"name\":\"_id_\""));
    reprise_free(json);
    CHECK_OK(reprise_show(engine, OLD_FULL, REPRISE_NUL, &json, NULL, &error));
    CHECK(has(json, "\"legacy\":true") && has(json, "\"documents\":3"));
    reprise_free(json);
    expect(engine, "verify", "{}", "\"verified\":true");
    expect(engine, "verify", "{\"file\":\"" OLD_FULL "\"}", "\"verified\":false");

    snprintf(path, sizeof path, "%s/%s", g_folder, name);
    CHECK(stat(path, &about) == 0 && (about.st_mode & 0777) == 0600);
    CHECK_OK(reprise_stream_open(engine, "cat", REPRISE_NUL, path, REPRISE_NUL, &stream, &error));
    while ((code = reprise_stream_read(stream, buffer, sizeof buffer, &size, NULL)) == 0 && size > 0) total += size;
    CHECK(code == 0 && total == (size_t)about.st_size);
    reprise_stream_close(stream);

    /* Cut behind its first half: the last read says so. */
    CHECK(truncate(path, about.st_size / 2) == 0);
    CHECK_OK(reprise_stream_open(engine, "cat", REPRISE_NUL, name, REPRISE_NUL, &stream, &error));
    total = 0;
    while ((code = reprise_stream_read(stream, buffer, sizeof buffer, &size, NULL)) == 0 && size > 0) total += size;
    CHECK(code == REPRISE_E_CORRUPT);
    CHECK_FAILS(reprise_stream_read(stream, buffer, sizeof buffer, &size, &error), REPRISE_E_CORRUPT, "file_truncated");
    CHECK(size == 0);
    reprise_close(engine); /* before the stream: any order will do */
    reprise_stream_close(stream);
    remove_tree(g_folder);
}

static void startup_brings_the_data_back(void) {
    reprise_engine *engine, *mistyped;
    char name[256], path[900];
    char* json = NULL;
    make_stage("start");
    engine = open_engine(g_url, g_database, g_folder, "");
    fill_database(engine);
    expect(engine, "startup", "{}", "\"result\":\"not_needed\"");
    expect(engine, "backup", "{}", "\"latest\":true");
    empty_database(engine);
    expect(engine, "startup", "{}", "\"result\":\"restored\"");
    expect(engine, "startup", "{}", "\"result\":\"not_needed\"");
    latest_file(engine, name, sizeof name);

    /* The newest backup is damaged: it goes back to the older one, and says so. */
    expect(engine, "backup", "{}", "\"latest\":true");
    latest_file(engine, path, sizeof path);
    CHECK(strcmp(path, name) != 0);
    {
        char whole[1500];
        struct stat about;
        snprintf(whole, sizeof whole, "%s/%s", g_folder, path);
        empty_database(engine);
        CHECK(stat(whole, &about) == 0 && truncate(whole, about.st_size - 40) == 0);
    }
    CHECK_OK(run(engine, "startup", "{}", &json, &error));
    CHECK(has(json, "\"result\":\"restored\"") && has(json, name) && has(json, path));
    reprise_free(json);

    /* A mistyped sentinel finds itself empty at every start: nothing is touched (hazard 23). */
    mistyped = open_engine(g_url, g_database, g_folder, ",\"sentinel\":\"usres\"");
    expect(mistyped, "startup", "{}", "\"reason\":\"sentinel_not_in_backups\"");
    reprise_close(mistyped);
    expect(engine, "startup", "{}", "\"result\":\"not_needed\"");
    reprise_close(engine);
    remove_tree(g_folder);
}

static void startup_without_a_backup(void) {
    reprise_engine* engine;
    char folder[900];
    struct stat about;
    make_stage("fresh");
    snprintf(folder, sizeof folder, "%s/none", g_folder);
    engine = open_engine(g_url, g_database, folder, "");
    expect(engine, "startup", "{}", "\"result\":\"no_backup\"");
    CHECK(stat(folder, &about) != 0);
    reprise_close(engine);

    /* Only files of the replaced system, of this database: the newest that is not empty comes back, with the warning. */
    write_file(g_folder, "backup_20250301_000000.json",
               "{\"backup_date\": \"2025-03-01T00:00:00\", \"database\": \"old\", \"collections\": {}}");
    engine = open_engine(g_url, g_database, g_folder, "");
    expect(engine, "startup", "{}", "\"reason\":\"no_candidate\"");
    write_file(g_folder, "backup_20250201_000000.json", "");
    reprise_close(engine);
    remove_tree(g_folder);
}

static void four_processes_start_at_once(void) {
    reprise_engine* engine;
    pid_t children[4];
    int i, status, restored = 0, others = 0;
    make_stage("many");
    engine = open_engine(g_url, g_database, g_folder, "");
    fill_database(engine);
    expect(engine, "backup", "{}", "\"latest\":true");
    empty_database(engine);
    for (i = 0; i < 4; ++i) {
        children[i] = fork();
        if (children[i] == 0) {
            reprise_engine* mine = open_engine(g_url, g_database, g_folder, "");
            char* json = NULL;
            int code = 9;
            alarm(60);
            if (run(mine, "startup", "{}", &json, NULL) == 0)
                code = has(json, "\"result\":\"restored\"")                                ? 1
                       : has(json, "\"restored_by_other\"") || has(json, "\"not_needed\"") ? 2
                                                                                           : 3;
            reprise_close(mine);
            _exit(code);
        }
    }
    for (i = 0; i < 4; ++i) {
        CHECK(waitpid(children[i], &status, 0) == children[i] && WIFEXITED(status));
        restored += WEXITSTATUS(status) == 1;
        others += WEXITSTATUS(status) == 2;
    }
    CHECK(restored == 1 && others == 3);
    expect(engine, "backup", "{}", "\"documents\":3");
    reprise_close(engine);
    remove_tree(g_folder);
}

#ifdef __SANITIZE_ADDRESS__
/* ASan's allocator, other than the C library's, does not give its locks back in a child: here a fork that meets a thread which
 * allocates hangs in the sanitizer itself. So the last thread of the job goes first; without ASan it need not. */
static void let_the_job_thread_go(void) {
    int tries, count = 2;
    for (tries = 0; tries < 5000 && count > 1; ++tries) {
        struct dirent* entry;
        DIR* tasks = opendir("/proc/self/task");
        for (count = 0; tasks != NULL && (entry = readdir(tasks)) != NULL;) count += entry->d_name[0] != '.';
        if (tasks != NULL) closedir(tasks);
        usleep(1000);
    }
    CHECK(count == 1);
}
#else
static void let_the_job_thread_go(void) {}
#endif

/* OpenSSL takes a lock of the whole process when a thread that used it exits: no child may inherit it held. */
static void a_child_forked_as_a_job_ends_works(void) {
    reprise_engine* engine;
    int i, status;
    make_stage("forks");
    engine = open_engine(g_url, g_database, g_folder, "");
    fill_database(engine);
    expect(engine, "backup", "{}", "\"latest\":true");
    for (i = 0; i < 50; ++i) {
        pid_t child;
        expect(engine, "verify", "{}", "\"verified\":true");
        let_the_job_thread_go();
        child = fork();
        if (child == 0) {
            reprise_engine* mine = open_engine(g_url, g_database, g_folder, "");
            char* json = NULL;
            int code;
            alarm(20);
            code = run(mine, "verify", "{}", &json, NULL) == 0 ? 0 : 1;
            reprise_close(mine);
            _exit(code);
        }
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    reprise_close(engine);
    remove_tree(g_folder);
}

static void a_drill_and_two_engines(void) {
    reprise_engine *engine, *other;
    char* json = NULL;
    char options[256], drill[128], folder[900];
    make_stage("one");
    engine = open_engine(g_url, g_database, g_folder, "");
    snprintf(drill, sizeof drill, "%s_drill", g_database);
    snprintf(folder, sizeof folder, "%s/second", g_folder);
    fill_database(engine);
    expect(engine, "backup", "{}", "\"latest\":true");
    snprintf(options, sizeof options, "{\"to_database\":\"%s\"}", drill);
    expect(engine, "restore", options, "\"documents\":3");
    other = open_engine(g_url, drill, folder, "");
    expect(other, "backup", "{}", "\"documents\":3");
    expect(engine, "verify", "{}", "\"verified\":true");
    reprise_close(other);
    /* Another database on the same folder is refused (hazard 21). */
    other = open_engine(g_url, drill, g_folder, "");
    CHECK_FAILS(run(other, "backup", "{}", &json, &error), REPRISE_E_REFUSED, "folder_of_other");
    CHECK_FAILS(run(other, "restore", "{}", &json, &error), REPRISE_E_REFUSED, "folder_of_other");
    expect(other, "startup", "{}", "\"result\":\"not_needed\"");
    reprise_close(engine);
    reprise_close(other);
    remove_tree(g_folder);
}

/* A result is there for other processes, which also wait for the job. */
static void another_process_reads_the_result(void) {
    reprise_engine* engine;
    uint64_t job = 0;
    int channel[2], status = 0;
    pid_t child;
    make_stage("wait");
    if (pipe(channel) != 0) exit(2);
    child = fork();
    if (child == 0) {
        char* json = NULL;
        int ok;
        reprise_job_status where;
        reprise_engine* mine = open_engine(NOWHERE, g_database, g_folder, "");
        alarm(60);
        memset(&where, 0, sizeof where);
        where.struct_size = sizeof where;
        if (read(channel[0], &job, sizeof job) != (ssize_t)sizeof job) _exit(1);
        ok = reprise_job_wait(mine, job, 30000, &where, NULL) == 0 && where.state == REPRISE_JOB_DONE &&
             reprise_job_result(mine, job, &json, NULL, NULL) == 0 && has(json, "\"documents\":3");
        reprise_close(mine);
        _exit(ok ? 0 : 2);
    }
    engine = open_engine(g_url, g_database, g_folder, "");
    fill_database(engine);
    CHECK_OK(reprise_job_start(engine, "backup", REPRISE_NUL, NULL, 0, &job, &error));
    CHECK(write(channel[1], &job, sizeof job) == (ssize_t)sizeof job);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    reprise_close(engine);
    close(channel[0]);
    close(channel[1]);
    remove_tree(g_folder);
}

int main(void) {
    g_url = getenv("REPRISE_TEST_MONGO_URL");
    if (g_url == NULL || g_url[0] == '\0') {
        printf("test_live: skipped: REPRISE_TEST_MONGO_URL is not set\n");
        return 0;
    }
    another_process_reads_the_result();
    four_processes_start_at_once();
    a_child_forked_as_a_job_ends_works();
    backup_list_show_cat_verify();
    startup_brings_the_data_back();
    startup_without_a_backup();
    a_drill_and_two_engines();
    return check_end("test_live");
}
