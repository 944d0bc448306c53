/* SPDX-License-Identifier: Apache-2.0
 *
 * record/decompress.h - the bytes of an input: a file, standard input or memory, unpacked when they begin with the magic of
 * gzip or zstd (also several members one behind the other, as log rotation and `cat a.gz b.gz` make them). */
#ifndef ALM_RECORD_DECOMPRESS_H
#define ALM_RECORD_DECOMPRESS_H

#include "base/error.h"
#include "base/str.h"

typedef struct alm_stream alm_stream;

/* How a source that is silent is waited for. Both may be NULL. */
typedef struct alm_waiting {
    const alm_cancel *cancel; /* a request to stop ends the input where it is, also while a pipe is silent */
    bool (*silent)(
        void *arg); /* called before a wait, and again every fifth of a second in it; false ends the input too */
    void *arg;
} alm_waiting;

/* path "-" is standard input. ALM_UNSUPPORTED for xz, bzip2, lz4 and zip, with the command that unpacks them.
 * waiting: NULL is fine. A named pipe is opened at once; its first writer is waited for by the first read. */
alm_status alm_stream_open(alm_stream **out, const char *path, const alm_waiting *waiting, alm_error *err);
alm_status alm_stream_open_bytes(alm_stream **out, const char *name, alm_str bytes, alm_error *err);
void alm_stream_close(alm_stream *s);
/* At least one byte and at most n of them into `at`; *got = 0 at the end. What a pipe has is given at once. Damaged or cut
 * compressed data: all that could be unpacked comes first, then ALM_MALFORMED. ALM_IO when reading fails. */
alm_status alm_stream_read(alm_stream *s, void *at, size_t n, size_t *got, alm_error *err);
/* False when `ns` pass and the source has nothing to say. Files and memory always have. */
bool alm_stream_wait(alm_stream *s, int64_t ns);
/* Bytes taken from the source so far (compressed ones, where it is compressed). */
uint64_t alm_stream_taken(const alm_stream *s);
/* When the file was last written, or 0 where that says nothing (a pipe, memory). */
int64_t alm_stream_written_ns(const alm_stream *s);
bool alm_stream_is_compressed(const alm_stream *s);

#endif
