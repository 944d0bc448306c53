/* SPDX-License-Identifier: Apache-2.0
 *
 * read_ahead.c - a ring of batches between the thread that reads and the one that judges.
 *
 *     reader ─→ tokens ─→ batch being filled ─→ [ full batches ] ─→ batch being judged ─→ back to the reader
 *
 * A record lives in the reader until the next one is asked for, so it is copied into its batch, with its tokens behind it.
 * One that is too large for that is handed over as it is: the reader then waits until it has been judged, so memory does not
 * grow with the length of a line.
 *
 * A batch is handed over when it is full and when the source falls silent (alm_reader_options.silent), so no record of a
 * live stream waits for others. Messages of the reader travel in the batches between the records.
 *
 * Invariants: the reader belongs to the reading thread until `ended`; a batch belongs to the one between taking it and
 * handing it over, to the other between n_given and n_back; both counters, `silent`, `ended` and `stop` change under the
 * lock only. */
#include "cli/read_ahead.h"
#include "base/alloc.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum {
    BATCHES = 4,
    BATCH_ITEMS = 256,
    BATCH_BYTES = 128 << 10,
    LARGE_BYTES = BATCH_BYTES / 4, /* larger records are not copied */
    ALIGN = 8
};

typedef struct item {
    alm_record record;
    const alm_kept_tokens *tokens;
    const char *message; /* not NULL: a message of the reader and no record */
    alm_log_level level;
} item;

typedef struct progress {
    uint64_t done, total, n_unreadable, n_truncated;
} progress;

typedef struct batch {
    item at[BATCH_ITEMS];
    size_t n, used;
    progress progress; /* when it was handed over */
    char *bytes;       /* BATCH_BYTES of them */
} batch;

struct alm_read_ahead {
    alm_read_ahead_options o;
    alm_reader *reader;
    alm_log log; /* the reader's: into the batches */
    const alm_mask_set *masks;
    alm_log_shapes *shapes;
    alm_tokens *scratch;
    alm_mask_hit *hit;
    batch *ring;
    bool running; /* the thread exists */
    pthread_t thread;

    /* of the thread that judges */
    const batch *now; /* NULL: none */
    size_t next_item;
    progress progress;

    /* of the thread that reads */
    batch *filling;
    alm_status status; /* why it ended; read by the other one behind `ended` */
    alm_error error;

    pthread_mutex_t lock;
    pthread_cond_t given, back;
    uint64_t n_given, n_back;
    bool silent, ended, stop;
};

/* -- the thread that reads --------------------------------------------------------------------------------------------- */

static progress progress_of(const alm_reader *r) {
    const alm_reader_counts *c = alm_reader_counts_of(r);
    progress p = {.n_unreadable = c->n_unreadable, .n_truncated = c->n_truncated};
    alm_reader_progress(r, &p.done, &p.total);
    return p;
}

static void hand_over(alm_read_ahead *a) {
    if (!a->filling) return;
    a->filling->progress = progress_of(a->reader);
    a->filling = NULL;
    pthread_mutex_lock(&a->lock);
    a->n_given++;
    a->silent = false;
    pthread_cond_signal(&a->given);
    pthread_mutex_unlock(&a->lock);
}

/* A batch with room for one item more and `bytes`; NULL when the other thread wants no more. */
static batch *room_for(alm_read_ahead *a, size_t bytes) {
    batch *b = a->filling;
    if (b && b->n < BATCH_ITEMS && bytes <= BATCH_BYTES - b->used) return b;
    hand_over(a);
    pthread_mutex_lock(&a->lock);
    while (a->n_given - a->n_back == BATCHES && !a->stop) pthread_cond_wait(&a->back, &a->lock);
    b = a->stop ? NULL : &a->ring[a->n_given % BATCHES];
    pthread_mutex_unlock(&a->lock);
    if (b) b->n = b->used = 0;
    return a->filling = b;
}

static void *place(batch *b, size_t bytes) {
    char *at = b->bytes + b->used;
    b->used += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    return at;
}

static bool is_inside(alm_str s, alm_str of) {
    return (uintptr_t)s.at >= (uintptr_t)of.at && (uintptr_t)s.at + s.n <= (uintptr_t)of.at + of.n;
}

/* Bytes that do not lie in raw. */
static size_t bytes_beside(alm_str s, alm_str raw) { return !s.at || is_inside(s, raw) ? 0 : s.n; }

static size_t bytes_of(const alm_record *r) {
    size_t n = r->raw.n + bytes_beside(r->text, r->raw) + r->n_field * sizeof *r->field;
    for (uint32_t i = 0; i < r->n_field; i++)
        n += bytes_beside(r->field[i].key, r->raw) + bytes_beside(r->field[i].value, r->raw);
    return n;
}

/* `at` moves on by what is copied; what lies in raw moves with it. */
static alm_str copy_beside(char **at, alm_str s, alm_str raw, alm_str raw_copy) {
    if (!s.at) return s;
    if (is_inside(s, raw)) return (alm_str){raw_copy.at + (s.at - raw.at), s.n};
    alm_str copy = {*at, s.n};
    if (s.n) memcpy(*at, s.at, s.n);
    *at += s.n;
    return copy;
}

static void copy_record(alm_record *out, char *at, const alm_record *r) {
    *out = *r;
    alm_field *field = (alm_field *)(void *)at; /* first, as it must be aligned */
    at += r->n_field * sizeof *field;
    if (r->raw.n) memcpy(at, r->raw.at, r->raw.n);
    out->raw.at = at;
    at += r->raw.n;
    out->text = copy_beside(&at, r->text, r->raw, out->raw);
    if (!r->n_field) return;
    for (uint32_t i = 0; i < r->n_field; i++)
        field[i] = (alm_field){copy_beside(&at, r->field[i].key, r->raw, out->raw),
                               copy_beside(&at, r->field[i].value, r->raw, out->raw), r->field[i].kind};
    out->field = field;
}

/* Bytes that they need; 0: none are wanted. */
static size_t make_tokens(alm_read_ahead *a, alm_log_view *out, alm_str text) {
    if (!a->o.tokens) return 0;
    if (!a->masks) alm_log_shapes_tokenise(a->shapes, out, a->scratch, text, false);
    else {
        alm_tokens *t = a->scratch;
        alm_log_tokenise(t, text, a->hit, alm_mask_set_find(a->masks, text, a->hit, ALM_LOG_MAX_TOKENS), false);
        *out = (alm_log_view){
            .at = t->at, .n = t->n, .tail_at = t->tail_at, .tail_end = t->tail_end, .key = t->key, .types = t->types};
    }
    return alm_kept_tokens_bytes(out);
}

/* Waits until everything that was handed over has been judged. */
static bool wait_until_judged(alm_read_ahead *a) {
    pthread_mutex_lock(&a->lock);
    while (a->n_back != a->n_given && !a->stop) pthread_cond_wait(&a->back, &a->lock);
    bool go_on = !a->stop;
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static bool give(alm_read_ahead *a, const alm_record *r) {
    alm_log_view view;
    size_t n_tokens = make_tokens(a, &view, r->text), n_record = bytes_of(r);
    bool large = n_record > LARGE_BYTES;
    batch *b = room_for(a, n_tokens + ALIGN + (large ? 0 : n_record + ALIGN));
    if (!b) return false;
    item *i = &b->at[b->n++];
    i->tokens = NULL;
    i->message = NULL;
    if (n_tokens) {
        alm_kept_tokens *kept = place(b, n_tokens);
        alm_tokens_keep(kept, &view);
        i->tokens = kept;
    }
    if (!large) {
        copy_record(&i->record, place(b, n_record), r);
        return true;
    }
    i->record = *r;
    hand_over(a);
    return wait_until_judged(a);
}

static void *read_all(void *arg) {
    alm_read_ahead *a = arg;
    alm_record r;
    alm_status st;
    while ((st = alm_reader_next(a->reader, &r, &a->error)) == ALM_OK)
        if (!give(a, &r)) break;
    a->status = st;
    hand_over(a);
    pthread_mutex_lock(&a->lock);
    a->ended = true;
    pthread_cond_signal(&a->given);
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* The reader is about to wait. */
static bool on_silent(void *arg) {
    alm_read_ahead *a = arg;
    if (!a->running) {
        if (a->o.idle) a->o.idle(a->o.idle_arg);
        return true;
    }
    hand_over(a);
    pthread_mutex_lock(&a->lock);
    bool go_on = !a->stop;
    a->silent = true;
    pthread_cond_signal(&a->given);
    pthread_mutex_unlock(&a->lock);
    return go_on;
}

static void on_message(void *arg, alm_log_level level, const char *text) {
    alm_read_ahead *a = arg;
    if (!a->running) {
        a->o.log->message(a->o.log->arg, level, text);
        return;
    }
    size_t n = strlen(text) + 1;
    batch *b = room_for(a, n + ALIGN);
    if (!b) return;
    char *copy = place(b, n);
    memcpy(copy, text, n);
    b->at[b->n++] = (item){.message = copy, .level = level};
}

/* -- the thread that judges -------------------------------------------------------------------------------------------- */

/* Signals stay with the thread that was there before. Without a second thread all goes on in this one. */
static void start(alm_read_ahead *a) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    a->running = true; /* seen by the thread from its first step */
    if (pthread_create(&a->thread, NULL, read_all, a) != 0) a->running = a->o.threaded = false;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static const batch *take(alm_read_ahead *a) {
    bool told = false;
    const batch *b = NULL;
    pthread_mutex_lock(&a->lock);
    if (a->now) {
        a->n_back++;
        pthread_cond_signal(&a->back);
    }
    while (a->n_back == a->n_given && !a->ended) {
        if (a->silent && !told && a->o.idle) {
            pthread_mutex_unlock(&a->lock);
            a->o.idle(a->o.idle_arg);
            told = true;
            pthread_mutex_lock(&a->lock);
        } else pthread_cond_wait(&a->given, &a->lock);
    }
    if (a->n_back != a->n_given) b = &a->ring[a->n_back % BATCHES];
    pthread_mutex_unlock(&a->lock);
    return b;
}

static alm_status next_of_thread(alm_read_ahead *a, alm_record *out, const alm_kept_tokens **tokens, alm_error *err) {
    for (;;) {
        while (a->now && a->next_item < a->now->n) {
            const item *i = &a->now->at[a->next_item++];
            if (i->message) {
                a->o.log->message(a->o.log->arg, i->level, i->message);
                continue;
            }
            *out = i->record;
            *tokens = i->tokens;
            return ALM_OK;
        }
        a->now = take(a);
        a->next_item = 0;
        if (!a->now) break;
        a->progress = a->now->progress;
    }
    a->progress = progress_of(a->reader);
    if (err) *err = a->error;
    return a->status;
}

alm_status alm_read_ahead_next(alm_read_ahead *a, alm_record *out, const alm_kept_tokens **tokens, alm_error *err) {
    if (a->o.threaded && !a->running) start(a);
    *tokens = NULL;
    return a->running ? next_of_thread(a, out, tokens, err) : alm_reader_next(a->reader, out, err);
}

void alm_read_ahead_masks(alm_read_ahead *a, const alm_mask_set *masks) { a->masks = masks; }

static progress progress_now(const alm_read_ahead *a) { return a->running ? a->progress : progress_of(a->reader); }

void alm_read_ahead_progress(const alm_read_ahead *a, uint64_t *done, uint64_t *total) {
    progress p = progress_now(a);
    *done = p.done, *total = p.total;
}

void alm_read_ahead_broken(const alm_read_ahead *a, uint64_t *n_unreadable, uint64_t *n_truncated) {
    progress p = progress_now(a);
    *n_unreadable = p.n_unreadable, *n_truncated = p.n_truncated;
}

/* -- birth and death --------------------------------------------------------------------------------------------------- */

static alm_status make_ring(alm_read_ahead *a, alm_error *err) {
    a->ring = alm_calloc(BATCHES, sizeof *a->ring);
    a->shapes = alm_log_shapes_new();
    a->scratch = alm_alloc(sizeof *a->scratch);
    a->hit = alm_calloc(ALM_LOG_MAX_TOKENS, sizeof *a->hit);
    if (!a->ring || !a->shapes || !a->scratch || !a->hit) return alm_fail_memory(err);
    for (size_t i = 0; i < BATCHES; i++)
        if (!(a->ring[i].bytes = alm_alloc(BATCH_BYTES))) return alm_fail_memory(err);
    return ALM_OK;
}

alm_status alm_read_ahead_open(alm_read_ahead **out, const char *const *names, size_t n_names,
                               const alm_reader_options *reader, const alm_read_ahead_options *options,
                               alm_error *err) {
    alm_read_ahead *a = alm_calloc(1, sizeof *a);
    if (!a) return alm_fail_memory(err);
    a->o = *options;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->given, NULL);
    pthread_cond_init(&a->back, NULL);
    a->log = (alm_log){.message = on_message, .arg = a, .level = options->log->level};
    alm_reader_options o = *reader;
    o.log = &a->log;
    o.silent = on_silent;
    o.silent_arg = a;
    alm_status st = alm_reader_open(&a->reader, names, n_names, &o, err);
    if (st == ALM_OK && options->threaded) st = make_ring(a, err);
    if (st == ALM_OK) *out = a, a = NULL;
    alm_read_ahead_close(a);
    return st;
}

void alm_read_ahead_close(alm_read_ahead *a) {
    if (!a) return;
    if (a->running) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_signal(&a->back);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    alm_reader_close(a->reader);
    for (size_t i = 0; a->ring && i < BATCHES; i++) alm_free(a->ring[i].bytes);
    alm_free(a->ring);
    alm_log_shapes_free(a->shapes);
    alm_free(a->scratch);
    alm_free(a->hit);
    pthread_cond_destroy(&a->back);
    pthread_cond_destroy(&a->given);
    pthread_mutex_destroy(&a->lock);
    alm_free(a);
}
