/* SPDX-License-Identifier: Apache-2.0
 *
 * detect/log_spool.h - one number per record, remembered until the end of a stream of any length: the first million in
 * memory, the rest in an unnamed temporary file ($TMPDIR, else /tmp). `alm patterns --csv` writes its rows from it. */
#ifndef ALM_DETECT_LOG_SPOOL_H
#define ALM_DETECT_LOG_SPOOL_H

#include "base/error.h"
#include <stdio.h>

typedef struct alm_spool {
    uint32_t *at; /* a block that is being filled or read */
    size_t n, cap, next;
    FILE *file;
    uint64_t n_total;
} alm_spool; /* zero-initialise */

alm_status alm_spool_add(alm_spool *s, uint32_t x, alm_error *err);
/* After the last add: back to the first number. */
alm_status alm_spool_rewind(alm_spool *s, alm_error *err);
/* ALM_OK with the next number, ALM_END behind the last. */
alm_status alm_spool_next(alm_spool *s, uint32_t *out, alm_error *err);
void alm_spool_free(alm_spool *s);

#endif
