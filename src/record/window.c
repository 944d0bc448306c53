/* SPDX-License-Identifier: Apache-2.0
 *
 * window.c - the sliding view of a stream (window.h).
 *
 * The window begins with 512 KiB; when the record that is being framed fills it, it doubles, up to the limit of a record
 * and one read more. What is left of it is moved to the front before a read, usually a part of one line. While bytes
 * arrive they are looked at once, eight at a time, for NUL and bytes beyond ASCII: where there are none, no record of the
 * window needs a check of its own. */
#include "record/window.h"

#include "base/alloc.h"

#define FIRST_BYTES ((size_t)512 << 10)
#define READ_BYTES  ((size_t)256 << 10) /* fits the second cache: the lines are still there when they are parsed */

static bool is_plain(const char *at, size_t n) {
    const uint64_t high = UINT64_C(0x8080808080808080), ones = UINT64_C(0x0101010101010101);
    uint64_t bad = 0, word;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        uint64_t w[4];
        memcpy(w, at + i, 32);
        /* x - 1 has its high bit set where x is 0 (or beyond 0x80, which is bad as well) */
        bad |= (w[0] | (w[0] - ones)) | (w[1] | (w[1] - ones)) | (w[2] | (w[2] - ones)) | (w[3] | (w[3] - ones));
    }
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, at + i, 8);
        bad |= word | (word - ones);
    }
    for (; i < n; i++) bad |= at[i] & 0x80 || at[i] == 0 ? high : 0;
    return (bad & high) == 0;
}

alm_status alm_window_begin(alm_window *w, alm_stream *stream, size_t limit, alm_error *err) {
    if (!w->at) {
        w->at = alm_alloc(FIRST_BYTES);
        if (!w->at) return alm_fail_memory(err);
        w->cap = FIRST_BYTES;
    }
    w->stream = stream;
    w->limit = limit;
    w->from = w->to = 0;
    w->ended = false;
    w->plain = true;
    w->failed = ALM_OK;
    w->bytes = 0;
    return ALM_OK;
}

void alm_window_free(alm_window *w) {
    alm_free(w->at);
    *w = (alm_window){0};
}

static bool make_room(alm_window *w) {
    if (w->cap - w->to >= READ_BYTES) return true;
    size_t left = w->to - w->from;
    if (w->from) {
        memmove(w->at, w->at + w->from, left);
        w->from = 0, w->to = left;
        w->plain = w->plain || is_plain(w->at, left);
        if (w->cap - w->to >= READ_BYTES) return true;
    }
    size_t cap = w->cap * 2;
    if (cap > w->limit + 2 * READ_BYTES) cap = w->limit + 2 * READ_BYTES;
    if (cap <= w->to) return true; /* the limit: the caller stops asking */
    char *at = alm_realloc(w->at, cap);
    if (!at) return false;
    w->at = at, w->cap = cap;
    return true;
}

bool alm_window_more(alm_window *w, alm_status *st, alm_error *err) {
    size_t got = 0, room;
    *st = ALM_OK;
    if (w->ended) return false;
    if (!make_room(w)) {
        *st = alm_fail_memory(err);
        return false;
    }
    room = w->cap - w->to;
    if (room > READ_BYTES) room = READ_BYTES;
    if (room == 0) return false;
    alm_status read = alm_stream_read(w->stream, w->at + w->to, room, &got, &w->error);
    if (read == ALM_NO_MEMORY) {
        *st = alm_fail_memory(err);
        return false;
    }
    if (read != ALM_OK || got == 0) {
        /* What came before is still good; the reader tells the failure when it has given that out. */
        w->failed = read;
        w->ended = true;
        return false;
    }
    w->plain = w->plain && is_plain(w->at + w->to, got);
    w->to += got;
    w->bytes += got;
    return true;
}

alm_line_status alm_window_line(alm_window *w, size_t offset, int64_t wait_ns, alm_line *out, alm_status *st,
                                alm_error *err) {
    size_t seen = offset;
    for (;;) {
        size_t left = w->to - w->from;
        const char *at = w->at + w->from;
        const char *lf = seen < left ? memchr(at + seen, '\n', left - seen) : NULL;
        if (lf) {
            size_t end = (size_t)(lf - at);
            out->at = offset, out->next = end + 1;
            out->end = end > offset && at[end - 1] == '\r' ? end - 1 : end;
            return ALM_LINE_OK;
        }
        seen = left;
        if (left >= w->limit && left > offset) return ALM_LINE_LONG;
        if (!w->ended) {
            if (wait_ns > 0 && !alm_stream_wait(w->stream, wait_ns)) return ALM_LINE_WAIT;
            if (alm_window_more(w, st, err)) continue;
            if (*st != ALM_OK) return ALM_LINE_FAILED;
            if (!w->ended) return ALM_LINE_LONG; /* no room: the limit */
            left = w->to - w->from;
        }
        if (left <= offset) return ALM_LINE_NONE;
        out->at = offset, out->end = out->next = left;
        return ALM_LINE_OK;
    }
}
