/* SPDX-License-Identifier: Apache-2.0
 *
 * decompress.c - the bytes of an input, unpacked on the way.
 *
 *     file, stdin, memory ──→ packed[128 KiB] ──→ zlib or zstd ──→ the caller's window
 *                        └──────────── (plain: read straight into the window) ──────────┘
 *
 * The kind is decided by the first four bytes. Behind the end of one gzip member or zstd frame another may follow (log
 * rotation, cat a.gz b.gz); zeros or other bytes behind the last are ignored, as gzip does. zlib and zstd take their
 * memory from alm_alloc, so the tests can break it; a zstd window beyond 128 MiB is refused by zstd itself, and a smaller
 * bound of 8 MiB keeps our promise of 64 MB in all. */
#include "record/decompress.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_customMem */
#include <zstd.h>
#include <zstd_errors.h>

#define PACKED_BYTES    ((size_t)128 << 10)
#define ZSTD_WINDOW_LOG 23 /* what `zstd -19` needs; --ultra and --long can need more */

typedef enum packing { PLAIN, GZIP, ZSTD } packing;

struct alm_stream {
    const char *name; /* lives as long as the stream: the reader's list of inputs */
    int fd;           /* -1: memory */
    bool owns_fd;
    bool waits; /* a pipe or a terminal: a read may take as long as somebody thinks */
    alm_waiting waiting;
    alm_str memory;
    size_t memory_at;
    packing kind;
    bool at_end; /* of the source */
    bool done;   /* nothing follows, or an error was told */
    bool in_member;
    bool had_member;
    uint64_t taken;
    int64_t written_ns;
    unsigned char *packed;
    size_t n_packed, at_packed;
    z_stream gzip;
    ZSTD_DStream *zstd;
};

static void *zlib_alloc(void *arg, unsigned n, unsigned size) {
    (void)arg;
    return alm_calloc(n, size);
}
static void zlib_free(void *arg, void *at) {
    (void)arg;
    alm_free(at);
}
static void *zstd_alloc(void *arg, size_t n) {
    (void)arg;
    return alm_alloc(n);
}
static void zstd_free(void *arg, void *at) {
    (void)arg;
    alm_free(at);
}

#define TICK_MS 200

static bool stopped(const alm_stream *s) { return alm_cancel_requested(s->waiting.cancel); }

typedef enum silence { SPEAKS, SILENT, STOPPED } silence;

/* Waits at most `ms` (-1: for ever) for something to read. Cut into ticks, because a signal that comes just before a wait
 * begins would not end it. */
static silence wait_for_bytes(const alm_stream *s, int ms) {
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    for (int tick = 0;;) {
        if (stopped(s)) return STOPPED;
        int n = poll(&p, 1, tick);
        if (n > 0 || (n < 0 && errno != EINTR)) return SPEAKS; /* whatever is wrong, the read tells it */
        if (ms > 0 && n == 0) ms -= tick;
        if (ms == 0) return SILENT;
        if (s->waiting.silent && !s->waiting.silent(s->waiting.arg)) return STOPPED;
        tick = ms < 0 || ms > TICK_MS ? TICK_MS : ms;
    }
}

/* Plain bytes from the source; *got = 0 at its end, which a request to stop brings about. */
static alm_status take(alm_stream *s, void *at, size_t n, size_t *got, alm_error *err) {
    *got = 0;
    if (s->fd < 0) {
        size_t left = s->memory.n - s->memory_at;
        if (n > left) n = left;
        if (n) memcpy(at, s->memory.at + s->memory_at, n);
        s->memory_at += n;
        *got = n;
    } else {
        ssize_t k = 0;
        if (!s->waits || wait_for_bytes(s, -1) == SPEAKS) {
            do k = read(s->fd, at, n);
            while (k < 0 && errno == EINTR && !stopped(s));
            if (k < 0 && errno == EINTR) k = 0;
        }
        if (k < 0) return alm_fail_errno(err, errno, "%s: cannot read", s->name);
        *got = (size_t)k;
    }
    s->taken += *got;
    if (*got == 0) s->at_end = true;
    return ALM_OK;
}

static alm_status fill_packed(alm_stream *s, alm_error *err) {
    size_t got;
    s->at_packed = s->n_packed = 0;
    alm_status st = take(s, s->packed, PACKED_BYTES, &got, err);
    s->n_packed = got;
    return st;
}

static bool has_magic(const unsigned char *at, size_t n, const char *magic, size_t n_magic) {
    return n >= n_magic && memcmp(at, magic, n_magic) == 0;
}

static alm_status refuse_packing(alm_stream *s, const char *what, const char *command, alm_error *err) {
    alm_fail(err, ALM_UNSUPPORTED, "%s: packed with %s, which is not read", s->name, what);
    alm_hint(err, "%s %s | alm … -", command, s->name);
    return ALM_UNSUPPORTED;
}

/* The first bytes lie in packed; they decide the kind. */
static alm_status choose_kind(alm_stream *s, alm_error *err) {
    const unsigned char *at = s->packed;
    size_t n = s->n_packed;
    if (has_magic(at, n, "\x1f\x8b\x08", 3)) s->kind = GZIP;
    else if (has_magic(at, n, "\x28\xb5\x2f\xfd", 4)) s->kind = ZSTD;
    else if (n >= 4 && (at[0] & 0xF0) == 0x50 && has_magic(at + 1, n - 1, "\x2a\x4d\x18", 3))
        s->kind = ZSTD; /* a skippable frame first */
    else if (has_magic(at, n,
                       "\xfd"
                       "7zXZ",
                       6))
        return refuse_packing(s, "xz", "xzcat", err);
    else if (n > 9 && has_magic(at, n, "BZh", 3) && has_magic(at + 4, n - 4, "1AY&SY", 6))
        return refuse_packing(s, "bzip2", "bzcat", err);
    else if (has_magic(at, n, "\x04\x22\x4d\x18", 4)) return refuse_packing(s, "lz4", "lz4cat", err);
    else if (has_magic(at, n, "PK\x03\x04", 4)) return refuse_packing(s, "zip", "unzip -p", err);
    if (s->kind == ZSTD) {
        ZSTD_customMem memory = {zstd_alloc, zstd_free, NULL};
        s->zstd = ZSTD_createDStream_advanced(memory);
        if (!s->zstd) return alm_fail_memory(err);
        (void)ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
    }
    return ALM_OK;
}

/* At least four bytes if there are so many: a pipe may give them one by one. */
static alm_status first_bytes(alm_stream *s, alm_error *err) {
    while (s->n_packed < 16 && !s->at_end) {
        size_t got;
        alm_status st = take(s, s->packed + s->n_packed, PACKED_BYTES - s->n_packed, &got, err);
        if (st != ALM_OK) return st;
        s->n_packed += got;
        /* a short line on a slow pipe must not wait for more when it can be no magic */
        if (s->n_packed && !strchr("\x1f\x28\xfd\x04P", s->packed[0]) && s->packed[0] != 'B' &&
            (s->packed[0] & 0xF0) != 0x50)
            break;
        if (s->n_packed && memchr(s->packed, '\n', s->n_packed)) break;
    }
    return ALM_OK;
}

static alm_status start(alm_stream *s, alm_error *err) {
    s->packed = alm_alloc(PACKED_BYTES);
    if (!s->packed) return alm_fail_memory(err);
    alm_status st = first_bytes(s, err);
    return st == ALM_OK ? choose_kind(s, err) : st;
}

static alm_status make(alm_stream **out, const char *name, alm_error *err) {
    alm_stream *s = alm_calloc(1, sizeof *s);
    if (!s) return alm_fail_memory(err);
    s->name = name;
    s->fd = -1;
    return *out = s, ALM_OK;
}

/* Opening a named pipe would wait for its writer where nothing can end the wait: so it is opened without waiting, and from
 * then on read like any other. */
static int open_file(const alm_stream *s, const char *path) {
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd < 0 && errno == EINTR && !stopped(s));
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0) (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

alm_status alm_stream_open(alm_stream **out, const char *path, const alm_waiting *waiting, alm_error *err) {
    alm_stream *s = NULL;
    struct stat info;
    alm_status st = make(&s, path, err);
    if (st != ALM_OK) return st;
    if (waiting) s->waiting = *waiting;
    if (strcmp(path, "-") == 0) {
        s->fd = STDIN_FILENO;
    } else {
        s->fd = open_file(s, path);
        s->owns_fd = true;
        if (s->fd < 0) {
            st = alm_fail_errno(err, errno, "%s: cannot open", path);
            goto done;
        }
    }
    if (fstat(s->fd, &info) == 0) {
        if (S_ISDIR(info.st_mode)) {
            st = alm_fail(err, ALM_IO, "%s: cannot read: it is a folder", path);
            goto done;
        }
        if (S_ISREG(info.st_mode)) {
            s->written_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
            (void)posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        } else s->waits = true;
    }
    st = start(s, err);
    if (st == ALM_OK) *out = s, s = NULL;
done:
    alm_stream_close(s);
    return st;
}

alm_status alm_stream_open_bytes(alm_stream **out, const char *name, alm_str bytes, alm_error *err) {
    alm_stream *s = NULL;
    alm_status st = make(&s, name, err);
    if (st != ALM_OK) return st;
    s->memory = bytes;
    st = start(s, err);
    if (st == ALM_OK) *out = s, s = NULL;
    alm_stream_close(s);
    return st;
}

void alm_stream_close(alm_stream *s) {
    if (!s) return;
    if (s->kind == GZIP && s->gzip.state) inflateEnd(&s->gzip);
    if (s->zstd) ZSTD_freeDStream(s->zstd);
    if (s->owns_fd && s->fd >= 0) close(s->fd);
    alm_free(s->packed);
    alm_free(s);
}

static alm_status damaged(alm_stream *s, const char *what, alm_error *err) {
    s->done = true;
    return alm_fail(err, ALM_MALFORMED, "%s: %s", s->name, what);
}

/* Both unpackers loop until they have a byte for the caller; an empty member or frame gives none. */
static alm_status read_gzip(alm_stream *s, void *at, size_t n, size_t *got, alm_error *err) {
    for (;;) {
        if (s->at_packed == s->n_packed && !s->at_end) {
            alm_status st = fill_packed(s, err);
            if (st != ALM_OK) return st;
        }
        size_t left = s->n_packed - s->at_packed;
        if (!s->in_member) {
            if (left == 0) return s->done = true, ALM_OK;
            if (s->had_member && s->packed[s->at_packed] != 0x1f)
                return s->done = true, ALM_OK; /* padding behind the last member */
            int z;
            if (!s->gzip.state) {
                s->gzip.zalloc = zlib_alloc, s->gzip.zfree = zlib_free;
                z = inflateInit2(&s->gzip, 15 + 16);
            } else z = inflateReset(&s->gzip);
            if (z == Z_MEM_ERROR) return alm_fail_memory(err);
            if (z != Z_OK) return damaged(s, "gzip: cannot begin", err);
            s->in_member = s->had_member = true;
        }
        s->gzip.next_in = s->packed + s->at_packed;
        s->gzip.avail_in = (uInt)left;
        s->gzip.next_out = at;
        s->gzip.avail_out = (uInt)(n < (size_t)1 << 30 ? n : (size_t)1 << 30);
        uInt room = s->gzip.avail_out;
        int z = inflate(&s->gzip, Z_NO_FLUSH);
        s->at_packed = s->n_packed - s->gzip.avail_in;
        *got = room - s->gzip.avail_out;
        if (z == Z_MEM_ERROR) return alm_fail_memory(err);
        if (z == Z_STREAM_END) s->in_member = false;
        if (*got) return ALM_OK;
        if (z == Z_STREAM_END) continue;
        if (z != Z_OK && z != Z_BUF_ERROR) return damaged(s, "the gzip data are damaged", err);
        if (s->at_end && s->at_packed == s->n_packed) return damaged(s, "the gzip data end too early", err);
    }
}

static alm_status read_zstd(alm_stream *s, void *at, size_t n, size_t *got, alm_error *err) {
    for (;;) {
        if (s->at_packed == s->n_packed && !s->at_end) {
            alm_status st = fill_packed(s, err);
            if (st != ALM_OK) return st;
        }
        size_t left = s->n_packed - s->at_packed;
        if (!s->in_member && left == 0) return s->done = true, ALM_OK;
        ZSTD_inBuffer in = {s->packed, s->n_packed, s->at_packed};
        ZSTD_outBuffer out = {at, n, 0};
        size_t z = ZSTD_decompressStream(s->zstd, &out, &in);
        s->at_packed = in.pos;
        *got = out.pos;
        if (ZSTD_isError(z)) {
            if (ZSTD_getErrorCode(z) == ZSTD_error_memory_allocation) return alm_fail_memory(err);
            if (!s->in_member && s->had_member)
                return s->done = true, *got = 0, ALM_OK; /* something else behind the last frame */
            if (ZSTD_getErrorCode(z) == ZSTD_error_frameParameter_windowTooLarge)
                return damaged(
                    s, "zstd: needs a window beyond 8 MiB (packed with --long or --ultra): zstdcat it into a pipe",
                    err);
            return damaged(s, "the zstd data are damaged", err);
        }
        s->in_member = z != 0;
        if (z == 0) s->had_member = true;
        if (*got) return ALM_OK;
        if (s->in_member && s->at_end && left == 0) return damaged(s, "the zstd data end too early", err);
    }
}

alm_status alm_stream_read(alm_stream *s, void *at, size_t n, size_t *got, alm_error *err) {
    *got = 0;
    if (s->done || n == 0) return ALM_OK;
    if (s->kind == GZIP) return read_gzip(s, at, n, got, err);
    if (s->kind == ZSTD) return read_zstd(s, at, n, got, err);
    size_t left = s->n_packed - s->at_packed; /* the bytes that were looked at for a magic */
    if (left) {
        *got = n < left ? n : left;
        memcpy(at, s->packed + s->at_packed, *got);
        s->at_packed += *got;
        return ALM_OK;
    }
    if (s->at_end) return ALM_OK;
    return take(s, at, n, got, err);
}

bool alm_stream_wait(alm_stream *s, int64_t ns) {
    if (s->fd < 0 || s->at_end || s->at_packed < s->n_packed) return true;
    if (!s->waits) return true;
    int64_t ms = ns / 1000000;
    return wait_for_bytes(s, ms > INT32_MAX ? INT32_MAX : (int)ms) != SILENT;
}

uint64_t alm_stream_taken(const alm_stream *s) { return s->taken; }
int64_t alm_stream_written_ns(const alm_stream *s) { return s->written_ns; }
bool alm_stream_is_compressed(const alm_stream *s) { return s->kind != PLAIN; }
