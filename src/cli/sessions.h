/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/sessions.h - whole sessions from TSV: a header names the columns `session` and `events`, and perhaps `label`. */
#ifndef ALM_CLI_SESSIONS_H
#define ALM_CLI_SESSIONS_H

#include "cli/input.h"

typedef struct alm_session {
    alm_str name, events; /* until the next call */
    int label;            /* 0 normal, 1 anomalous, -1 unknown: for the summary only */
    uint64_t line;        /* in its input, from 1 (the header is line 1) */
    const char *source;
} alm_session;

/* Opens the inputs as TSV, whatever --format says. */
alm_status alm_sessions_open(alm_input *out, alm_cli *cli, const alm_input_values *v, const char *const *names,
                             size_t n_names, const char *what, alm_error *err);
/* ALM_MALFORMED, with file and line, where one of the two columns is missing. */
alm_status alm_sessions_next(alm_input *in, alm_session *out, alm_error *err);
/* "0", "normal", "-" are 0; "1", "anomalous", "anomaly" and every other word are 1; an empty text is -1. */
int alm_session_label(alm_str text);

#endif
