/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/read_ahead.h - records are read, cut, redacted and made into tokens by a second thread, while the first one judges.
 *
 * What comes out is the same, in the same order, for one thread and for two: records, messages of the reader between the
 * records where they arose, and at the end the status that the reader gave. */
#ifndef ALM_CLI_READ_AHEAD_H
#define ALM_CLI_READ_AHEAD_H

#include "detect/log_mask.h"
#include "detect/log_shape.h"
#include "record/record.h"

typedef struct alm_read_ahead alm_read_ahead;

typedef struct alm_read_ahead_options {
    bool threaded;           /* false: everything happens in the caller, when it asks */
    bool tokens;             /* the tokens of a record's text are wanted too; a hint, see alm_read_ahead_next */
    const alm_log *log;      /* where messages end up; called by the thread that calls next */
    void (*idle)(void *arg); /* NULL, or called by that thread before it waits for a source that is silent */
    void *idle_arg;
} alm_read_ahead_options;

/* options->log and the options themselves must live on; names and reader options as in alm_reader_open, but for log and
 * silent, which are ours. Nothing is read yet, no thread runs yet. */
alm_status alm_read_ahead_open(alm_read_ahead **out, const char *const *names, size_t n_names,
                               const alm_reader_options *reader, const alm_read_ahead_options *options, alm_error *err);
/* Masks for the tokens, before the first record is asked for; nobody else may use them until the end. */
void alm_read_ahead_masks(alm_read_ahead *a, const alm_mask_set *masks);
/* As alm_reader_next. *tokens is NULL where none were made: whoever needs them makes them. Both are good until the next
 * call. */
alm_status alm_read_ahead_next(alm_read_ahead *a, alm_record *out, const alm_kept_tokens **tokens, alm_error *err);
/* How far the reading was, when it handed over what next gives: as alm_reader_progress. */
void alm_read_ahead_progress(const alm_read_ahead *a, uint64_t *done, uint64_t *total);
/* Inputs that could not be read, compressed ones that end too early, as alm_reader_counts. */
void alm_read_ahead_broken(const alm_read_ahead *a, uint64_t *n_unreadable, uint64_t *n_truncated);
/* Ends the reading where it is; NULL is fine. The names of sources go with it. */
void alm_read_ahead_close(alm_read_ahead *a);

#endif
