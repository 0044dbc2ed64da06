/* Folders, files and engines for the C tests. Each test defines _DEFAULT_SOURCE before its first include (mkdtemp, lstat). */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

/* Nobody listens there; open_engine then gives up soon. */
#define NOWHERE "mongodb://127.0.0.1:9/"

static inline char* make_folder(char* path, size_t room) {
    const char* base = getenv("TMPDIR");
    snprintf(path, room, "%s/reprise_capi_XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(path);
}

static inline void remove_tree(const char* path) {
    DIR* folder = opendir(path);
    struct dirent* entry;
    char child[1024];
    struct stat about;
    if (folder == NULL) return;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (snprintf(child, sizeof child, "%s/%s", path, entry->d_name) >= (int)sizeof child) continue;
        if (lstat(child, &about) == 0 && S_ISDIR(about.st_mode))
            remove_tree(child);
        else
            unlink(child);
    }
    closedir(folder);
    rmdir(path);
}

static inline void write_file(const char* folder, const char* name, const char* text) {
    char path[1024];
    FILE* file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(2);
    }
    fputs(text, file);
    fclose(file);
}

/* `more` is further configuration, beginning with a comma, or "". */
static inline reprise_engine* open_engine(const char* url, const char* database, const char* folder, const char* more) {
    char config[2048];
    reprise_engine* engine = NULL;
    reprise_error error;
    snprintf(config, sizeof config, "{\"mongo_url\":\"%s\",\"database\":\"%s\",\"directory\":\"%s\"%s%s}", url, database,
             folder, strcmp(url, NOWHERE) == 0 ? ",\"connect_timeout_ms\":300" : "", more);
    if (reprise_open(config, REPRISE_NUL, &engine, &error) != 0) {
        fprintf(stderr, "cannot open: %s\n", error.message);
        exit(2);
    }
    return engine;
}

static inline int32_t run(reprise_engine* engine, const char* kind, const char* options, char** json, reprise_error* error) {
    return reprise_run(engine, kind, REPRISE_NUL, options, REPRISE_NUL, json, NULL, error);
}

static inline int has(const char* json, const char* part) { return json != NULL && strstr(json, part) != NULL; }

#endif
