/* SPDX-License-Identifier: Apache-2.0
 *
 * proof/digest.c - SHA-256 and HMAC-SHA-256 over OpenSSL's EVP.
 *
 * OpenSSL picks the fastest code for the processor and is what others audit. A stream is an EVP_MD_CTX that is initialised
 * again at its end, so that it can be used for the next message without another allocation; a mac likewise keeps its key.
 *
 * Invariant: between calls a stream or mac is always ready for more bytes. */
#include "proof/digest.h"

#include "base/alloc.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 << 10)

struct alm_digest_stream {
    EVP_MD_CTX *ctx;
};

struct alm_mac {
    EVP_MAC_CTX *ctx;
};

static alm_status fail(alm_error *err, const char *what) {
    unsigned long code = ERR_get_error();
    ERR_clear_error(); /* the queue belongs to the thread: leave nothing behind for the embedder */
    if (code && ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) return alm_fail_memory(err);
    const char *why = code ? ERR_reason_error_string(code) : NULL;
    return alm_fail(err, ALM_UNSUPPORTED, "OpenSSL cannot compute %s: %s", what, why ? why : "no reason given");
}

static alm_status begin(EVP_MD_CTX *ctx, alm_error *err) {
    return EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 ? ALM_OK : fail(err, "SHA-256");
}

alm_status alm_digest_new(alm_digest_stream **out, alm_error *err) {
    alm_digest_stream *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->ctx = EVP_MD_CTX_new();
    alm_status st = s->ctx ? begin(s->ctx, err) : alm_fail_memory(err);
    if (st == ALM_OK) *out = s;
    else alm_digest_free(s);
    return st;
}

alm_status alm_digest_add(alm_digest_stream *s, const void *data, size_t n, alm_error *err) {
    return n == 0 || EVP_DigestUpdate(s->ctx, data, n) == 1 ? ALM_OK : fail(err, "SHA-256");
}

alm_status alm_digest_end(alm_digest_stream *s, alm_digest *out, alm_error *err) {
    if (EVP_DigestFinal_ex(s->ctx, out->at, NULL) != 1) return fail(err, "SHA-256");
    return begin(s->ctx, err);
}

void alm_digest_free(alm_digest_stream *s) {
    if (!s) return;
    EVP_MD_CTX_free(s->ctx);
    alm_free(s);
}

alm_status alm_digest_of(alm_digest *out, const void *data, size_t n, alm_error *err) {
    alm_digest_stream *s;
    alm_status st = alm_digest_new(&s, err);
    if (st != ALM_OK) return st;
    if ((st = alm_digest_add(s, data, n, err)) == ALM_OK) st = alm_digest_end(s, out, err);
    alm_digest_free(s);
    return st;
}

alm_status alm_digest_file(alm_digest *out, const char *path, alm_error *err) {
    alm_digest_watch nobody = {0};
    return alm_digest_file_watched(out, path, &nobody, err);
}

alm_status alm_digest_file_watched(alm_digest *out, const char *path, alm_digest_watch *watch, alm_error *err) {
    alm_digest_stream *s = NULL;
    unsigned char *piece = NULL;
    alm_status st;
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return alm_fail_errno(err, errno, "%s: cannot open", path);
    if ((st = alm_digest_new(&s, err)) != ALM_OK) goto done;
    if (!(piece = alm_alloc(PIECE_BYTES))) {
        st = alm_fail_memory(err);
        goto done;
    }
    for (;;) {
        ssize_t got = read(fd, piece, PIECE_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) st = alm_fail_errno(err, errno, "%s: cannot read", path);
        if (got <= 0 || (st = alm_digest_add(s, piece, (size_t)got, err)) != ALM_OK) break;
        watch->done += (uint64_t)got;
        alm_progress(watch->log, watch->what, watch->done, watch->total);
        if (alm_cancel_requested(watch->cancel)) {
            st = alm_fail(err, ALM_INTERRUPTED, "%s: stopped while its SHA-256 was computed", path);
            break;
        }
    }
    if (st == ALM_OK) st = alm_digest_end(s, out, err);
done:
    alm_free(piece);
    alm_digest_free(s);
    close(fd);
    return st;
}

alm_status alm_mac_new(alm_mac **out, const void *key, size_t key_bytes, alm_error *err) {
    char name[] = "SHA256"; /* OSSL_PARAM takes no const */
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    alm_status st = ALM_OK;
    EVP_MAC *kind = NULL;
    alm_mac *m = alm_calloc(1, sizeof *m);
    if (!m) return alm_fail_memory(err);
    if (!(kind = EVP_MAC_fetch(NULL, "HMAC", NULL)) || !(m->ctx = EVP_MAC_CTX_new(kind)) ||
        /* NULL would mean "the key that is set already". */
        EVP_MAC_init(m->ctx, key_bytes ? key : (const void *)"", key_bytes, params) != 1) {
        st = fail(err, "HMAC-SHA-256");
    }
    EVP_MAC_free(kind); /* the context holds its own reference */
    if (st == ALM_OK) *out = m;
    else alm_mac_free(m);
    return st;
}

alm_status alm_mac_add(alm_mac *m, const void *data, size_t n, alm_error *err) {
    return n == 0 || EVP_MAC_update(m->ctx, data, n) == 1 ? ALM_OK : fail(err, "HMAC-SHA-256");
}

alm_status alm_mac_end(alm_mac *m, alm_digest *out, alm_error *err) {
    size_t n = 0;
    if (EVP_MAC_final(m->ctx, out->at, &n, sizeof out->at) != 1 || n != sizeof out->at ||
        EVP_MAC_init(m->ctx, NULL, 0, NULL) != 1) { /* the same key again */
        return fail(err, "HMAC-SHA-256");
    }
    return ALM_OK;
}

void alm_mac_free(alm_mac *m) {
    if (!m) return;
    EVP_MAC_CTX_free(m->ctx);
    alm_free(m);
}

alm_status alm_digest_hmac(alm_digest *out, const void *key, size_t key_bytes, const void *data, size_t n,
                           alm_error *err) {
    alm_mac *m;
    alm_status st = alm_mac_new(&m, key, key_bytes, err);
    if (st != ALM_OK) return st;
    if ((st = alm_mac_add(m, data, n, err)) == ALM_OK) st = alm_mac_end(m, out, err);
    alm_mac_free(m);
    return st;
}

char *alm_digest_hex(char *at, const alm_digest *d) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < ALM_DIGEST_BYTES; i++) {
        at[2 * i] = hex[d->at[i] >> 4];
        at[2 * i + 1] = hex[d->at[i] & 15];
    }
    at[2 * ALM_DIGEST_BYTES] = '\0';
    return at;
}

static int value_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool alm_digest_from_hex(alm_digest *out, const char *at, size_t n) {
    alm_digest read;
    if (n != (size_t)2 * ALM_DIGEST_BYTES) return false;
    for (size_t i = 0; i < ALM_DIGEST_BYTES; i++) {
        int high = value_of(at[2 * i]), low = value_of(at[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        read.at[i] = (unsigned char)(high * 16 + low);
    }
    *out = read;
    return true;
}

bool alm_digest_eq(const alm_digest *a, const alm_digest *b) { return CRYPTO_memcmp(a->at, b->at, sizeof a->at) == 0; }
