/* SPDX-License-Identifier: Apache-2.0
 *
 * log_spool.c - numbers in blocks of a million; a full block goes to the file, the last one stays in memory.
 *
 * Invariant: the file holds whole blocks, at[0, n) the numbers behind them. The file has no name (mkstemp, unlink), so it
 * is gone with the process however that ends. */
#include "detect/log_spool.h"

#include "base/alloc.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

static alm_status open_file(alm_spool *s, alm_error *err) {
    const char *dir = getenv("TMPDIR");
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/alm-spool-XXXXXX", dir && *dir ? dir : "/tmp");
    if (n < 0 || (size_t)n >= sizeof path) return alm_fail(err, ALM_INVALID, "TMPDIR is too long");
    int fd = mkstemp(path);
    if (fd < 0) return alm_fail_errno(err, errno, "%s: cannot make a temporary file", path);
    unlink(path);
    s->file = fdopen(fd, "w+b");
    if (s->file) return ALM_OK;
    close(fd);
    return alm_fail_memory(err);
}

alm_status alm_spool_add(alm_spool *s, uint32_t x, alm_error *err) {
    if (s->n == BLOCK) {
        alm_status st = s->file ? ALM_OK : open_file(s, err);
        if (st != ALM_OK) return st;
        if (fwrite(s->at, sizeof *s->at, s->n, s->file) != s->n)
            return alm_fail_errno(err, errno, "cannot write a temporary file");
        s->n = 0;
    }
    void *at = s->at;
    if (s->n == s->cap && !alm_grow(&at, &s->cap, s->n + 1, sizeof *s->at)) return alm_fail_memory(err);
    s->at = at;
    s->at[s->n++] = x;
    s->n_total++;
    return ALM_OK;
}

alm_status alm_spool_rewind(alm_spool *s, alm_error *err) {
    s->next = 0;
    if (!s->file) return ALM_OK;
    /* The block in memory follows the others into the file, and all are read from there. */
    if (s->n && fwrite(s->at, sizeof *s->at, s->n, s->file) != s->n)
        return alm_fail_errno(err, errno, "cannot write a temporary file");
    s->n = 0;
    if (fflush(s->file) != 0 || fseek(s->file, 0, SEEK_SET) != 0)
        return alm_fail_errno(err, errno, "cannot write a temporary file");
    return ALM_OK;
}

alm_status alm_spool_next(alm_spool *s, uint32_t *out, alm_error *err) {
    if (s->next == s->n) {
        if (!s->file) return ALM_END;
        s->n = fread(s->at, sizeof *s->at, s->cap < BLOCK ? s->cap : BLOCK, s->file);
        s->next = 0;
        if (s->n == 0) return ferror(s->file) ? alm_fail_errno(err, errno, "cannot read a temporary file") : ALM_END;
    }
    *out = s->at[s->next++];
    return ALM_OK;
}

void alm_spool_free(alm_spool *s) {
    if (s->file) fclose(s->file);
    alm_free(s->at);
    *s = (alm_spool){0};
}
