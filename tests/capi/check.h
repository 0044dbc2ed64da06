/* The smallest possible harness: CHECK counts, main ends with check_end(). Each file is one program, C99 and POSIX. */
#ifndef CHECK_H
#define CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reprise/reprise.h"

static int check_count, check_failed;

#define CHECK(condition)                                                            \
    do {                                                                            \
        ++check_count;                                                              \
        if (!(condition)) {                                                         \
            ++check_failed;                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                           \
    } while (0)

/* The call fails with this code and reason, and says something. */
#define CHECK_FAILS(call, wanted_code, wanted_reason)                                                              \
    do {                                                                                                           \
        reprise_error error;                                                                                       \
        memset(&error, 0x55, sizeof error);                                                                        \
        {                                                                                                          \
            const int32_t got_code = (call);                                                                       \
            ++check_count;                                                                                         \
            if (got_code != (wanted_code) || error.code != got_code || strcmp(error.reason, wanted_reason) != 0 || \
                error.message[0] == '\0') {                                                                        \
                ++check_failed;                                                                                    \
                fprintf(stderr, "%s:%d: %s gave %d \"%s\": %s; expected %d \"%s\"\n", __FILE__, __LINE__, #call,   \
                        (int)got_code, got_code == 0 ? "" : error.reason, got_code == 0 ? "" : error.message,      \
                        (int)(wanted_code), wanted_reason);                                                        \
            }                                                                                                      \
        }                                                                                                          \
    } while (0)

#define CHECK_OK(call)                                                                                                 \
    do {                                                                                                               \
        reprise_error error;                                                                                           \
        memset(&error, 0x55, sizeof error);                                                                            \
        ++check_count;                                                                                                 \
        if ((call) != 0) {                                                                                             \
            ++check_failed;                                                                                            \
            fprintf(stderr, "%s:%d: %s failed: %d %s: %s\n", __FILE__, __LINE__, #call, (int)error.code, error.reason, \
                    error.message);                                                                                    \
        }                                                                                                              \
    } while (0)

static inline int check_end(const char* name) {
    printf("%s: %d passed, %d failed\n", name, check_count - check_failed, check_failed);
    return check_failed == 0 ? 0 : 1;
}

#endif
