/* SPDX-License-Identifier: Apache-2.0
 *
 * model/family.h - what a family of models says about itself, and the inside of a model; private to this room. */
#ifndef ALM_MODEL_FAMILY_H
#define ALM_MODEL_FAMILY_H

#include "base/json.h"
#include "format/safetensors.h"
#include "model/model.h"

enum { ALM_SLOT_HF_NAME = 96, ALM_MODEL_MAX_LAYERS = 4096 };

/* The place of one weight: what it is called in each kind of file, its shape, how it begins. */
typedef struct alm_slot {
    char gguf[ALM_GGUF_MAX_NAME + 1], hf[ALM_SLOT_HF_NAME];
    size_t n_rows, n_cols;
    bool norm;     /* a vector in the file; begins as ones; stays f32 */
    bool residual; /* its output is added to the stream: it begins smaller */
    size_t heads;  /* > 0: rows of so many heads that rotate; Hugging Face has them in another order */
} alm_slot;

typedef struct alm_family {
    const char *name;
    size_t (*n_slots)(const alm_config *c);
    void (*slot)(alm_slot *out, const alm_config *c, size_t i); /* i < n_slots; the embedding first, an own head last */
    alm_node *(*hidden)(alm_model *m, alm_tape *t, const alm_rows *rows, bool recompute);
} alm_family;

#define ALM_FAMILY(name) extern const alm_family alm_family_##name;
#include "model/families.def"
#undef ALM_FAMILY
const alm_family *alm_family_named(alm_str name); /* or NULL */

/* Tables of RoPE for the first so many positions; older ones live on, because a tape may still point at them. */
typedef struct alm_rope_tables {
    alm_rope rope;
    struct alm_rope_tables *older;
} alm_rope_tables;

struct alm_model {
    const alm_family *family;
    alm_config config;
    float never_written; /* alm_model_outline: where a gradient would be */
    size_t n_weight;
    alm_slot *slot;     /* [n_weight] */
    alm_weight *weight; /* [n_weight] */
    void **own;         /* [n_weight] values that belong to the model; NULL: they lie in a file */
    void **encoded;     /* [n_weight] as alm_model_to_gguf or _to_hf gave them out last */
    bool has_grad;
    float *rope_factor; /* [head_dim / 2]: what divides the frequencies, or NULL */
    alm_rope_tables *rope;
    alm_gguf *gguf;               /* opened by alm_model_open */
    alm_safetensors *safetensors; /* the same */
};

/* A model with slots and no values. */
alm_status alm_model_make(alm_model **out, const alm_config *config, alm_error *err);
/* For the positions of these rows; n_positions = 0 in it when memory is out (alm_tape_rope refuses that). */
const alm_rope *alm_model_rope(alm_model *m, const alm_rows *rows);

/* Is it a model that can be computed? Otherwise ALM_INVALID, with the member and its bound. */
alm_status alm_config_check(const alm_config *c, alm_error *err);
/* From the keys of a GGUF file; n_vocab and tied come from tensors where there is no key. */
alm_status alm_config_from_gguf(alm_config *out, const alm_gguf *g, const char *prefix, alm_error *err);
void alm_config_to_gguf(const alm_config *c, alm_gguf_writer *w, const char *prefix, uint32_t type);
/* config.json, as transformers 4 and 5 write it; `text` is changed. `name` stands in messages. */
alm_status alm_config_from_hf(alm_config *out, const char *name, char *text, size_t n, alm_error *err);
alm_status alm_config_to_hf(const alm_config *c, alm_buf *out, uint32_t type, alm_error *err);
/* What Llama 3's scaling divides the frequency of pair i by. */
double alm_config_rope_factor(const alm_config *c, size_t i);
/* The vocabulary that a GGUF carries fits the model: lengths, special ids, byte tokens. */
alm_status alm_vocab_check(const alm_gguf *g, const char *prefix, size_t n_vocab, alm_error *err);

/* Fills the weights of a model that alm_model_make gave. */
alm_status alm_weights_from_gguf(alm_model *m, const alm_gguf *g, const char *prefix, alm_error *err);
alm_status alm_weights_from_hf(alm_model *m, const alm_safetensors *s, alm_error *err);

#endif
