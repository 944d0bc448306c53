/* SPDX-License-Identifier: Apache-2.0
 *
 * base/file.h - files: mapped read-only, read whole with a bound, written aside then put in place.
 *
 * A result file is never half there: alm_write_begin makes a temporary file beside the target, alm_write_commit does
 * fsync, rename, fsync of the directory; anything else (alm_write_abort, a crash) leaves the old file untouched. */
#ifndef ALM_BASE_FILE_H
#define ALM_BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"

typedef struct alm_map {
    const unsigned char *at;
    size_t n;
    void *base; /* what munmap takes; NULL for an empty file */
} alm_map;
alm_status alm_map_open(alm_map *out, const char *path, alm_error *err);
void alm_map_close(alm_map *m);

/* Appends the whole file ("-" is not special here); ALM_LIMIT when it is larger than the buffer's limit. */
alm_status alm_file_read(alm_buf *out, const char *path, alm_error *err);
/* All at once through the writer below. */
alm_status alm_file_write(const char *path, const void *at, size_t n, alm_error *err);

typedef struct alm_write {
    int fd;
    char *path, *temporary;
    alm_buf pending; /* buffered bytes */
    uint64_t n_written;
    alm_status failed;
    int error_number;
} alm_write;
/* A target that exists and is no regular file (/dev/stdout, a pipe) is written directly. */
alm_status alm_write_begin(alm_write *w, const char *path, alm_error *err);
/* False after the first failure; alm_write_commit then reports it. */
bool alm_write_add(alm_write *w, const void *at, size_t n);
alm_status alm_write_commit(alm_write *w, alm_error *err);
void alm_write_abort(alm_write *w); /* safe after commit and on a zeroed struct */

bool alm_file_exists(const char *path);
/* mkdir -p with mode 0700. */
alm_status alm_dir_make(const char *path, alm_error *err);
/* Names (without . and ..) sorted bytewise; free each and the list with alm_names_free. */
typedef struct alm_names {
    char **at;
    size_t n, cap;
} alm_names;
alm_status alm_dir_list(alm_names *out, const char *path, alm_error *err);
/* glob(3) with sorted results; no match is an empty list. */
alm_status alm_glob(alm_names *out, const char *pattern, alm_error *err);
bool alm_names_add(alm_names *names, const char *name);
void alm_names_free(alm_names *names);

#endif
