/* SPDX-License-Identifier: Apache-2.0
 *
 * test_matrix.c - one digest of all logits of a model, over every way in which they can be computed; and what the reference says,
 * with keys and values kept, cut at any place.
 *
 *     test_matrix          the models of tests/data/models, each value of each axis at least once: seconds
 *     test_matrix all      those of $ALM_SHARED/oracles too, and folders in every combination but two: minutes. Instruction sets without
 *                          vectors are slow, so they compute everything again for one or two tokens with one number of threads
 *                          only; GGUF files, whose weights are read differently and then computed with as all others, take one
 *                          way for each instruction set and number of threads
 *     test_matrix all X    only models with X in their name
 *
 * A model is a folder with a config.json or a .gguf file: what lies there is taken, so new families join by themselves. A family
 * that this build does not know is skipped by name. */
#include "alm_models.h"
#include "engine/batch.h"
#include "proof/digest.h"
#include "tensor/kernel/kernels.h"

#include <dirent.h>

enum { MOST_MODELS = 256, DOCS = 4, LONGEST = 30 };

static bool all_ways;

/* -- models ------------------------------------------------------------------------------------------------------------- */

typedef struct entry {
    char path[PATH_MAX];
    bool folder;
} entry;

static entry models[MOST_MODELS];
static size_t n_models;

/* Some of the oracles lie in the tree too: once is enough. */
static bool is_there(const char *name) {
    for (size_t i = 0; i < n_models; i++)
        if (strcmp(strrchr(models[i].path, '/') + 1, name) == 0) return true;
    return false;
}

static void add_models(const char *place) {
    struct dirent **name;
    char folder[PATH_MAX / 2] = ""; /* of our own: a place is soon another one */
    if (place) snprintf(folder, sizeof folder, "%s", place);
    int n = place ? scandir(folder, &name, NULL, alphasort) : 0;
    for (int i = 0; i < n; i++) {
        entry *e = &models[n_models];
        size_t length = strlen(name[i]->d_name);
        snprintf(e->path, sizeof e->path, "%s/%s", folder, name[i]->d_name);
        e->folder = alm_file_exists(alm_test_join(e->path, "config.json"));
        bool gguf = length > 5 && strcmp(name[i]->d_name + length - 5, ".gguf") == 0;
        if (n_models + 1 < MOST_MODELS && (e->folder || gguf) && !is_there(name[i]->d_name)) n_models++;
        free(name[i]);
    }
    if (n > 0) free(name);
}

/* Skips the test where this build does not know the family, and where the family says no next token. */
static alm_model *opened(const char *path) {
    alm_model *m;
    alm_error err = {0};
    alm_status st = alm_model_open(&m, path, &err);
    if (st == ALM_UNSUPPORTED) {
        print_message("%s: skipped, %s\n", path, err.text);
        skip();
    }
    CHECK_OK(st, &err);
    return m;
}

/* -- ways to compute ------------------------------------------------------------------------------------------------------ */

typedef struct way {
    size_t batch, piece; /* rows of a step; tokens that a session is given at a time (0: all) */
    bool kept;           /* keys and values are; otherwise each step computes the tokens before it again */
    bool together;       /* the documents are neighbours */
} way;

typedef struct documents {
    alm_model *m;
    alm_compute *c;
    size_t n[DOCS], context, n_vocab;
    uint32_t id[DOCS][LONGEST];
    float *logits[DOCS], *want[DOCS]; /* [LONGEST][n_vocab] */
} documents;

static void in_sessions(documents *o, const way *w, size_t from, size_t to) {
    alm_error err = {0};
    alm_batch *b;
    alm_session *s[DOCS];
    size_t done[DOCS] = {0};
    CHECK_OK(alm_batch_new(&b, o->m, o->c, w->batch, &err), &err);
    for (size_t d = from; d < to; d++) CHECK_OK(alm_session_new(&s[d], o->m, o->context, 0, &err), &err);
    for (;;) {
        alm_feed feed[DOCS];
        size_t n = 0;
        for (size_t d = from; d < to; d++) {
            size_t left = o->n[d] - done[d], m = w->piece && w->piece < left ? w->piece : left;
            if (m) feed[n++] = (alm_feed){s[d], o->id[d] + done[d], m, m, o->logits[d] + done[d] * o->n_vocab};
            done[d] += m;
        }
        if (n == 0) break;
        CHECK_OK(alm_batch_run(b, feed, n, &err), &err);
    }
    for (size_t d = from; d < to; d++) alm_session_free(s[d]);
    alm_batch_free(b);
}

/* Steps of w->batch tokens of each document, with all tokens before them. */
static void again_and_again(documents *o, const way *w, size_t from, size_t to) {
    alm_error err = {0};
    alm_tape *t;
    uint32_t id[DOCS * LONGEST], pick[DOCS * LONGEST], start[DOCS + 1];
    float *got = alm_calloc(DOCS * LONGEST * o->n_vocab, sizeof *got);
    CHECK_OK(alm_tape_new(&t, o->c, ALM_TAPE_INFER, 0, &err), &err);
    for (size_t at = 0; at < LONGEST; at += w->batch) {
        size_t n = 0, n_docs = 0, n_pick = 0;
        for (size_t d = from; d < to; d++) {
            if (at >= o->n[d]) continue;
            size_t end = o->n[d] - at < w->batch ? o->n[d] : at + w->batch;
            start[n_docs++] = (uint32_t)n;
            memcpy(id + n, o->id[d], end * sizeof *id);
            for (size_t i = at; i < end; i++) pick[n_pick++] = (uint32_t)(n + i);
            n += end;
        }
        if (n == 0) break;
        start[n_docs] = (uint32_t)n;
        const alm_rows rows = {
            .n = n, .n_docs = n_docs, .id = id, .start = start, .context = o->context, .pick = pick, .n_pick = n_pick};
        alm_tape_reset(t);
        CHECK_OK(alm_model_logits(o->m, t, &rows, got, &err), &err);
        const float *row = got;
        for (size_t d = from; d < to; d++) {
            if (at >= o->n[d]) continue;
            size_t m = o->n[d] - at < w->batch ? o->n[d] - at : w->batch;
            memcpy(o->logits[d] + at * o->n_vocab, row, m * o->n_vocab * sizeof *row);
            row += m * o->n_vocab;
        }
    }
    alm_tape_free(t);
    alm_free(got);
}

/* An encoder sees a text as a whole: what it makes of each token, not logits. */
static void as_a_whole(documents *o, size_t from, size_t to) {
    alm_error err = {0};
    alm_tape *t;
    uint32_t id[DOCS * LONGEST], start[DOCS + 1] = {0};
    CHECK_OK(alm_tape_new(&t, o->c, ALM_TAPE_INFER, 0, &err), &err);
    for (size_t d = from; d < to; d++) {
        memcpy(id + start[d - from], o->id[d], o->n[d] * sizeof *id);
        start[d - from + 1] = start[d - from] + (uint32_t)o->n[d];
    }
    const alm_rows rows = {.n = start[to - from], .n_docs = to - from, .id = id, .start = start};
    alm_node *x = alm_model_hidden(o->m, t, &rows, false);
    CHECK_OK(alm_tape_run(t, x, &err), &err);
    for (size_t d = from; d < to; d++)
        memcpy(o->logits[d], x->x + start[d - from] * x->dim, o->n[d] * x->dim * sizeof *x->x);
    alm_tape_free(t);
}

static bool is_encoder(const documents *o) { return alm_model_config(o->m)->encoder; }

static void go(documents *o, const way *w, const char *who) {
    for (size_t d = 0; d < DOCS; d++) memset(o->logits[d], 0xff, LONGEST * o->n_vocab * sizeof(float));
    for (size_t d = 0; d < DOCS; d += w->together ? DOCS : 1) {
        if (is_encoder(o)) as_a_whole(o, d, w->together ? DOCS : d + 1);
        else if (w->kept) in_sessions(o, w, d, w->together ? DOCS : d + 1);
        else again_and_again(o, w, d, w->together ? DOCS : d + 1);
    }
    for (size_t d = 0; d < DOCS; d++)
        CHECK(memcmp(o->logits[d], o->want[d], o->n[d] * o->n_vocab * sizeof(float)) == 0,
              "%s, %zu rows in a step, %zu tokens at a time, %s, %s: other bits in document %zu", who, w->batch,
              w->piece, w->kept ? "kept" : "computed again", w->together ? "together" : "alone", d);
}

static const size_t batches[] = {1, 2, 5, 64, 512};
static const unsigned threads[] = {1, 2, 3, 4, 7};

enum { WAYS = 30 };

static way way_at(size_t i) {
    return (way){.batch = batches[i % 5], .piece = i / 5 % 3 == 1 ? 7 : 0, .kept = i / 5 % 3 != 2, .together = i >= 15};
}

/* Ways of one instruction set and number of threads: all, or one; gives how many. */
static size_t go_some(documents *o, const char *isa, unsigned n_threads, bool all, size_t round) {
    alm_pool *pool;
    alm_error err = {0};
    char who[64];
    bool slow = strcmp(isa, "plain") == 0 || strcmp(isa, "wide") == 0;
    size_t n = 0;
    if (slow && !all_ways && n_threads != 1 && n_threads != 3) return 0;
    CHECK_OK(alm_pool_new(&pool, n_threads, &err), &err);
    CHECK_OK(alm_compute_new_isa(&o->c, isa, pool, &err), &err);
    CHECK_OK(alm_model_pack(o->m, o->c, &err), &err);
    snprintf(who, sizeof who, "%s, %u threads", isa, n_threads);
    for (size_t i = all ? 0 : round * 7 % WAYS; i < WAYS; i++) {
        way w = way_at(i);
        bool long_way = slow && !w.kept && w.batch < 5;
        if ((long_way && all && n_threads != 3) || (all && is_encoder(o) && i % 15)) continue;
        if (long_way && !all) w.kept = true;
        go(o, &w, who);
        n++;
        if (!all) break;
    }
    alm_compute_free(o->c);
    alm_pool_free(pool);
    return n;
}

static void one_digest_of_all_ways(void **state) {
    const entry *e = *state;
    documents o = {.m = opened(e->path)};
    alm_error err = {0};
    const alm_config *c = alm_model_config(o.m);
    size_t longest = c->context < LONGEST ? c->context : LONGEST, n_ways = 0;
    size_t round = (size_t)(e - models) * 11;
    o.n_vocab = c->encoder ? c->hidden : c->n_vocab; /* numbers of a row */
    o.context = c->context;
    for (size_t d = 0; d < DOCS; d++) {
        o.n[d] = d == 1 ? 1 : d == 2 ? longest / 2 : longest - d; /* together more than 64 */
        for (size_t i = 0; i < o.n[d]; i++) o.id[d][i] = (uint32_t)((i * 7 + i * i * 13 + d * 101) % c->n_vocab);
        o.logits[d] = alm_calloc(LONGEST * o.n_vocab, sizeof(float));
        o.want[d] = alm_calloc(LONGEST * o.n_vocab, sizeof(float));
    }
    /* The meaning: plain kernels, one thread, all of a document at once. */
    CHECK_OK(alm_compute_new_isa(&o.c, "plain", NULL, &err), &err);
    for (size_t d = 0; d < DOCS; d++) {
        float *logits = o.logits[d];
        o.logits[d] = o.want[d];
        if (c->encoder) as_a_whole(&o, d, d + 1);
        else again_and_again(&o, &(way){.batch = LONGEST}, d, d + 1);
        o.logits[d] = logits;
    }
    alm_compute_free(o.c);
    for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
        if (!alm_kernels_can(*k)) continue;
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++)
            n_ways += go_some(&o, (*k)->isa, threads[i], all_ways && e->folder, round++);
    }
    alm_digest digest;
    char hex[ALM_DIGEST_HEX_BYTES];
    CHECK_OK(alm_digest_of(&digest, o.want[0], o.n[0] * o.n_vocab * sizeof(float), &err), &err);
    print_message("# %s in %zu ways\n", alm_digest_hex(hex, &digest), n_ways);
    for (size_t d = 0; d < DOCS; d++) alm_free(o.logits[d]), alm_free(o.want[d]);
    alm_model_free(o.m);
}

/* -- the reference -------------------------------------------------------------------------------------------------------- */

/* f32 in another order of sums is off by 4e-6 to 2e-5 at these models (the files' own comparison with doubles). */
static const double bound = 1e-4;

typedef struct reference {
    alm_model *m;
    alm_compute *c;
    alm_batch *b;
    alm_json_doc doc;
    alm_safetensors *s;
    char *text;
    size_t n_vocab;
} reference;

static alm_session *session_of(const reference *r, size_t context) {
    alm_session *s;
    alm_error err = {0};
    CHECK_OK(alm_session_new(&s, r->m, context, 0, &err), &err);
    return s;
}

static void feed(const reference *r, alm_session *s, const uint32_t *id, size_t n, size_t n_logits, float *logits) {
    alm_error err = {0};
    CHECK_OK(alm_batch_feed(r->b, s, id, n, n_logits, logits, &err), &err);
}

/* The last rows of ids are those of the reference; cut anywhere, all rows keep their bits. */
static double follows(const reference *r, const uint32_t *id, size_t n, const char *name, size_t n_last, size_t step) {
    alm_session *s = session_of(r, n);
    size_t n_want, n_bytes = n * r->n_vocab * sizeof(float);
    const float *want = alm_models_floats(r->s, name, &n_want);
    float *whole = alm_alloc(n_bytes), *got = alm_alloc(n_bytes);
    CHECK_INT(n_want, n_last * r->n_vocab);
    feed(r, s, id, n, n, whole);
    double off = alm_models_distance(whole + (n - n_last) * r->n_vocab, want, n_want);
    for (size_t cut = 1; cut < n; cut += step) {
        alm_session_truncate(s, 0);
        feed(r, s, id, cut, cut, got);
        feed(r, s, id + cut, n - cut, n - cut, got + cut * r->n_vocab);
        CHECK(memcmp(got, whole, n_bytes) == 0, "%s: cut at %zu", name, cut);
    }
    alm_free(whole), alm_free(got);
    alm_session_free(s);
    return off;
}

static uint32_t likeliest(const float *row, size_t n) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

static void greedy(const reference *r, const uint32_t *id, size_t n, const uint32_t *path, size_t n_path) {
    alm_session *s = session_of(r, n + n_path);
    float *row = alm_alloc(r->n_vocab * sizeof *row);
    feed(r, s, id, n, 1, row);
    for (size_t i = 0; i < n_path; i++) {
        uint32_t next = likeliest(row, r->n_vocab);
        CHECK(next == path[i], "token %zu is %u, not %u", i, next, path[i]);
        feed(r, s, &next, 1, 1, row);
    }
    alm_free(row);
    alm_session_free(s);
}

static void the_reference_says_the_same(void **state) {
    const entry *e = *state;
    size_t n, n_id, n_long, n_path;
    alm_error err = {0};
    reference r = {.m = opened(e->path)};
    r.n_vocab = alm_model_config(r.m)->n_vocab;
    if (alm_model_config(r.m)->encoder) {
        alm_session *none;
        CHECK_STATUS(alm_session_new(&none, r.m, 0, 0, &err), ALM_UNSUPPORTED, &err);
        CHECK_HOLDS(err.text, "it says no next token");
        alm_model_free(r.m);
        return; /* what the reference says of it: tests/engine/test_embedding.c */
    }
    CHECK_OK(alm_compute_new(&r.c, NULL, &err), &err);
    CHECK_OK(alm_model_pack(r.m, r.c, &err), &err);
    CHECK_OK(alm_batch_new(&r.b, r.m, r.c, 0, &err), &err);
    r.text = alm_test_slurp(alm_test_join(e->path, "expected.json"), &n);
    CHECK_OK(alm_json_parse(&r.doc, r.text, n, NULL, NULL, &err), &err);
    r.s = alm_models_open_expected(alm_test_join(e->path, "expected.safetensors"));
    uint32_t *id = alm_models_ids(alm_json_get(r.doc.node, "tokens"), &n_id);
    uint32_t *long_id = alm_models_ids(alm_json_get(r.doc.node, "long_tokens"), &n_long);
    uint32_t *path = alm_models_ids(alm_json_get(r.doc.node, "greedy"), &n_path);
    double off = follows(&r, id, n_id, "logits", n_id, 1);
    double off_long = follows(&r, long_id, n_long, "long_logits_last4", 4, all_ways ? 1 : 7);
    greedy(&r, id, n_id, path, n_path);
    print_message("# off by %.2g, %zu tokens by %.2g\n", off, n_long, off_long);
    CHECK(off <= bound && off_long <= bound, "off by %g, %g", off, off_long);
    alm_free(id), alm_free(long_id), alm_free(path);
    alm_safetensors_close(r.s);
    alm_json_doc_free(&r.doc);
    alm_free(r.text);
    alm_batch_free(r.b);
    alm_compute_free(r.c);
    alm_model_free(r.m);
}

static bool has_logits(const entry *e) {
    return e->folder && alm_file_exists(alm_test_join(e->path, "expected.json")) &&
           alm_file_exists(alm_test_join(e->path, "expected.safetensors"));
}

int main(int argc, char **argv) {
    static struct CMUnitTest tests[2 * MOST_MODELS];
    static char name[2 * MOST_MODELS][PATH_MAX + 64];
    size_t n = 0;
    setlocale(LC_ALL, "");
    all_ways = argc > 1 && strcmp(argv[1], "all") == 0;
    add_models(alm_test_source("tests/data/models"));
    add_models(alm_test_source("tests/data/models/gguf"));
    if (all_ways) {
        add_models(alm_test_source("tests/golden/models"));
        if (!alm_test_shared("oracles/models")) print_message("the shared folder is not here: only our own models\n");
        add_models(alm_test_shared("oracles/models"));
        add_models(alm_test_shared("oracles/gguf"));
    }
    for (size_t i = 0; i < n_models; i++) {
        const char *last = strrchr(models[i].path, '/') + 1;
        if (argc > 2 && !strstr(last, argv[2])) continue;
        for (int which = 0; which < 2; which++) {
            if (which == 1 && !has_logits(&models[i])) continue;
            snprintf(name[n], sizeof name[n], "%s: %s", last,
                     which ? "the reference says the same" : "one digest of all ways");
            tests[n] = (struct CMUnitTest){.name = name[n],
                                           .test_func = which ? the_reference_says_the_same : one_digest_of_all_ways,
                                           .initial_state = &models[i]};
            n++;
        }
    }
    return _cmocka_run_group_tests("matrix", tests, n, NULL, NULL);
}
