/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/inspect.h - what `alm inspect` finds out about a model: tensors put in the order in which a token meets them, blocks
 * that look alike put together, and what the file says in words. */
#ifndef ALM_CLI_INSPECT_H
#define ALM_CLI_INSPECT_H

#include "base/arena.h"
#include "cli/out.h"
#include "cli/term.h"
#include "format/tensors.h"
#include "model/model.h"

enum { ALM_INSPECT_TYPES = 32 };

typedef enum alm_inspect_section {
    ALM_INSPECT_BEFORE, /* embedding */
    ALM_INSPECT_ATTENTION,
    ALM_INSPECT_FFN,
    ALM_INSPECT_AFTER /* norm, head */
} alm_inspect_section;

/* One line of the drawing: a tensor, or the same tensor of every block of a stack. */
typedef struct alm_inspect_row {
    alm_str name;   /* behind the number of the block; further numbers (experts) are "*" */
    alm_str prefix; /* in front of it; empty outside of blocks */
    alm_inspect_section section;
    int rank;           /* order in the section */
    size_t first, last; /* blocks; 0, 0 outside */
    size_t n;           /* tensors */
    const char *type;   /* NULL: several */
    uint32_t n_dims;
    uint64_t dim[ALM_TENSOR_MAX_DIMS];
    uint64_t n_bytes, n_items;
    bool varies; /* shapes differ between blocks */
} alm_inspect_row;

typedef struct alm_inspection {
    alm_arena *arena; /* texts */
    alm_tensors *tensors;
    alm_model *model; /* NULL: see why_not */
    alm_error why_not;
    char family[64];      /* as the file calls it; "" when it does not say */
    alm_inspect_row *row; /* in the order of the drawing */
    size_t n_row, cap;
    size_t n_blocks; /* of the longest stack */
    uint64_t n_items, n_bytes;
    struct {
        const char *name;
        size_t n;
        uint64_t n_items, n_bytes;
    } type[ALM_INSPECT_TYPES];
    size_t n_type;
    /* tokenizer, template, licence; at NULL: none */
    char tokenizer[24];
    size_t n_vocab;
    alm_str bos, eos, chat_template, licence, title;
} alm_inspection;

/* Of a path that alm_ref_resolve gave. A model of a family that is not known is looked at all the same. */
alm_status alm_inspect_open(alm_inspection *out, const char *path, alm_error *err);
void alm_inspect_free(alm_inspection *x);
/* Boxes and lines, at most 80 columns wide. */
void alm_inspect_draw(const alm_inspection *x, alm_out *out, const alm_term *term);
/* "384 x 64" into at, which has ALM_INSPECT_SHAPE bytes. */
enum { ALM_INSPECT_SHAPE = 200 };
const char *alm_inspect_shape(char *at, const alm_inspect_row *r);

#endif
