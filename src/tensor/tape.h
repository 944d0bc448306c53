/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/tape.h - a step through a model, said once: forward it computes, backward it differentiates.
 *
 * A model's forward pass calls the operations below in order. They are written down, not computed: alm_tape_run and
 * alm_tape_cross_entropy compute all that has been written down, when it is known what nobody needs any more. What an
 * operation is given (weights, the arrays of rows and rope) must live until the reset; structs are copied.
 * The tape has one of three modes:
 *   ALM_TAPE_INFER    computes and forgets: what no later operation needs is reused;
 *   ALM_TAPE_TRAIN    computes and remembers; alm_tape_backward then walks back and adds into the gradients of the weights;
 *   ALM_TAPE_MEASURE  computes nothing and counts the bytes that TRAIN would take: the memory estimate. Weights may have
 *                     no values (at NULL); a gradient counts as there when grad is not NULL.
 * All numbers of a step lie in one region of memory, whose size is known before the first is computed; alm_tape_reset keeps
 * it for the next step. The first failure (memory, shapes that do not fit, a number that is not finite: ALM_LIMIT) is kept:
 * later operations do nothing, alm_tape_status tells it with its place.
 *
 * A node is a matrix [n][dim], row-major f32: n rows (tokens), dim numbers each. */
#ifndef ALM_TENSOR_TAPE_H
#define ALM_TENSOR_TAPE_H

#include "base/str.h"
#include "tensor/compute.h"

typedef struct alm_tape alm_tape;
typedef enum alm_tape_mode { ALM_TAPE_INFER, ALM_TAPE_TRAIN, ALM_TAPE_MEASURE } alm_tape_mode;

typedef struct alm_node {
    size_t n, dim;
    float *x;  /* [n][dim]; NULL before it is computed and after nobody needs it. To read it: alm_tape_run */
    float *dx; /* gradient of the loss for x: only during backward */
} alm_node;

/* A weight: n_rows outputs of n_cols inputs each (a norm's vector has n_rows = 1).
 *
 * It lies as it lies in its file. Products and lookup take every type of types.def whose block divides n_cols, at any address,
 * and decode it (exactly) as they run: block by block, so that no decoded copy of the weight ever exists. Vectors (norms,
 * biases) are aligned f32. */
typedef struct alm_weight {
    alm_str name;
    uint32_t type; /* dtype.h */
    size_t n_rows, n_cols;
    size_t heads;   /* 0: rows lie in order; else see alm_weight_row */
    const void *at; /* row-major */
    float *grad;    /* [n_rows][n_cols] where it is trained (rows in order), else NULL */
    void *panels;   /* packed for products (alm_weight_pack), or NULL: packed as the product runs */
} alm_weight;

/* Where row `row` of n_rows lies. With heads > 0 the rows are those of so many heads, of which the file keeps the first
 * partners of the pairs that rotate before the second ones (Hugging Face), and the model side by side (GGUF's llama):
 * row 2 i + j of a head lies at j half + i. */
static inline size_t alm_row_place(size_t heads, size_t n_rows, size_t row) {
    if (!heads) return row;
    size_t dim = n_rows / heads, half = dim / 2, i = row % dim;
    return row - i + i % 2 * half + i / 2;
}
/* Whether products and lookup can take it: a type of this build, whose block divides n_cols. */
bool alm_weight_is_readable(const alm_weight *w);
size_t alm_weight_row_bytes(const alm_weight *w); /* from one row to the next, of a readable one */
/* Row `row` of the model, decoded: out [n_cols]. */
void alm_weight_decode_row(float *out, const alm_weight *w, size_t row);

/* What earlier steps have computed of a document: keys and values, layer by layer (tensor/kv.h). */
typedef struct alm_kv alm_kv;

/* The rows of one step: documents one behind the other, no padding; document d is rows start[d] .. start[d+1]-1. A row never
 * sees another document. A document may be continued: its first row then stands at `position`, and attention number i of the
 * step finds in kv what attention number i of the steps before left there, and leaves its own (INFER only). */
typedef struct alm_rows {
    size_t n, n_docs;
    const uint32_t *id;       /* [n] token ids */
    const uint32_t *start;    /* [n_docs + 1], start[0] = 0, start[n_docs] = n */
    const uint32_t *position; /* [n_docs] of each document's first row; NULL: 0 */
    alm_kv *const *kv;        /* [n_docs], an entry or all NULL: the document is seen as far as it lies in this step */
    size_t context;       /* for which these documents are computed, where that matters (longrope); 0: alm_rows_reach */
    const uint32_t *pick; /* [n_pick] rows whose logits are wanted, ascending; NULL: all */
    size_t n_pick;
} alm_rows;

size_t alm_rows_position(const alm_rows *rows, size_t document); /* of its first row */
size_t alm_rows_reach(const alm_rows *rows);                     /* the highest position, + 1 */

typedef struct alm_rope {
    size_t n_positions, n_pairs; /* n_pairs = rotated dimensions / 2 */
    const float *cos, *sin;      /* [n_positions][n_pairs], from alm_rope_table */
    bool interleaved; /* pairs (2i, 2i+1) as GGUF's llama stores them; else (i, i + n_pairs) as Hugging Face */
} alm_rope;

typedef struct alm_attention {
    size_t n_heads, n_kv_heads, head_dim;
    float scale;       /* usually 1/sqrt(head_dim) */
    size_t window;     /* 0: all earlier positions; w: itself and the w - 1 before */
    float softcap;     /* c > 0: a scaled score s becomes c tanh(s / c) */
    bool both_ways;    /* every row sees the whole document, not only what comes before it; no window, no kv */
    alm_weight *sinks; /* one f32 row of n_heads scores that take part in the softmax and have no value; or NULL */
} alm_attention;

/* The two forms of GELU: by tanh ("gelu_pytorch_tanh", "gelu_new") and by erf ("gelu"). */
typedef enum alm_gelu { ALM_GELU_TANH, ALM_GELU_ERF } alm_gelu;

/* A mixture of experts: each expert a gated feed-forward part, matrices and biases in arrays of one entry an expert. */
enum { ALM_MOE_MAX_USED = 64 };
typedef struct alm_moe {
    size_t n_experts, n_used;
    alm_weight *gate, *up, *down;                /* [n_experts] of [ffn][dim], [ffn][dim], [dim][ffn] */
    alm_weight *gate_bias, *up_bias, *down_bias; /* [n_experts] f32 vectors, or NULL */
    bool among_chosen;                           /* the softmax goes over the chosen scores, not over all */
    bool renormalise;                            /* the weights of the chosen are divided by their sum */
    float alpha, limit;                          /* limit > 0: alm_tape_clamped_swiglu instead of swiglu */
} alm_moe;

/* limit_bytes bounds the region (0: memory is the bound); ALM_LIMIT when a step needs more. */
alm_status alm_tape_new(alm_tape **out, alm_compute *c, alm_tape_mode mode, size_t limit_bytes, alm_error *err);
void alm_tape_free(alm_tape *t);
void alm_tape_reset(alm_tape *t); /* for the next step */
alm_status alm_tape_status(const alm_tape *t, alm_error *err);
/* Peak since the last reset, also in MEASURE (there it is known after alm_tape_cross_entropy). */
size_t alm_tape_bytes(const alm_tape *t);
/* Computes all that is written down. node->x can then be read until the next operation or reset. In MEASURE and after a
 * failure x stays NULL: look at the status. */
alm_status alm_tape_run(alm_tape *t, alm_node *node, alm_error *err);

/* Operations. A NULL argument (after a failure) gives NULL. Inputs stay as they are. */
alm_node *alm_tape_lookup(alm_tape *t, alm_weight *table, const alm_rows *rows); /* x[r] = table[id[r]] */
/* (x * r) * w, rule D. Where w is shorter than a row, each stretch of its length is normed alone: a head. */
alm_node *alm_tape_rmsnorm(alm_tape *t, alm_node *x, alm_weight *w, float eps);
alm_node *alm_tape_linear(alm_tape *t, alm_node *x, alm_weight *w,
                          alm_weight *bias); /* x W^T (+ bias), rule C; bias may be NULL */
alm_node *alm_tape_rope(alm_tape *t, alm_node *x, size_t n_heads, const alm_rope *rope,
                        const alm_rows *rows); /* rule G */
alm_node *alm_tape_attention(alm_tape *t, alm_node *q, alm_node *k, alm_node *v, const alm_attention *a,
                             const alm_rows *rows);                   /* rule E */
alm_node *alm_tape_swiglu(alm_tape *t, alm_node *gate, alm_node *up); /* silu(gate) * up */
alm_node *alm_tape_add(alm_tape *t, alm_node *a, alm_node *b);        /* rule J */

alm_node *alm_tape_geglu(alm_tape *t, alm_node *gate, alm_node *up, alm_gelu form); /* gelu(gate) * up */
alm_node *alm_tape_gelu(alm_tape *t, alm_node *x, alm_gelu form);
/* y[i] = x[row[i]]: some of the rows, ascending */
alm_node *alm_tape_pick(alm_tape *t, alm_node *x, const uint32_t *row, size_t n);
alm_node *alm_tape_slice(alm_tape *t, alm_node *x, size_t from, size_t dim); /* of each row: [from, from + dim) */
alm_node *alm_tape_scale(alm_tape *t, alm_node *x, float by);                /* x * by */
alm_node *alm_tape_softcap(alm_tape *t, alm_node *x, float c);               /* c * tanh(x / c); c = 1: tanh */

/* gate at most limit, up within -limit .. limit: (up + 1) * (gate / (1 + exp(-alpha gate))) */
alm_node *alm_tape_clamped_swiglu(alm_tape *t, alm_node *gate, alm_node *up, float alpha, float limit);
/* ((x - mean) r) * w (+ bias), rule D; bias may be NULL. */
alm_node *alm_tape_layernorm(alm_tape *t, alm_node *x, alm_weight *w, alm_weight *bias, float eps);
/* x[r] = table[first + position of r] */
alm_node *alm_tape_positions(alm_tape *t, alm_weight *table, const alm_rows *rows, size_t first);
alm_node *alm_tape_add_row(alm_tape *t, alm_node *x, alm_weight *w, size_t row); /* x[r] + w[row] */
/* Rule H; score: [n][n_experts] from the router. INFER only, ALM_UNSUPPORTED otherwise. */
alm_node *alm_tape_moe(alm_tape *t, alm_node *x, alm_node *score, const alm_moe *moe);

/* Where memory is saved: calls fn(t, x, arg) once (a layer). With `recompute` in TRAIN its inner nodes are forgotten and
 * computed again on the way back: less memory, not another bit. A part inside a part belongs to the outer one. */
typedef alm_node *alm_tape_part(alm_tape *t, alm_node *x, void *arg);
alm_node *alm_tape_recompute(alm_tape *t, alm_node *x, alm_tape_part *fn, void *arg, bool recompute);

/* The head: logits = x W^T in blocks of 256 rows that are forgotten at once; nll[r] = -log softmax(logits[r])[label[r]], NaN
 * is refused; label -1: the row does not count, nll[r] = 0. In TRAIN the gradient for x and W comes with it, each counted row
 * weighted by `weight` (1 / counted rows of the whole batch). nll is filled when it returns (not in MEASURE, where it and
 * label may be NULL). Once a step in TRAIN. */
void alm_tape_cross_entropy(alm_tape *t, alm_node *x, alm_weight *head, const int32_t *label, float weight, float *nll);
/* The same for a head whose logits are c tanh(s (x W^T + bias) / c): bias NULL, scale 0 and softcap 0 leave a part out. To TRAIN
 * only with a plain one. */
typedef struct alm_head {
    alm_weight *w, *bias;
    float scale, softcap;
} alm_head;
void alm_tape_head_loss(alm_tape *t, alm_node *x, const alm_head *how, const int32_t *label, float weight, float *nll);
/* These logits, whole: [n][n_vocab]. */
alm_node *alm_tape_head(alm_tape *t, alm_node *x, const alm_head *head);

/* From the cross-entropy back to the lookup; adds into each weight's grad. */
void alm_tape_backward(alm_tape *t);

/* *cos, *sin [n_positions][n_pairs]: angle position * theta^(-2i/dim) * (1/factor[i] when factor is given), cosine and sine
 * times `amplitude`, in double by own functions, rounded once. */
void alm_rope_table(float *cos_out, float *sin_out, size_t n_positions, size_t n_pairs, double theta, size_t dim,
                    const float *factor, double amplitude);

/* Packs a weight for products once (models that are only read): panels of 2 bytes a number for bf16 and f16, of 4 for
 * everything else. */
alm_status alm_weight_pack(alm_weight *w, alm_compute *c, alm_error *err);
void alm_weight_unpack(alm_weight *w);

#endif
