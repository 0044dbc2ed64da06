/* reprise: keeps a backend's MongoDB data alive. The whole C interface; what is not in here is private.
 *
 * RULES, valid for every function:
 *  1. A call that can fail returns 0 (REPRISE_OK) or a negative REPRISE_E_…; details go to the caller's reprise_error, the
 *     last parameter, which may be NULL. Functions that cannot fail return their value or nothing.
 *  2. Strings in are UTF-8, given by pointer and length in bytes, or REPRISE_NUL for "ends with NUL"; they are checked and
 *     copied before the call returns. NULL with length 0 means "not given".
 *  3. Strings out are UTF-8, given by pointer and length, and end with NUL as well; release them with reprise_free. Outs
 *     are set to NULL or 0 first on every path. A size out may be NULL.
 *  4. Structs begin with struct_size, which the caller sets to sizeof; only published sizes are accepted; no more than
 *     struct_size bytes are written. Zero in every other field means the default.
 *  5. Wide and growing things are JSON: configuration, options of jobs, results. Unknown keys are refused by path.
 *     The keys are listed in capi/ABI.md and printed by reprise_build.
 *  6. Every function may be called from any thread. A handle must not be used during or after its close.
 *  7. No function waits for a running job but reprise_job_wait, reprise_run, reprise_events_next and reprise_shutdown,
 *     each bounded by its own argument. Times are milliseconds; a negative wait means the longest, 24 hours.
 *  8. Nothing of the host is called on a thread of ours, but the log hook where one is set.
 *  9. After fork, a handle that was only opened works in the child. When a job ran in the parent, every call but
 *     reprise_close answers REPRISE_E_BUSY with reason forked_while_busy in the child.
 * 10. The host's locale, signal handlers, stdout, umask and working directory are never touched.
 */
#ifndef REPRISE_H
#define REPRISE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define REPRISE_API
#else
#define REPRISE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* major × 1000 + minor. A binding needs the same major and at least its own minor. */
#define REPRISE_ABI 1002
#define REPRISE_NUL ((size_t)-1)

/* Codes: their values never change. */
#define REPRISE_OK 0
#define REPRISE_E_INVALID_ARGUMENT (-1) /* an argument, or an option of a job */
#define REPRISE_E_INVALID_CONFIG (-2)   /* the configuration; the message names the key */
#define REPRISE_E_NOT_FOUND (-3)        /* a file, job, database or collection */
#define REPRISE_E_BUSY (-4)             /* somebody else holds the lease, the folder or the name */
#define REPRISE_E_CANCELLED (-5)
#define REPRISE_E_TIMED_OUT (-6)
#define REPRISE_E_UNAVAILABLE (-7) /* the server cannot be reached, or went away */
#define REPRISE_E_DENIED (-8)      /* no permission */
#define REPRISE_E_CORRUPT (-9)     /* a file is not what it should be */
#define REPRISE_E_REFUSED (-10)    /* a rule said no; the message says how to go on */
#define REPRISE_E_IO (-11)
#define REPRISE_E_SERVER (-12) /* the server answered with an error */
#define REPRISE_E_UNSUPPORTED (-13)
#define REPRISE_E_INTERNAL (-14) /* our bug */
#define REPRISE_E_OUT_OF_MEMORY (-15)

/* Where an error arose. */
#define REPRISE_ORIGIN_OWN 0
#define REPRISE_ORIGIN_SERVER 1 /* origin_code is MongoDB's */
#define REPRISE_ORIGIN_SYSTEM 2 /* origin_code is errno */
#define REPRISE_ORIGIN_HTTP 3
#define REPRISE_ORIGIN_TLS 4

#define REPRISE_FLAG_RETRYABLE 1u

/* Fixed for ever: 512 bytes. */
typedef struct reprise_error {
    int32_t code;
    int32_t origin;
    int32_t origin_code;
    uint32_t flags;
    char reason[48];   /* a stable snake_case word, listed in capi/ABI.md */
    char message[448]; /* lower case, no full stop; never a secret or a document's value; cut at a character */
} reprise_error;

/* An opened configuration: one database, one folder. Thread-safe. */
typedef struct reprise_engine reprise_engine;
/* Bytes being read. One thread at a time. */
typedef struct reprise_stream reprise_stream;

/* ---- version and memory ---- */

REPRISE_API int32_t reprise_abi(void);
/* "0.1.0"; never released. */
REPRISE_API const char* reprise_version(void);
/* JSON: version, abi, driver, compiler, format, job kinds, configuration keys, options of every kind. */
REPRISE_API int32_t reprise_build(char** json, size_t* size, reprise_error* error);
/* "busy" for REPRISE_E_BUSY, "ok" for 0, "unknown" for a number that is none of ours; never released. */
REPRISE_API const char* reprise_code_name(int32_t code);
/* Releases a string that a function gave out. NULL is fine. */
REPRISE_API void reprise_free(char* text);

/* ---- open ---- */

/* Checks the configuration and starts nothing: no thread, no connection, no file.
 *
 *   {"mongo_url": "mongodb://…",        required
 *    "database": "test_database",       required
 *    "directory": "/app/data/backups",  required; made when the first backup is written
 *    "sentinel": "users",               its emptiness means that the data is lost; unset: capi/ABI.md
 *    "startup": {"minimum": 1, …},      what counts as empty, and how a start fails: capi/ABI.md
 *    "include": ["…"], "exclude": ["…"],  collections, exact names; default: all
 *    "profile": "readable",             or "portable" (JavaScript readers)
 *    "consistency": "prefer_snapshot",  or "require_snapshot"
 *    "guard": {"least_share": 0.5,      fewer documents or bytes than this share of the largest good backup: suspect
 *              "sentinel": true,        a sentinel that became empty: suspect
 *              "may_empty": ["…"]},     collections that come and go on purpose
 *    "retention": {"keep_last": 7,      after each good backup; -1: all. Or false: nothing is removed
 *                  "keep_hourly": 0, "keep_daily": 0, "keep_weekly": 0, "keep_monthly": 0, "keep_yearly": 0,
 *                  "keep_within": "7d", "max_total_bytes": 0, "time_zone": "Europe/Paris"},  whose days; default: schedule's
 *    "compression": "none",             or "gzip", "zstd"; with a level: "gzip:1" … "gzip:9", "zstd:1" … "zstd:19"
 *    "schedule": {"at": "02:00",        local time; or "every": "6h" (s, m, h, d, w), or "cron": "0 2 * * 1-5"
 *                 "time_zone": "Europe/Paris", "jitter_s": 0, "catch_up": true},  for reprise_service_start; default: none
 *    "before": {"keep_days": 7},        how long retention leaves a backup of kind before alone
 *    "encryption": {"recipients": ["age1…"],          new files are encrypted for them (age v1); without them, and with a
 *                   "passphrase_file": "…",            passphrase, by the passphrase
 *                   "identity_file": "…",              opens files; read when one has to be opened, and not before
 *                   "scrypt_max_log_n": 18},           the most that a passphrase may cost to open: 2^18 KiB
 *    "signature": {"sign_key_file": "…",              Ed25519, PKCS#8 PEM: new files are signed
 *                  "trust_key_files": ["…"]},          SPKI PEM: what none of these keys (or the own) signed is not believed
 *    "connect_timeout_ms": 10000,
 *    "log_level": "info"}               debug, info, warning, error
 */
REPRISE_API int32_t reprise_open(const char* config, size_t config_size, reprise_engine** engine, reprise_error* error);
/* The effective configuration as JSON, defaults filled in, secrets replaced by "***". */
REPRISE_API int32_t reprise_config(reprise_engine* engine, char** json, size_t* size, reprise_error* error);
/* Starts what works by itself in this process: the schedule, where one is configured; else nothing. Called in the worker,
 * after fork. Any number of workers may: of all on one folder exactly one makes the backup at each due time. */
REPRISE_API int32_t reprise_service_start(reprise_engine* engine, reprise_error* error);
/* Stops it and cancels the backup that it makes, which another worker then makes; waits up to deadline_ms. REPRISE_E_BUSY with
 * reason shutdown_incomplete when it has not ended by then. Nothing when nothing was started. */
REPRISE_API int32_t reprise_service_stop(reprise_engine* engine, int64_t deadline_ms, reprise_error* error);
/* Pushes a secret, which is then used instead of the file of its name: "identity" (AGE-SECRET-KEY-1…, lines), "passphrase",
 * "signing_key" (PEM). Copied into memory that is wiped and in no core dump; jobs that start later use it. Size 0 takes it
 * away. Files with secrets must be readable by their owner alone. */
REPRISE_API int32_t reprise_secret_set(reprise_engine* engine, const char* name, size_t name_size, const char* bytes,
                                       size_t size, reprise_error* error);
/* Stops the service and cancels the jobs of this engine (NULL: of every engine of the process), waits up to deadline_ms until
 * they have ended. REPRISE_E_BUSY with reason shutdown_incomplete when something is stuck; it touches nothing any more. */
REPRISE_API int32_t reprise_shutdown(reprise_engine* engine, int64_t deadline_ms, reprise_error* error);
/* Cancels what runs, waits at most 2 s, releases. NULL is fine. */
REPRISE_API void reprise_close(reprise_engine* engine);

/* ---- jobs: everything that takes long ---- */

/* Kinds and their options (JSON object, all optional unless said; every kind takes "wait_ms": how long to wait while
 * somebody else holds the lease, 0 by default, 15 minutes for startup). Results: capi/ABI.md.
 *
 *   backup   label, include, exclude, consistency, profile, accept_smaller
 *   before   reason (required: "excel import"; it becomes the label), keep_days (in place of the configured ones), consistency,
 *            profile, accept_smaller: a backup before risky work, which retention leaves alone so long; waits 60 s by default
 *   startup  retry (forget failed attempts), on_failure ("fail" or "start_anyway"): brings the data back when the database
 *            is empty; the host may start where the result says "may_go_on": true
 *   restore  file (name, path inside the folder, or "latest"), mode ("replace" or "merge"), exact, include, exclude,
 *            to_database, to_mongo_url, other_database, adopt, no_safety_backup, allow_unsharded, non_unique,
 *            without_majority, abandon_unfinished, accept_unsigned
 *   preview  as restore: says what the restore with the same options would do, and refuses what that would refuse, by reading
 *            alone: no lock, no lease, nothing written
 *   verify   file
 *   rehash   file (required)
 *   rekey    file (required): the same content, encrypted anew for the recipients of today; the old file goes
 *   forget   dry_run, and the keys of "retention" in place of the configured ones: removes what no rule keeps
 *
 * A job's id is unique across processes and below 2^53; any process on the same folder can wait for and cancel it. */
REPRISE_API int32_t reprise_job_start(reprise_engine* engine, const char* kind, size_t kind_size, const char* options,
                                      size_t options_size, uint64_t* job, reprise_error* error);

#define REPRISE_JOB_RUNNING 1
#define REPRISE_JOB_DONE 2
#define REPRISE_JOB_FAILED 3
#define REPRISE_JOB_CANCELLED 4

typedef struct reprise_job_status {
    size_t struct_size;
    uint64_t job;
    int32_t state; /* REPRISE_JOB_… */
    int32_t code;  /* 0, or why it failed */
    int64_t documents;
    int64_t documents_total; /* 0 while unknown */
    int64_t bytes;
    int64_t bytes_total;  /* 0 while unknown */
    char phase[32];       /* "waiting", "reading", "verifying", "safety", "staging", "indexes", "swapping" … */
    char collection[256]; /* NUL-ended, cut at a character */
} reprise_job_status;

/* Waits until the job has ended or wait_ms have passed, then fills in where it stands. Returns 0 in both cases. */
REPRISE_API int32_t reprise_job_wait(reprise_engine* engine, uint64_t job, int64_t wait_ms, reprise_job_status* status,
                                     reprise_error* error);
/* The result of a job that is done, as JSON. A failed job returns its code and fills in its error; a running one is
 * REPRISE_E_BUSY with reason job_running. The results of the last 64 jobs are kept. */
REPRISE_API int32_t reprise_job_result(reprise_engine* engine, uint64_t job, char** json, size_t* size, reprise_error* error);
/* Asks a job to stop; it does within 2 s, unless it is past its point of no return, and then finishes. */
REPRISE_API int32_t reprise_job_cancel(reprise_engine* engine, uint64_t job, reprise_error* error);
/* {"jobs": [{id, kind, state, started, ended, progress, error}…]}, newest first, of every process on this folder. */
REPRISE_API int32_t reprise_job_list(reprise_engine* engine, char** json, size_t* size, reprise_error* error);
/* Starts a job, waits for its end (at most 24 hours), gives its result: for short hosts. */
REPRISE_API int32_t reprise_run(reprise_engine* engine, const char* kind, size_t kind_size, const char* options,
                                size_t options_size, char** json, size_t* size, reprise_error* error);

/* ---- catalogue: answers from the folder, without the server ---- */

/* {"backups": [{filename, path, size_bytes, size_kb, modified, kind, state, verified, latest, label, pinned, keep_until,
 * database, deployment, sequence, backup_date, scope, documents, counts, legacy, problem}…], "total": n}, newest first. */
REPRISE_API int32_t reprise_list(reprise_engine* engine, char** json, size_t* size, reprise_error* error);
/* One file: what the list says, and catalog, collections with counts and digests, consistency. `file` as in restore. */
REPRISE_API int32_t reprise_show(reprise_engine* engine, const char* file, size_t file_size, char** json, size_t* size,
                                 reprise_error* error);
/* What people decide about one file: {"pin": true or false, "label": "…", "accept": true, "wait_ms": 0}, at least one of the
 * first three. accept: the guard's suspect_… file is right after all, or a good one's lost collections are: it is read to its
 * end first, as by verify and with its failures, and becomes backup_…, the measure of later ones, and the latest when it is the
 * newest. Answers what reprise_list says of the file as it is now. Works under the folder's lock: REPRISE_E_BUSY with reason
 * folder_locked while an operation runs. */
REPRISE_API int32_t reprise_mark(reprise_engine* engine, const char* file, size_t file_size, const char* options,
                                 size_t options_size, char** json, size_t* size, reprise_error* error);
/* Deletes one file of a person's choice: {"filename", "freed_bytes"}. The newest good backup, the latest, pinned ones, those
 * that an unfinished restore needs and other databases' are refused (file_protected). options: {"wait_ms", "actor"}. Under
 * the folder's lock, as reprise_mark. */
REPRISE_API int32_t reprise_delete(reprise_engine* engine, const char* file, size_t file_size, const char* options,
                                   size_t options_size, char** json, size_t* size, reprise_error* error);
/* {"directory", "database", "latest", "last_backup", "backups", "size_bytes", "free_bytes", "suspects", "suspect", "lost",
 * "running", "schedule"}. */
REPRISE_API int32_t reprise_status(reprise_engine* engine, char** json, size_t* size, reprise_error* error);

/* Is there a good, recent backup, in Prometheus' text format 0.0.4. */
REPRISE_API int32_t reprise_metrics(reprise_engine* engine, char** text, size_t* size, reprise_error* error);
/* Who did what and how it ended: {"lines": [newest first], "check": {"whole", "lines", "first", "last", "last_hash",
 * "problems"}}: the chain of hashes over all lines that are kept. options: {"limit": 100}. */
REPRISE_API int32_t reprise_audit_read(reprise_engine* engine, const char* options, size_t options_size, char** json,
                                       size_t* size, reprise_error* error);
/* Adds a line of the host's own: {"what": "import", "result", "reason", "file", "actor": {"via", "who", "from"}}. No document's
 * value belongs in it. */
REPRISE_API int32_t reprise_audit_add(reprise_engine* engine, const char* line, size_t line_size, reprise_error* error);

/* ---- streams ---- */

/* what: "cat", the plain JSON of a file, checked while it is read: the last read fails when the file is not whole; "download",
 * the stored bytes as they are. */
REPRISE_API int32_t reprise_stream_open(reprise_engine* engine, const char* what, size_t what_size, const char* file,
                                        size_t file_size, reprise_stream** stream, reprise_error* error);
/* Up to `capacity` bytes; *size is 0 only at the proven end. */
REPRISE_API int32_t reprise_stream_read(reprise_stream* stream, char* buffer, size_t capacity, size_t* size,
                                        reprise_error* error);
REPRISE_API void reprise_stream_close(reprise_stream* stream);

/* ---- admin: the REST interface and the page, for any web framework ---- */

#define REPRISE_BODY_MAX 65536u
#define REPRISE_HEADERS_MAX 200u

typedef struct reprise_header {
    const char* name;
    size_t name_size;
    const char* value;
    size_t value_size;
} reprise_header;

/* A request as the framework has it. Every text as in rule 2; what is not known stays NULL and 0. */
typedef struct reprise_request {
    size_t struct_size;
    const char* method; /* "GET" */
    size_t method_size;
    const char* path; /* below the prefix, percent-decoded exactly once: "" or begins with "/" */
    size_t path_size;
    const char* base_path; /* the prefix as the browser sees it: "/api/backup" */
    size_t base_path_size;
    const char* query; /* without "?", as it came */
    size_t query_size;
    const reprise_header* headers;
    size_t header_count;
    const char* body; /* a body over REPRISE_BODY_MAX bytes is answered with 413: hand in REPRISE_BODY_MAX + 1 of them */
    size_t body_size;
    const char* remote_address;
    size_t remote_address_size;
    const char* principal; /* who it is, when the host has verified that an administrator asks; else NULL or "". What a browser
                            * says to come from another site is refused for it as well */
    size_t principal_size;
    const char* request_id; /* the host's own, for the audit log: by it the host's log tells of the same request */
    size_t request_id_size;
} reprise_request;

/* Being answered. One thread at a time; free it before its engine is closed. */
typedef struct reprise_response reprise_response;

/* Never waits for a job. What is wrong with a request is a response; only a broken call is an error. */
REPRISE_API int32_t reprise_admin_handle(reprise_engine* engine, const reprise_request* request, reprise_response** response,
                                         reprise_error* error);
/* Waits up to wait_ms for the head. *status is 0 while it is not known. headers: a JSON array of [name, value], valid as long
 * as the response. */
REPRISE_API int32_t reprise_response_wait(reprise_response* response, int64_t wait_ms, int32_t* status, const char** headers,
                                          size_t* headers_size, reprise_error* error);
/* Up to `capacity` bytes of the body; *size is 0 only at its end. */
REPRISE_API int32_t reprise_response_read(reprise_response* response, char* buffer, size_t capacity, size_t* size,
                                          reprise_error* error);
REPRISE_API void reprise_response_free(reprise_response* response);

/* ---- events ---- */

/* The next event as JSON, or *json = NULL when wait_ms passed without one. {"event": "log", "level", "message", "time"},
 * {"event": "job_ended", "job", "kind", "state"}, {"event": "dropped", "count"} when the ring of 1024 was full. */
REPRISE_API int32_t reprise_events_next(reprise_engine* engine, int64_t wait_ms, char** json, size_t* size,
                                        reprise_error* error);
/* A descriptor that is readable while events wait, for event loops; owned by the engine: never read or close it. */
REPRISE_API int32_t reprise_events_fd(reprise_engine* engine, int* fd, reprise_error* error);

#define REPRISE_LOG_DEBUG 0
#define REPRISE_LOG_INFO 1
#define REPRISE_LOG_WARNING 2
#define REPRISE_LOG_ERROR 3

/* Called on threads of ours, several at once; message is valid during the call. It must return soon and call nothing of
 * reprise. NULL removes it; calls that have begun may still end afterwards. For C and C++ hosts only. */
typedef void (*reprise_log_hook)(void* user, int32_t level, const char* message, size_t message_size);
REPRISE_API int32_t reprise_log_hook_set(reprise_engine* engine, reprise_log_hook hook, void* user, reprise_error* error);

/* ---- keys ---- */

/* kind: "age": `secret` is an identity file as age-keygen writes it, `shared` the recipient "age1…". "signing": Ed25519,
 * `secret` is PKCS#8 PEM, `shared` SPKI PEM. Write the secret to a file that only its owner can read. */
REPRISE_API int32_t reprise_key_new(const char* kind, size_t kind_size, char** secret, size_t* secret_size, char** shared,
                                    size_t* shared_size, reprise_error* error);
/* The shared part of a secret: recipients, one a line, or PEM. */
REPRISE_API int32_t reprise_key_recipient(const char* secret, size_t secret_size, char** shared, size_t* shared_size,
                                          reprise_error* error);

#ifdef __cplusplus
}
#endif

#endif
