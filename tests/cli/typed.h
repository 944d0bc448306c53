/* SPDX-License-Identifier: Apache-2.0
 *
 * typed.h - runs what somebody would type, in an empty folder, and keeps what came of it. */
#ifndef ALM_TESTS_TYPED_H
#define ALM_TESTS_TYPED_H

#include <stdbool.h>

typedef struct typed_result {
    int code;  /* exit code; 128 + n when signal n ended it; 124 when it took longer than a minute */
    char *out; /* standard output and error, terminated (a NUL inside is shown as \0) */
    char *err;
} typed_result;

/* `script` is run by sh in `folder`, with the program under test first in PATH. `input` may be NULL (then stdin is empty).
 * `german`: messages in German, else in English. Ends the test program when the system itself fails. */
typed_result typed_run(const char *folder, const char *script, const char *input, bool german);
void typed_result_free(typed_result *r);
/* Is the suite run under a German locale? */
bool typed_under_german(void);
/* A fresh folder; all of them are removed at exit. */
const char *typed_folder(void);

#endif
