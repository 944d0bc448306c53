/* SPDX-License-Identifier: Apache-2.0
 *
 * model/family.h - what a family of models says about itself, and the inside of a model; private to this room.
 *
 * A family is one file: a table of its weights (names in GGUF and in Hugging Face, shapes, when there is one), a function that
 * reads its configuration from either (settings.h), and its forward pass. How a weight is cut out of a file (a part of a fused
 * tensor, one expert of a stack, a transposed matrix) is said by its origins; weights.c does it. */
#ifndef ALM_MODEL_FAMILY_H
#define ALM_MODEL_FAMILY_H

#include "format/tensors.h"
#include "model/model.h"
#include "model/settings.h"

/* -- where weights lie in files ----------------------------------------------------------------------------------------- */

enum { ALM_ORIGIN_NAME = 96, ALM_SLOT_ORIGINS = 4, ALM_FAMILY_ROWS = 64 };

typedef enum alm_container { ALM_IN_NONE, ALM_IN_GGUF, ALM_IN_HF } alm_container;

/* One tensor of a file, and how the weight lies in it. Row r of the weight (element r, where it is a vector) is row
 *     first + r / group * stride + r % group
 * of the tensor, whose outer dimensions count as rows: a stack of experts [e][n][m] has e n rows of m. */
typedef struct alm_origin {
    alm_container in;
    char name[ALM_ORIGIN_NAME];
    size_t rows;                 /* of the tensor, when several weights share it; 0: it is this weight alone */
    size_t first, group, stride; /* group 0: the rows lie together */
    bool transposed;             /* columns of the tensor are rows of the weight */
    size_t wide, wide_first,
        wide_step; /* transposed: row r is column wide_first + r wide_step of `wide` (0: of n_rows; step 0: 1) */
    bool
        blocks; /* MXFP4 as OpenAI publishes it: NAME_blocks [row][block][16] and NAME_scales [row][block], bytes both */
    bool split; /* a head's rows turn the first half against the second, while the family turns neighbours */
    float plus; /* added to each value: Gemma's norms are 1 + w */
} alm_origin;

/* The place of one weight: where it comes from (the first origin that is in the file counts), its shape, how it begins. */
typedef struct alm_slot {
    alm_origin
        origin[ALM_SLOT_ORIGINS]; /* [0] GGUF and [1] Hugging Face as they are written today, then other spellings */
    size_t n_rows, n_cols;
    bool vector;   /* one dimension in the file, n_rows = 1; stays f32 */
    float begins;  /* a vector's fresh value */
    bool residual; /* its output is added to the stream: it begins smaller */
    bool optional; /* a file may do without; the weight then has no values */
    size_t heads;  /* > 0: rows of so many heads that rotate */
} alm_slot;

/* -- what a family says ---------------------------------------------------------------------------------------------------- */

typedef enum alm_extent {
    ALM_X_ONE,
    ALM_X_VOCAB,
    ALM_X_HIDDEN,
    ALM_X_Q,    /* n_heads head_dim */
    ALM_X_KV,   /* n_kv_heads head_dim */
    ALM_X_HEAD, /* head_dim */
    ALM_X_FFN,
    ALM_X_CONTEXT,
    ALM_X_EXPERTS,
    ALM_X_EXPERT_FFN,
    ALM_X_HEADS,
    ALM_X_KINDS,
    ALM_X_LABELS
} alm_extent;

typedef enum alm_where { ALM_BEFORE, ALM_LAYER, ALM_AFTER } alm_where;
typedef enum alm_slot_kind { ALM_MATRIX, ALM_NORM, ALM_BIAS } alm_slot_kind;
enum {
    ALM_ROW_RESIDUAL = 1,   /* alm_slot.residual */
    ALM_ROW_Q = 2,          /* rows of n_heads that rotate */
    ALM_ROW_KV = 4,         /* rows of n_kv_heads that rotate */
    ALM_ROW_EXPERTS = 8,    /* n_experts of it, one behind the other; in GGUF parts of one stack */
    ALM_ROW_HEAD = 16,      /* the head's own matrix */
    ALM_ROW_HEAD_BIAS = 32, /* its bias */
    ALM_ROW_OPTIONAL = 64,  /* alm_slot.optional */
    ALM_ROW_POOLER = 128,   /* an encoder's pooler, its bias in the next row */
    ALM_ROW_LABELS = 256,   /* an encoder's classifier, its bias in the next row */
    ALM_ROW_MIXED = 512,    /* only in layers with experts (so is ALM_ROW_EXPERTS) */
    ALM_ROW_DENSE = 1024    /* only in layers without, of a mixture */
};

/* One kind of weight. In names % stands for the layer's number, # for the expert's. Rows before the layers, of a layer and
 * behind the layers stand in this order; the first is the embedding. A bool of the configuration may decide whether there is
 * one: offsetof(alm_config, ...), 0 means always. */
typedef struct alm_slot_row {
    const char *gguf, *hf;
    alm_where where;
    alm_slot_kind kind;
    alm_extent rows, cols; /* a vector has cols */
    unsigned flags;
    size_t when, unless;
} alm_slot_row;

/* Rows of a layer as most families name them: gguf and hf without what is common to all of them; then rows and columns. */
#define ALM_LAYER_NAMES(gguf, hf, end) "blk.%." gguf end, "model.layers.%." hf end, ALM_LAYER
#define ALM_LAYER_MATRIX(gguf, hf, n, m, ...) \
    { ALM_LAYER_NAMES(gguf, hf, ".weight"), ALM_MATRIX, ALM_X_##n, ALM_X_##m, __VA_ARGS__ }
#define ALM_LAYER_NORM(gguf, hf, n) \
    { ALM_LAYER_NAMES(gguf, hf, ".weight"), ALM_NORM, .cols = ALM_X_##n }
#define ALM_LAYER_BIAS(gguf, hf, n, ...) \
    { ALM_LAYER_NAMES(gguf, hf, ".bias"), ALM_BIAS, .cols = ALM_X_##n, __VA_ARGS__ }
/* Biases that a configuration may have: of Q, KV; of the feed-forward part. */
#define ALM_LAYER_BIAS_WHEN(member, gguf, hf, n, flags) \
    ALM_LAYER_BIAS(gguf, hf, n, flags, .when = offsetof(alm_config, member))
#define ALM_EMBEDDING_ROW \
    { "token_embd.weight", "model.embed_tokens.weight", .rows = ALM_X_VOCAB, .cols = ALM_X_HIDDEN }
#define ALM_LAST_NORM_ROW \
    { "output_norm.weight", "model.norm.weight", ALM_AFTER, ALM_NORM, .cols = ALM_X_HIDDEN }
/* The head's own matrix, where the embedding is not the head. */
#define ALM_HEAD_ROW                                                                                       \
    {                                                                                                      \
        "output.weight", "lm_head.weight", ALM_AFTER, ALM_MATRIX, ALM_X_VOCAB, ALM_X_HIDDEN, ALM_ROW_HEAD, \
            .unless = offsetof(alm_config, tied)                                                           \
    }

/* A forward pass on its way. */
typedef struct alm_pass {
    alm_model *m;
    const alm_rows *rows;
    size_t layer;
} alm_pass;

typedef struct alm_family {
    const char *name;
    bool reads_mxfp4;        /* it says where such blocks lie, so quantization_config may announce them */
    bool unturned;           /* no RoPE: positions are learned */
    bool neighbours;         /* pairs that rotate together lie side by side (GGUF's llama); else half a head apart */
    const alm_slot_row *row; /* [n_rows], at most ALM_FAMILY_ROWS */
    size_t n_rows;
    /* NULL-terminated, may be NULL. hf_roots: beginnings of names in Hugging Face; the first stands in the rows, a file may have
     * another one instead ("" too). ignored: tensors that are no weights, "*end of the name" or "beginning*". */
    const char *const *hf_roots, *const *ignored;
    /* Where several families share a name under general.architecture: is it this one? NULL: yes. */
    bool (*claims)(alm_settings *s);
    void (*settings)(alm_config *c, alm_settings *s);
    /* After the names of the row are set: parts of fused tensors, other spellings. NULL: nothing to say. */
    void (*origins)(alm_slot *slot, const alm_config *c, size_t row, size_t layer, size_t expert);
    alm_node *(*embed)(alm_tape *t, const alm_pass *p);
    alm_node *(*layer)(alm_tape *t, alm_node *x, const alm_pass *p);
    alm_node *(*last)(alm_tape *t, alm_node *x, const alm_pass *p);
    bool writes; /* config_write.c says all of its configuration; else this build only reads the family */
} alm_family;

#define ALM_FAMILY(name, title, gguf, hf) extern const alm_family alm_family_##name;
#include "model/families.def"
#undef ALM_FAMILY
const alm_family *alm_family_named(alm_str name); /* by its row, or NULL */
/* The family of a file, by general.architecture or model_type; NULL and the refusal in s when there is none. */
const alm_family *alm_family_of(alm_settings *s);

/* Slots of a layout: how many, and each (i < n). layer_at [n_layers] become the indices of the layers' first weights;
 * row_at[dense][row] that of a row's first weight, counted from the layer's first where it belongs to layers (with experts or
 * without: alm_config_is_dense), else from 0; SIZE_MAX: not there. */
size_t alm_slots_count(const alm_family *f, const alm_config *c, size_t row_at[2][ALM_FAMILY_ROWS], size_t *layer_at);
void alm_slots_make(alm_slot *slot, const alm_family *f, const alm_config *c);
/* Sets an origin's container and name (pattern with % and #). */
void alm_origin_name(alm_origin *o, alm_container in, const char *pattern, size_t layer, size_t expert);

/* The weight is a part of a fused tensor of so many rows, in every kind of file: it begins at row `first`. */
void alm_slot_part(alm_slot *s, size_t rows, size_t first);

/* -- for forward passes (pass.c) --------------------------------------------------------------------------------------------- */

/* A row's weight in the pass's layer (the first expert's, where it has them); NULL: the model has none. */
alm_weight *alm_pass_weight(const alm_pass *p, size_t row);
/* x W^T, with the bias where there is one (ALM_FAMILY_ROWS: never). */
alm_node *alm_pass_linear(alm_tape *t, alm_node *x, const alm_pass *p, size_t row, size_t bias);
alm_node *alm_pass_rmsnorm(alm_tape *t, alm_node *x, const alm_pass *p, size_t row);
/* Rows of the embedding. */
alm_node *alm_pass_embed(alm_tape *t, const alm_pass *p);
/* By the layer's table. */
alm_node *alm_pass_rope(alm_tape *t, alm_node *x, size_t n_heads, const alm_pass *p);
/* x + (the multiplier of the residuals times) y. */
alm_node *alm_pass_add(alm_tape *t, alm_node *x, alm_node *y, const alm_pass *p);
alm_node *alm_pass_layernorm(alm_tape *t, alm_node *x, const alm_pass *p, size_t row, size_t bias);
/* The configuration's activation, where it is not a gate. */
alm_node *alm_pass_activation(alm_tape *t, alm_node *x, const alm_pass *p);
/* How the layer attends: its window, scale and cap. */
alm_attention alm_pass_heads(const alm_pass *p);
/* With these. */
alm_node *alm_pass_attention(alm_tape *t, alm_node *q, alm_node *k, alm_node *v, const alm_pass *p);

/* -- a model ------------------------------------------------------------------------------------------------------------------ */

/* Which table of RoPE: the plain one (longrope: for short contexts), longrope's for long ones, that of layers with a window. */
enum { ALM_TURN_PLAIN, ALM_TURN_LONG, ALM_TURN_LOCAL, ALM_TURNS };

/* A table for the first so many positions; older ones live on, because a tape may still point at them. */
typedef struct alm_rope_tables {
    alm_rope rope;
    struct alm_rope_tables *older;
} alm_rope_tables;

struct alm_model {
    const alm_family *family;
    alm_config config;
    float never_written;                                    /* alm_model_outline: where a gradient would be */
    size_t n_weight, row_at[2][ALM_FAMILY_ROWS], *layer_at; /* alm_slots_count */
    alm_slot *slot;                                         /* [n_weight] */
    alm_weight *weight;                                     /* [n_weight] */
    void **own;     /* [n_weight] values that belong to the model; NULL: they lie in a file */
    void **encoded; /* [n_weight] as alm_model_to_gguf or _to_hf gave them out last */
    bool has_grad;
    float *rope_factor; /* [pairs]: what divides the frequencies, or NULL */
    alm_rope_tables *rope[ALM_TURNS];
    alm_model_watcher *watcher;
    void *watcher_arg;
    alm_gguf *gguf;       /* opened by alm_model_open */
    alm_tensors *tensors; /* the same, of a folder */
};

/* A model with slots and no values. */
alm_status alm_model_make(alm_model **out, const alm_config *config, alm_error *err);
/* For the positions of these rows in this layer; n_positions = 0 in it when memory is out (alm_tape_rope refuses that). */
const alm_rope *alm_model_rope(alm_model *m, const alm_rows *rows, size_t layer);

/* Is it a model that can be computed? Otherwise ALM_INVALID, with the member and its bound. */
alm_status alm_config_check(const alm_config *c, alm_error *err);
/* From the keys of a GGUF file; n_vocab and tied come from tensors where there is no key. */
alm_status alm_config_from_gguf(alm_config *out, const alm_gguf *g, const char *prefix, alm_error *err);
/* config.json, as transformers 4 and 5 write it; `text` is changed. `name` stands in messages. */
alm_status alm_config_from_hf(alm_config *out, const char *name, char *text, size_t n, alm_error *err);
alm_status alm_config_to_gguf(const alm_config *c, alm_gguf_writer *w, const char *prefix, uint32_t type,
                              alm_error *err);
alm_status alm_config_to_hf(const alm_config *c, alm_buf *out, uint32_t type, alm_error *err);
/* Pairs that rotate in a head. */
static inline size_t alm_config_pairs(const alm_config *c) { return (c->rope_dims ? c->rope_dims : c->head_dim) / 2; }
/* What the scaling divides the frequency of pair i by; longrope: for short contexts. */
double alm_config_rope_factor(const alm_config *c, size_t i);
/* The vocabulary that a GGUF carries fits the model: lengths, special ids, byte tokens. */
alm_status alm_vocab_check(const alm_gguf *g, const char *prefix, size_t n_vocab, alm_error *err);

/* Fills the weights of a model that alm_model_make gave. */
alm_status alm_weights_from_gguf(alm_model *m, const alm_gguf *g, const char *prefix, alm_error *err);
alm_status alm_weights_from_hf(alm_model *m, const alm_tensors *s, alm_error *err);

#endif
