/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/tape_inner.h - what the tape's files and the operations share: steps, nodes, where their numbers lie.
 *
 * A step is one operation written down: what it reads, what it makes. An operation is one row of ops.def and one alm_op: how
 * it computes, how it differentiates, which of its numbers the way back needs. The tape decides where numbers lie and how
 * long (tape_run.c); an operation only computes. */
#ifndef ALM_TENSOR_TAPE_INNER_H
#define ALM_TENSOR_TAPE_INNER_H

#include "base/arena.h"
#include "tensor/tape.h"

#include <stdatomic.h>

#define ALM_NOWHERE SIZE_MAX
enum { ALM_OP_INPUTS = 3, ALM_OP_WEIGHTS = 2, ALM_ROW_BLOCK = 256 /* rows of one chain of rule C */ };

typedef struct alm_step alm_step;

typedef struct alm_op {
    const char *name;
    /* The way back reads input i when bit i is set, and the output when `reads_output`. */
    unsigned reads_input;
    bool reads_output;
    /* Its output is computed again on the way back rather than kept: less work than the memory is worth. All inputs must be
     * among those that the way back reads. */
    bool cheap;
    /* Bytes of scratch for each direction; NULL: none. */
    size_t (*forward_bytes)(const alm_tape *t, const alm_step *s);
    size_t (*backward_bytes)(const alm_tape *t, const alm_step *s);
    void (*forward)(alm_tape *t, alm_step *s, void *scratch);
    /* Adds into the gradients of inputs and weights; where s->fresh[i], input i has no gradient yet and it is written. */
    void (*backward)(alm_tape *t, alm_step *s, void *scratch);
} alm_op;

/* A node with its place; node.x and node.dx point there while the numbers are needed. */
typedef struct alm_node_in {
    alm_node node; /* first: an alm_node * is an alm_node_in * */
    size_t bytes;
    size_t step;        /* that makes it */
    size_t last;        /* step that reads it last on the way forward; NOWHERE: none */
    size_t x_at, dx_at; /* bytes from the region's start; NOWHERE: not there */
    size_t x_before;    /* x_at before a dry run */
    size_t again_last;  /* as `last`, among the steps that a part computes again */
    bool read_near;     /* the way back reads it from the same part (or both outside of any) */
    bool read_far;      /* the way back reads it from elsewhere */
    bool pinned;        /* the caller reads it */
    bool again;         /* its step is computed again with its part */
} alm_node_in;

struct alm_step {
    const alm_op *op;
    size_t index, part; /* part: NOWHERE when it is not forgotten */
    alm_node_in *out;   /* NULL: cross-entropy */
    alm_node_in *in[ALM_OP_INPUTS];
    alm_weight *w[ALM_OP_WEIGHTS];
    bool fresh[ALM_OP_INPUTS];
    alm_rows rows;
    union {
        float eps, factor;
        size_t from;
        const uint32_t *pick;
        alm_gelu gelu;
        alm_moe moe;
        struct {
            float a, limit;
        } gate;
        struct {
            alm_rope table;
            size_t n_heads;
        } rope;
        struct {
            alm_attention how;
            size_t number; /* among the step's attentions */
        } attention;
        struct {
            const int32_t *label;
            float weight, scale, softcap;
            float *nll;
        } loss;
    } with;
};

typedef struct alm_part {
    size_t from, to; /* steps [from, to) */
} alm_part;

/* Stretches of the region in use, by address: few (a dozen a layer), so a sorted list will do. */
typedef struct alm_stretch {
    size_t at, n;
} alm_stretch;
typedef struct alm_region {
    alm_stretch *used;
    size_t n_used, cap_used;
    size_t top, peak; /* end of the last stretch in use; the highest that it was */
} alm_region;

struct alm_tape {
    alm_compute *compute;
    alm_tape_mode mode;
    size_t limit, peak;
    alm_arena *notes; /* steps and nodes */
    alm_step **step;
    size_t n_steps, cap_steps, done; /* steps [0, done) are computed */
    alm_part *part;
    size_t n_parts, cap_parts, open_part; /* NOWHERE: none open */
    alm_step *loss;                       /* TRAIN, MEASURE: the cross-entropy */
    size_t n_attentions;                  /* written down */
    bool went_back;
    alm_region region;
    void *memory;        /* as allocated */
    unsigned char *base; /* aligned to 64 */
    size_t base_bytes;
    bool dry; /* counts, computes nothing */
    alm_error error;
};

/* -- writing down (tape.c) ------------------------------------------------------------------------------------------ */

/* A step with an output [n][dim], its inputs and weights still to be set with alm_step_reads; NULL after a failure. */
alm_step *alm_tape_step(alm_tape *t, const alm_op *op, size_t n, size_t dim);
/* Sets input i. */
void alm_step_reads(alm_tape *t, alm_step *s, unsigned i, alm_node *node);
/* The step's output, NULL after a failure. */
alm_node *alm_step_node(alm_tape *t, alm_step *s);
/* Keeps the first failure. Always gives NULL. */
void *alm_tape_fail(alm_tape *t, alm_status status, const char *format, ...) ALM_PRINTF(3, 4);
/* ALM_INVALID with the operation's name unless `good`. */
bool alm_tape_check(alm_tape *t, const alm_op *op, bool good, const char *format, ...) ALM_PRINTF(4, 5);
#if defined(__clang_analyzer__) && !defined(ALM_TENSOR_TAPE_C)
/* The analyzer sees one file at a time: tell it that what was checked holds. */
#define alm_tape_check(t, op, good, ...) (alm_tape_check(t, op, good, __VA_ARGS__), (good))
#endif
/* After a computation: fails when *bad is a row. */
void alm_tape_check_rows(alm_tape *t, const alm_step *s, const atomic_size_t *bad, const char *what);
/* Lowers *bad to `row`: the smallest row is named whoever finds it. */
void alm_note_row(atomic_size_t *bad, size_t row);
/* Rows make sense: documents in order, nothing between them. */
bool alm_tape_check_documents(alm_tape *t, const alm_op *op, const alm_rows *rows, size_t n);

/* -- computing (tape_run.c) ----------------------------------------------------------------------------------------- */

/* Computes what is written down and not yet computed. */
void alm_tape_forward(alm_tape *t);

/* -- the region (tape_region.c) --------------------------------------------------------------------------------------- */

/* The lowest gap that holds n bytes (a multiple of 64 is taken); ALM_NOWHERE when the list cannot grow. */
size_t alm_region_take(alm_region *r, size_t n_bytes);
void alm_region_give(alm_region *r, size_t at);
void alm_region_clear(alm_region *r);
/* Marks [at, at + n_bytes) as used. */
bool alm_region_hold(alm_region *r, size_t at, size_t n_bytes);

/* Threads that may compute; 1 where a tape only measures without a compute. */
unsigned alm_tape_workers(const alm_tape *t);
/* Slices of rows such that one has at least a few thousand numbers: fixed by the shape. */
size_t alm_slice_rows(size_t dim);

#define ALM_OP(name) extern const alm_op alm_op_##name;
#include "tensor/ops.def"
#undef ALM_OP

#endif
