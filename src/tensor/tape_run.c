/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/tape_run.c - computing what is written down: forward, the loss, back; each number forgotten as early as it may be.
 *
 * Everything runs twice. First dry: the same walk, taking and giving back places in the region (tape_region.c) without a
 * number being computed. Then the region's size is known, its memory is made once, and the walk is repeated for real: the
 * same requests in the same order get the same places. MEASURE stops after the dry walk; so it cannot count anything else
 * than TRAIN takes.
 *
 * Forward, a node is given back after the last step that reads it, unless the way back reads it too (keeps). On the way back
 * a cheap node is made again where it is first read (present); a part that forgets is computed again when the walk reaches
 * its end (again), and only those of its steps that the way back needs: its last product usually is not.
 * A node's x and dx are given back when the step that made it has been walked back through.
 *
 * Gradients: a node's first reader on the way back writes dx, the others add, in the order of the walk, which is the
 * reverse of the order in which the steps were written down. */
#include "tensor/tape_inner.h"

#include "base/alloc.h"

static void *place(const alm_tape *t, size_t at) { return t->dry || at == ALM_NOWHERE ? NULL : t->base + at; }

static size_t take(alm_tape *t, size_t n_bytes) {
    size_t at = alm_region_take(&t->region, n_bytes);
    if (at == ALM_NOWHERE) {
        alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
    } else if (!t->dry && t->region.top > t->base_bytes) { /* the dry walk has been another one: a mistake of ours */
        alm_region_give(&t->region, at);
        at = ALM_NOWHERE;
        alm_tape_fail(t, ALM_INVALID, "the step takes more memory than was planned");
    }
    return at;
}

static void take_x(alm_tape *t, alm_node_in *n) {
    n->x_at = take(t, n->bytes);
    n->node.x = place(t, n->x_at);
}

static void take_dx(alm_tape *t, alm_node_in *n) {
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): only nodes of the step come here */
    n->dx_at = take(t, n->bytes);
    n->node.dx = place(t, n->dx_at);
}

static void give_x(alm_tape *t, alm_node_in *n) {
    if (n->x_at == ALM_NOWHERE || n->pinned) return;
    alm_region_give(&t->region, n->x_at);
    n->x_at = ALM_NOWHERE;
    n->node.x = NULL;
}

static void give_dx(alm_tape *t, alm_node_in *n) {
    if (n->dx_at == ALM_NOWHERE) return;
    alm_region_give(&t->region, n->dx_at);
    n->dx_at = ALM_NOWHERE;
    n->node.dx = NULL;
}

static void compute(alm_tape *t, alm_step *s) {
    if (s->out) take_x(t, s->out);
    else if (t->mode != ALM_TAPE_INFER) take_dx(t, s->in[0]); /* the loss makes the first gradient */
    size_t n_bytes = s->op->forward_bytes ? s->op->forward_bytes(t, s) : 0;
    size_t scratch = n_bytes ? take(t, n_bytes) : ALM_NOWHERE;
    if (!t->dry && t->error.status == ALM_OK) s->op->forward(t, s, place(t, scratch));
    if (scratch != ALM_NOWHERE) alm_region_give(&t->region, scratch);
}

/* -- forward -------------------------------------------------------------------------------------------------------- */

static bool cheap(const alm_tape *t, const alm_node_in *n) { return t->step[n->step]->op->cheap; }

/* The way back needs the numbers of the way forward. */
static bool keeps(const alm_tape *t, const alm_node_in *n) {
    if (t->mode == ALM_TAPE_INFER) return false;
    if (n->read_far) return true;
    return n->read_near && t->step[n->step]->part == ALM_NOWHERE && !cheap(t, n);
}

static void go_forward(alm_tape *t) {
    for (size_t i = t->done; i < t->n_steps && t->error.status == ALM_OK; i++) {
        alm_step *s = t->step[i];
        compute(t, s);
        for (size_t k = 0; k < ALM_OP_INPUTS; k++) {
            if (s->in[k] && s->in[k]->last == i && !keeps(t, s->in[k])) give_x(t, s->in[k]);
        }
    }
}

/* -- back ----------------------------------------------------------------------------------------------------------- */

static void present(alm_tape *t, alm_node_in *n) {
    if (n->x_at != ALM_NOWHERE || t->error.status != ALM_OK) return;
    alm_step *s = t->step[n->step];
    for (size_t k = 0; k < ALM_OP_INPUTS; k++) {
        if (s->in[k])
            present(t, s->in[k]); /* kept, or cheap itself: the way back reads all inputs of a cheap operation */
    }
    compute(t, s);
}

/* Computes a part's nodes that the way back reads, and what leads to them. */
static void again(alm_tape *t, const alm_part *p) {
    for (size_t i = p->from; i < p->to; i++) {
        if (!t->step[i]->out) continue;
        t->step[i]->out->again = false;
        t->step[i]->out->again_last = ALM_NOWHERE;
    }
    for (size_t i = p->to; i-- > p->from;) {
        alm_node_in *out = t->step[i]->out;
        if (!out || out->x_at != ALM_NOWHERE) continue;
        out->again = out->again || (out->read_near && !cheap(t, out));
        for (size_t k = 0; out->again && k < ALM_OP_INPUTS; k++) {
            alm_node_in *in = t->step[i]->in[k];
            if (!in || in->x_at != ALM_NOWHERE) continue;
            in->again = true;
            if (in->again_last == ALM_NOWHERE) in->again_last = i;
        }
    }
    for (size_t i = p->from; i < p->to && t->error.status == ALM_OK; i++) {
        alm_step *s = t->step[i];
        if (!s->out || !s->out->again) continue;
        compute(t, s);
        for (size_t k = 0; k < ALM_OP_INPUTS; k++) {
            alm_node_in *in = s->in[k];
            if (in && in->again && in->again_last == i && (!in->read_near || cheap(t, in))) give_x(t, in);
        }
    }
}

static void differentiate(alm_tape *t, alm_step *s) {
    for (size_t k = 0; k < ALM_OP_INPUTS; k++) {
        if (s->in[k] && s->op->reads_input >> k & 1) present(t, s->in[k]);
    }
    if (s->op->reads_output) present(t, s->out);
    for (size_t k = 0; k < ALM_OP_INPUTS; k++) {
        if (!s->in[k]) continue;
        s->fresh[k] = s->in[k]->dx_at == ALM_NOWHERE;
        if (s->fresh[k]) take_dx(t, s->in[k]);
    }
    size_t n_bytes = s->op->backward_bytes ? s->op->backward_bytes(t, s) : 0;
    size_t scratch = n_bytes ? take(t, n_bytes) : ALM_NOWHERE;
    if (!t->dry && t->error.status == ALM_OK) s->op->backward(t, s, place(t, scratch));
    if (scratch != ALM_NOWHERE) alm_region_give(&t->region, scratch);
}

static void go_back(alm_tape *t) {
    for (size_t i = t->n_steps; i-- > 0 && t->error.status == ALM_OK;) {
        alm_step *s = t->step[i];
        if (s->part != ALM_NOWHERE && t->part[s->part].to == i + 1) again(t, &t->part[s->part]);
        if (!s->out || t->error.status != ALM_OK) continue;
        if (s->out->dx_at != ALM_NOWHERE) differentiate(t, s); /* else the loss does not depend on it */
        give_dx(t, s->out);
        give_x(t, s->out);
    }
}

/* -- both, dry and for real ------------------------------------------------------------------------------------------- */

/* Memory for the planned region; what is there already moves along. */
static void make_region(alm_tape *t) {
    size_t n_bytes = t->region.peak;
    if (n_bytes > t->limit) {
        alm_tape_fail(t, ALM_LIMIT, "one step takes %zu bytes, the limit is %zu", n_bytes, t->limit);
        if (t->error.status == ALM_LIMIT) alm_hint(&t->error, "fewer rows at once need less memory");
        return;
    }
    if (n_bytes <= t->base_bytes) return;
    if (t->region.n_used == 0) { /* nothing to move: the old one makes room */
        alm_free(t->memory);
        t->memory = NULL, t->base = NULL, t->base_bytes = 0;
    }
    void *memory = alm_alloc(n_bytes + 64);
    if (!memory) {
        alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory: one step takes %zu bytes", n_bytes);
        return;
    }
    unsigned char *base = (unsigned char *)memory + ((size_t)(0 - (uintptr_t)memory) & 63);
    if (t->region.top && t->base) memcpy(base, t->base, t->region.top);
    alm_free(t->memory);
    t->memory = memory, t->base = base, t->base_bytes = n_bytes;
    for (size_t i = 0; i < t->n_steps; i++) {
        alm_node_in *n = t->step[i]->out;
        if (n && n->x_at != ALM_NOWHERE) n->node.x = place(t, n->x_at);
    }
}

/* After the dry walk: the places as they were before it. */
static void restore(alm_tape *t) {
    alm_region_clear(&t->region);
    for (size_t i = 0; i < t->n_steps; i++) {
        alm_node_in *n = t->step[i]->out;
        if (!n) continue;
        n->x_at = n->x_before;
        n->dx_at = ALM_NOWHERE;
        if (n->x_at != ALM_NOWHERE && !alm_region_hold(&t->region, n->x_at, n->bytes)) {
            alm_tape_fail(t, ALM_NO_MEMORY, "not enough memory");
            n->x_at = ALM_NOWHERE;
        }
        n->node.x = place(t, n->x_at);
        n->node.dx = NULL;
    }
}

void alm_tape_forward(alm_tape *t) {
    if (t->error.status != ALM_OK || t->done == t->n_steps) return;
    if (t->open_part != ALM_NOWHERE) {
        alm_tape_fail(t, ALM_INVALID, "a part that is computed again cannot be computed before it ends");
        return;
    }
    for (size_t i = 0; i < t->n_steps; i++) {
        if (t->step[i]->out) t->step[i]->out->x_before = t->step[i]->out->x_at;
    }
    t->region.peak = t->region.top;
    t->dry = true;
    go_forward(t);
    if (t->loss) go_back(t);
    if (t->region.peak > t->peak) t->peak = t->region.peak;
    if (t->mode == ALM_TAPE_MEASURE) {
        t->done = t->n_steps;
        return;
    }
    t->dry = false;
    restore(t);
    if (t->error.status == ALM_OK) make_region(t);
    go_forward(t);
    t->done = t->n_steps;
}

alm_status alm_tape_run(alm_tape *t, alm_node *node, alm_error *err) {
    if (node && t->error.status == ALM_OK) {
        alm_node_in *in = (alm_node_in *)node;
        in->pinned = true;
        if (in->step < t->done && in->x_at == ALM_NOWHERE && t->mode != ALM_TAPE_MEASURE) {
            alm_tape_fail(t, ALM_INVALID, "a node was computed before and forgotten: alm_tape_run names what is read");
        }
    }
    alm_tape_forward(t);
    return alm_tape_status(t, err);
}

void alm_tape_backward(alm_tape *t) {
    if (t->error.status != ALM_OK || t->mode == ALM_TAPE_MEASURE) return;
    if (t->mode != ALM_TAPE_TRAIN || !t->loss || t->went_back) {
        alm_tape_fail(t, ALM_INVALID, "the way back begins once at a cross-entropy, in a tape that trains");
        return;
    }
    t->went_back = true;
    go_back(t);
}

size_t alm_slice_rows(size_t dim) { return dim >= 4096 ? 1 : 4096 / (dim ? dim : 1); }
