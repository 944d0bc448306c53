/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/tape.c - a tape's life, and writing steps down.
 *
 * Steps and nodes lie in an arena of their own (notes), numbers in the region (tape_region.c, tape_run.c). While a step is
 * written down, each node learns who reads it last on the way forward and whether the way back reads it: that is all that
 * tape_run.c needs to forget in time.
 *
 * Invariant: after a failure t->error.status is not ALM_OK, nothing more is written down and nothing is computed. */
#define ALM_TENSOR_TAPE_C
#include "tensor/tape_inner.h"

#include "base/alloc.h"

#include <stdio.h>

enum { NOTES_BYTES = 16 << 10 };

alm_status alm_tape_new(alm_tape **out, alm_compute *c, alm_tape_mode mode, size_t limit_bytes, alm_error *err) {
    alm_tape *t = alm_calloc(1, sizeof *t);
    if (!t) return alm_fail_memory(err);
    t->compute = c;
    t->mode = mode;
    t->limit = limit_bytes ? limit_bytes : SIZE_MAX;
    t->open_part = ALM_NOWHERE;
    alm_status st = alm_arena_new(&t->notes, NOTES_BYTES, 0, err);
    if (st != ALM_OK) {
        alm_tape_free(t);
        return st;
    }
    *out = t;
    return ALM_OK;
}

void alm_tape_free(alm_tape *t) {
    if (!t) return;
    alm_arena_free(t->notes);
    alm_free(t->step);
    alm_free(t->part);
    alm_free(t->region.used);
    alm_free(t->memory);
    alm_free(t);
}

void alm_tape_reset(alm_tape *t) {
    alm_arena_reset(t->notes);
    alm_region_clear(&t->region);
    t->n_steps = t->done = t->n_parts = t->n_attentions = t->peak = 0;
    t->open_part = ALM_NOWHERE;
    t->loss = NULL;
    t->went_back = t->dry = false;
    alm_error_clear(&t->error);
}

alm_status alm_tape_status(const alm_tape *t, alm_error *err) {
    if (err && t->error.status != ALM_OK) *err = t->error;
    return t->error.status;
}

unsigned alm_tape_workers(const alm_tape *t) { return t->compute ? alm_pool_threads(alm_compute_pool(t->compute)) : 1; }

size_t alm_tape_bytes(const alm_tape *t) { return t->peak; }

/* -- failing -------------------------------------------------------------------------------------------------------- */

static void fail_with(alm_tape *t, alm_status status, const char *text) {
    if (t->error.status == ALM_OK) alm_fail(&t->error, status, "%s", text);
}

void *alm_tape_fail(alm_tape *t, alm_status status, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    alm_str_vprint(text, sizeof text, format, args);
    va_end(args);
    fail_with(t, status, text);
    return NULL;
}

bool alm_tape_check(alm_tape *t, const alm_op *op, bool good, const char *format, ...) {
    if (good) return true;
    char text[512], whole[600];
    va_list args;
    va_start(args, format);
    alm_str_vprint(text, sizeof text, format, args);
    va_end(args);
    alm_str_print(whole, sizeof whole, "%s, operation %zu of the step: %s", op->name, t->n_steps, text);
    fail_with(t, ALM_INVALID, whole);
    return false;
}

void alm_note_row(atomic_size_t *bad, size_t row) {
    size_t now = atomic_load_explicit(bad, memory_order_relaxed);
    while (row < now &&
           !atomic_compare_exchange_weak_explicit(bad, &now, row, memory_order_relaxed, memory_order_relaxed)) {}
}

void alm_tape_check_rows(alm_tape *t, const alm_step *s, const atomic_size_t *bad, const char *what) {
    size_t row = atomic_load_explicit(bad, memory_order_relaxed);
    if (row == ALM_NOWHERE || t->error.status != ALM_OK) return;
    alm_str name = s->w[0] ? s->w[0]->name : ALM_STR("");
    alm_fail(&t->error, ALM_LIMIT, "%s%s%.*s, operation %zu of the step: %s in row %zu is not finite", s->op->name,
             name.n ? " " : "", ALM_ARG(name), s->index, what, row);
    alm_hint(&t->error,
             "weights or inputs hold numbers that are too large; when training, a smaller learning rate helps");
}

bool alm_tape_check_documents(alm_tape *t, const alm_op *op, const alm_rows *rows, size_t n) {
    if (!alm_tape_check(t, op, rows && rows->n == n, "%zu rows, the step has %zu", n, rows ? rows->n : 0)) return false;
    if (!rows) return false; /* for the analyzer: that was checked */
    bool good =
        n <= UINT32_MAX && rows->n_docs > 0 && rows->start && rows->start[0] == 0 && rows->start[rows->n_docs] == n;
    for (size_t d = 0; good && d < rows->n_docs; d++) good = rows->start[d] <= rows->start[d + 1];
    return alm_tape_check(t, op, good, "the borders of the documents are not in order or do not cover the %zu rows", n);
}

size_t alm_rows_position(const alm_rows *rows, size_t document) {
    return rows->position ? rows->position[document] : 0;
}

size_t alm_rows_reach(const alm_rows *rows) {
    size_t reach = 0;
    for (size_t d = 0; d < rows->n_docs; d++) {
        size_t end = alm_rows_position(rows, d) + (rows->start[d + 1] - rows->start[d]);
        if (end > reach) reach = end;
    }
    return reach;
}

/* -- writing down ---------------------------------------------------------------------------------------------------- */

alm_step *alm_tape_step(alm_tape *t, const alm_op *op, size_t n, size_t dim) {
    if (t->error.status != ALM_OK) return NULL;
    if (t->loss) return alm_tape_fail(t, ALM_INVALID, "%s after the loss: alm_tape_reset begins a step", op->name);
    size_t numbers, bytes;
    if (!alm_mul_size(&numbers, n, dim) || !alm_mul_size(&bytes, numbers, sizeof(float)) || bytes > SIZE_MAX / 4) {
        return alm_tape_fail(t, ALM_LIMIT, "%s: %zu rows of %zu numbers are more than memory can hold", op->name, n,
                             dim);
    }
    alm_step *s = alm_arena_calloc(t->notes, 1, sizeof *s);
    alm_node_in *out = s ? alm_arena_calloc(t->notes, 1, sizeof *out) : NULL;
    if (!out || !alm_grow((void **)&t->step, &t->cap_steps, t->n_steps + 1, sizeof *t->step)) {
        return alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
    }
    *out = (alm_node_in){.node = {.n = n, .dim = dim}, .bytes = bytes, .step = t->n_steps, .last = ALM_NOWHERE};
    out->x_at = out->dx_at = out->x_before = out->again_last = ALM_NOWHERE;
    *s = (alm_step){.op = op, .index = t->n_steps, .part = t->open_part, .out = out};
    t->step[t->n_steps++] = s;
    return s;
}

static void mark_read(const alm_tape *t, const alm_step *s, alm_node_in *in) {
    if (t->step[in->step]->part == s->part) in->read_near = true;
    else in->read_far = true;
}

void alm_step_reads(alm_tape *t, alm_step *s, unsigned i, alm_node *node) {
    alm_node_in *in = (alm_node_in *)node;
    s->in[i] = in;
    in->last = s->index;
    if (in->step < t->done && in->x_at == ALM_NOWHERE && t->mode != ALM_TAPE_MEASURE) {
        alm_tape_fail(t, ALM_INVALID,
                      "%s: its input was computed before and forgotten: write down all that reads a node first",
                      s->op->name);
        return;
    }
    bool from_outside = s->part != ALM_NOWHERE && t->step[in->step]->part != s->part; /* computing again needs it */
    if (s->op->reads_input >> i & 1 || from_outside) mark_read(t, s, in);
    if (s->op->reads_output && s->out) s->out->read_near = true;
}

alm_node *alm_step_node(alm_tape *t, alm_step *s) { return t->error.status == ALM_OK ? &s->out->node : NULL; }

alm_node *alm_tape_recompute(alm_tape *t, alm_node *x, alm_tape_part *fn, void *arg, bool recompute) {
    if (!x) return NULL;
    bool opens = recompute && t->mode != ALM_TAPE_INFER && t->open_part == ALM_NOWHERE && t->error.status == ALM_OK;
    if (opens) {
        if (!alm_grow((void **)&t->part, &t->cap_parts, t->n_parts + 1, sizeof *t->part)) {
            return alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
        }
        t->part[t->n_parts] = (alm_part){.from = t->n_steps, .to = t->n_steps};
        t->open_part = t->n_parts++;
    }
    alm_node *out = fn(t, x, arg);
    if (opens) {
        t->part[t->open_part].to = t->n_steps;
        t->open_part = ALM_NOWHERE;
    }
    return t->error.status == ALM_OK ? out : NULL;
}
