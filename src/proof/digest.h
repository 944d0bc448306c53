/* SPDX-License-Identifier: Apache-2.0
 *
 * proof/digest.h - SHA-256 and HMAC-SHA-256: what two things that must be the same are known by.
 *
 * Use base/str.h's alm_hash64 for tables; use these where somebody might profit from a collision or a guess. */
#ifndef ALM_PROOF_DIGEST_H
#define ALM_PROOF_DIGEST_H

#include "base/log.h"

#define ALM_DIGEST_BYTES     32
#define ALM_DIGEST_HEX_BYTES 65 /* with the NUL */

typedef struct alm_digest {
    unsigned char at[ALM_DIGEST_BYTES];
} alm_digest;

/* All at once. data may be NULL when n is 0. Fails with ALM_NO_MEMORY or, where OpenSSL has been told to refuse
 * SHA-256, ALM_UNSUPPORTED. */
alm_status alm_digest_of(alm_digest *out, const void *data, size_t n, alm_error *err);
/* Of a file's content, read in pieces of 64 KiB; a pipe or device is read to its end. */
alm_status alm_digest_file(alm_digest *out, const char *path, alm_error *err);
/* The same for files that take a while: says how far it is, and gives ALM_INTERRUPTED when asked to stop. */
typedef struct alm_digest_watch {
    const alm_cancel *cancel; /* NULL: cannot be stopped */
    alm_log *log;             /* NULL: silence */
    const char *what;         /* for alm_progress */
    uint64_t done, total;     /* bytes of all files; done goes on from file to file */
} alm_digest_watch;
alm_status alm_digest_file_watched(alm_digest *out, const char *path, alm_digest_watch *watch, alm_error *err);

/* Piece by piece: new, add as often as wanted, end. After end it begins anew; free takes NULL. */
typedef struct alm_digest_stream alm_digest_stream;
alm_status alm_digest_new(alm_digest_stream **out, alm_error *err);
alm_status alm_digest_add(alm_digest_stream *s, const void *data, size_t n, alm_error *err);
alm_status alm_digest_end(alm_digest_stream *s, alm_digest *out, alm_error *err);
void alm_digest_free(alm_digest_stream *s);

/* Keyed: only who has the key can compute or check it (RFC 2104). One-shot, and the same with the key prepared once for
 * many messages: alm_mac_new keeps no pointer to the key; add and end as above. One mac belongs to one thread at a time. */
alm_status alm_digest_hmac(alm_digest *out, const void *key, size_t key_bytes, const void *data, size_t n,
                           alm_error *err);
typedef struct alm_mac alm_mac;
alm_status alm_mac_new(alm_mac **out, const void *key, size_t key_bytes, alm_error *err);
alm_status alm_mac_add(alm_mac *m, const void *data, size_t n, alm_error *err);
alm_status alm_mac_end(alm_mac *m, alm_digest *out, alm_error *err);
void alm_mac_free(alm_mac *m);

/* 64 lower-case hexadecimal digits and a NUL; returns `at`, which has ALM_DIGEST_HEX_BYTES. */
char *alm_digest_hex(char *at, const alm_digest *d);
/* Reads exactly 64 hexadecimal digits of either case. */
bool alm_digest_from_hex(alm_digest *out, const char *at, size_t n);
/* Takes the same time wherever they differ. */
bool alm_digest_eq(const alm_digest *a, const alm_digest *b);

#endif
