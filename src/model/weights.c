/* SPDX-License-Identifier: Apache-2.0
 *
 * weights.c - from the tensors of a file to the weights of a model.
 *
 * Each slot is looked for under its origins' names; what is missing is told all at once; shapes are compared; nothing may be
 * left over. Matrices whose rows lie together stay in the mapped file as they are, whatever their type and address (a part of
 * a fused tensor or of a stack is a view of it), so that opening costs nothing that grows with them; rows that lie apart are
 * brought together in their own type; what is turned over, and vectors, become f32.
 *
 * Hugging Face turns the first half of a head against its second half; GGUF's llama turns neighbours. The same numbers come
 * out when the rows of q and k are put in another order: row 2 i + j of a head (GGUF) is row j · half + i (Hugging Face).
 * Nothing is moved for that: the weight carries `heads`, and whoever reads a row asks alm_row_place. Biases of q and k, which
 * operations read as plain vectors, are put in order when they are taken. */
#include "base/alloc.h"
#include "dtype/dtype.h"
#include "model/family.h"

#include <stdio.h>

/* A tensor of either container: its outer dimensions taken together are rows. */
typedef struct found {
    alm_str name;
    uint32_t type; /* of GGUF; UINT32_MAX: none of them */
    uint32_t n_dims;
    uint64_t rows, cols;
    const unsigned char *at, *scales; /* scales: of blocks (alm_origin.blocks) */
} found;

typedef struct source {
    const alm_gguf *g;
    const alm_tensors *s;
    const char *prefix;      /* GGUF: in front of all names */
    const char *root, *used; /* Hugging Face: the family's beginning of names, and the one in this file */
} source;

static size_t n_tensors(const source *from) {
    return from->g ? alm_gguf_tensor_count(from->g) : alm_tensors_count(from->s);
}

/* Vectors are columns of one item each. */
static bool find_gguf(found *out, const source *from, const char *name) {
    char full[200];
    snprintf(full, sizeof full, "%s%s", from->prefix, name);
    const alm_gguf_tensor *t = alm_gguf_find_tensor(from->g, full);
    if (!t) return false;
    *out = (found){t->name, t->type, t->n_dims, t->n_items, 1, t->at};
    if (t->n_dims > 1 && t->dim[0] > 0) out->rows = t->n_items / t->dim[0], out->cols = t->dim[0];
    return true;
}

static void name_in_file(char *out, size_t out_bytes, const source *from, const char *name) {
    size_t n = from->root ? strlen(from->root) : 0;
    bool begins = from->root && strncmp(name, from->root, n) == 0;
    snprintf(out, out_bytes, "%s%s", begins ? from->used : "", begins ? name + n : name);
}

static bool is_bytes(const alm_tensor_entry *t) { return t && strcmp(t->type_name, "U8") == 0; }

/* Both tensors of MXFP4 blocks; a row has so many blocks. */
static bool find_blocks(found *out, const source *from, const char *name, size_t blocks) {
    char full[220];
    name_in_file(full, 200, from, name);
    size_t n = strlen(full);
    memcpy(full + n, "_blocks", 8);
    const alm_tensor_entry *t = alm_tensors_find(from->s, alm_str_of(full));
    memcpy(full + n, "_scales", 8);
    const alm_tensor_entry *s = alm_tensors_find(from->s, alm_str_of(full));
    if (!t || !s || blocks == 0) return false;
    *out = (found){t->name, UINT32_MAX, t->n_dims, 0, 0, t->at, s->at};
    /* Anything else than a byte a scale and 16 a block has no rows, and no shape that fits. */
    if (is_bytes(t) && is_bytes(s) && s->n_items <= UINT64_MAX / 16 && t->n_items == 16 * s->n_items &&
        s->n_items % blocks == 0)
        out->rows = s->n_items / blocks, out->cols = 32 * blocks;
    return true;
}

static bool find_hf(found *out, const source *from, const char *name) {
    char full[200];
    name_in_file(full, sizeof full, from, name);
    const alm_tensor_entry *t = alm_tensors_find(from->s, alm_str_of(full));
    if (!t) return false;
    uint64_t inner = t->n_dims > 0 ? t->dim[t->n_dims - 1] : 1;
    *out = (found){t->name, t->type, t->n_dims, t->n_items, 1, t->at};
    if (t->n_dims > 1 && inner > 0) out->rows = t->n_items / inner, out->cols = inner;
    return true;
}

static bool lies_in(const alm_origin *o, const source *from) { return o->in == (from->g ? ALM_IN_GGUF : ALM_IN_HF); }

static const alm_origin *find(found *out, const source *from, const alm_slot *slot) {
    for (size_t i = 0; i < ALM_SLOT_ORIGINS; i++) {
        const alm_origin *o = &slot->origin[i];
        if (!lies_in(o, from)) continue;
        if (o->blocks ? find_blocks(out, from, o->name, slot->n_cols / 32)
            : from->g ? find_gguf(out, from, o->name)
                      : find_hf(out, from, o->name))
            return o;
    }
    return NULL;
}

/* -- one weight --------------------------------------------------------------------------------------------------------- */

/* Rows and columns as the file has them: a vector is a column. */
static size_t rows_of(const alm_slot *s) { return s->vector ? s->n_cols : s->n_rows; }
static size_t cols_of(const alm_slot *s) { return s->vector ? 1 : s->n_cols; }

/* Columns of a tensor that lies turned over. */
static size_t wide_of(const alm_slot *s, const alm_origin *o) { return o->wide ? o->wide : s->n_rows; }

static alm_status check_shape(const found *t, const alm_slot *s, const alm_origin *o, alm_error *err) {
    size_t rows = o->rows         ? o->rows
                  : o->transposed ? cols_of(s)
                                  : rows_of(s),
           cols = o->transposed ? wide_of(s, o) : cols_of(s);
    /* Parts of stacks have a dimension more, and a part of a stack of vectors lies in rows. */
    bool fits = o->rows && s->vector ? t->rows * t->cols == rows
                : s->vector          ? t->n_dims == 1 && t->rows == rows
                            : (t->n_dims == 2 || (t->n_dims == 3 && o->rows)) && t->rows == rows && t->cols == cols;
    if (fits) return ALM_OK;
    char wanted[64];
    if (s->vector) snprintf(wanted, sizeof wanted, "%zu", rows);
    else snprintf(wanted, sizeof wanted, "%zu x %zu", rows, cols);
    if (t->n_dims == 1)
        return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s has %llu items, the configuration needs %s",
                        ALM_ARG(t->name), (unsigned long long)t->rows, wanted);
    return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s is %llu x %llu (%u dimensions), not %s",
                    ALM_ARG(t->name), (unsigned long long)t->rows, (unsigned long long)t->cols, t->n_dims, wanted);
}

/* The row of the tensor that holds row `row` of the weight. */
static size_t row_in_file(const alm_origin *o, size_t row) {
    return o->group ? o->first + row / o->group * o->stride + row % o->group : o->first + row;
}

static alm_status take_vector(float *out, const alm_slot *s, const alm_origin *o, const found *t,
                              const alm_type *type) {
    for (size_t i = 0; i < s->n_cols; i++) {
        size_t at = row_in_file(o, alm_row_place(o->split ? s->heads : 0, s->n_cols, i));
        type->decode(&out[i], t->at + at * type->block_bytes, 1);
        out[i] += o->plus;
    }
    return ALM_OK;
}

/* Row c of the tensor is column c of the weight. */
static alm_status turn_over(float *out, const alm_slot *s, const alm_origin *o, const found *t, const alm_type *type,
                            alm_error *err) {
    size_t n = wide_of(s, o), row_bytes = n / type->block * type->block_bytes, step = o->wide_step ? o->wide_step : 1;
    float *line = alm_calloc(n, sizeof *line);
    if (!line) return alm_fail_memory(err);
    for (size_t c = 0; c < s->n_cols; c++) {
        type->decode(line, t->at + row_in_file(o, c) * row_bytes, n);
        for (size_t r = 0; r < s->n_rows; r++) out[r * s->n_cols + c] = line[o->wide_first + r * step];
    }
    alm_free(line);
    return ALM_OK;
}

enum { MXFP4_BYTES = 17 };

/* A byte of theirs holds numbers 2 i and 2 i + 1 of a block; of GGUF's, numbers i and i + 16, the scale in front. */
static void turn_block(unsigned char *out, unsigned char scale, const unsigned char *in) {
    out[0] = scale;
    for (size_t i = 0; i < 16; i++) {
        unsigned shift = i % 2 ? 4 : 0, low = (unsigned)in[i / 2] >> shift & 15U;
        unsigned high = (unsigned)in[8 + i / 2] >> shift & 15U;
        out[1 + i] = (unsigned char)(low | high << 4);
    }
}

static alm_status take_blocks(alm_model *m, size_t i, const found *t, const alm_origin *o, alm_error *err) {
    const alm_slot *s = &m->slot[i];
    size_t n = s->n_cols / 32;
    if (t->rows != o->rows || t->cols != s->n_cols)
        return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s and its scales are not %zu rows of %zu blocks",
                        ALM_ARG(t->name), o->rows, n);
    unsigned char *own = alm_calloc(s->n_rows, n * MXFP4_BYTES);
    if (!own) return alm_fail_memory(err);
    m->weight[i].at = m->own[i] = own;
    m->weight[i].type = ALM_MXFP4;
    for (size_t r = 0; r < s->n_rows; r++) {
        size_t at = row_in_file(o, r) * n;
        for (size_t b = 0; b < n; b++, own += MXFP4_BYTES) turn_block(own, t->scales[at + b], t->at + 16 * (at + b));
    }
    return ALM_OK;
}

static alm_status gather(unsigned char *out, const alm_slot *s, const alm_origin *o, const found *t, size_t row_bytes) {
    for (size_t r = 0; r < s->n_rows; r++)
        memcpy(out + r * row_bytes, t->at + row_in_file(o, r) * row_bytes, row_bytes);
    return ALM_OK;
}

static alm_status take(alm_model *m, size_t i, const found *t, const alm_origin *o, alm_error *err) {
    const alm_slot *s = &m->slot[i];
    alm_weight *w = &m->weight[i];
    if (o->blocks) return take_blocks(m, i, t, o, err);
    const alm_type *type = alm_type_find(t->type);
    alm_status st = check_shape(t, s, o, err);
    if (st != ALM_OK) return st;
    if (!type || (o->transposed ? wide_of(s, o) : cols_of(s)) % type->block)
        return alm_fail(err, ALM_UNSUPPORTED, "unsupported: tensor %.*s has a type that this build cannot decode",
                        ALM_ARG(t->name));
    size_t row_bytes = o->transposed ? 0 : cols_of(s) / type->block * type->block_bytes;
    const unsigned char *at = t->at + o->first * row_bytes;
    bool stays = !o->transposed && !o->group && o->plus == 0.0F &&
                 (!s->vector || (!(o->split && s->heads) && t->type == ALM_F32 && (uintptr_t)at % sizeof(float) == 0));
    w->heads = o->split && !s->vector ? s->heads : 0;
    w->type = s->vector || o->transposed ? (uint32_t)ALM_F32 : t->type;
    if (stays) return w->at = at, ALM_OK;
    void *own = alm_calloc(s->n_rows, w->type == ALM_F32 ? s->n_cols * sizeof(float) : row_bytes);
    if (!own) return alm_fail_memory(err);
    w->at = m->own[i] = own;
    if (s->vector) return take_vector(own, s, o, t, type);
    return o->transposed ? turn_over(own, s, o, t, type, err) : gather(own, s, o, t, row_bytes);
}

/* -- all of them --------------------------------------------------------------------------------------------------------- */

/* What the head's own matrix is called in Hugging Face. */
static alm_str head_name(const alm_family *f) {
    for (size_t r = 0; r < f->n_rows; r++)
        if (f->row[r].flags & ALM_ROW_HEAD) return alm_str_of(f->row[r].hf);
    return ALM_STR("");
}

/* Buffers that older programs stored, and the copy of a tied embedding: no weights. */
static bool is_known_extra(const alm_model *m, const source *from, alm_str name) {
    if (from->g) return false;
    if (alm_str_ends(name, ALM_STR(".rotary_emb.inv_freq"))) return true;
    for (const char *const *like = m->family->ignored; like && *like; like++) {
        alm_str part = alm_str_of(*like);
        bool end = part.at[0] == '*';
        part = alm_str_slice(part, end, part.n - !end);
        if (end ? alm_str_ends(name, part) : alm_str_starts(name, part)) return true;
    }
    if (!m->config.tied || !alm_str_eq(name, head_name(m->family))) return false;
    char embedding[200];
    name_in_file(embedding, sizeof embedding, from, m->slot[0].origin[1].name);
    const alm_tensor_entry *head = alm_tensors_find(from->s, name),
                           *table = alm_tensors_find(from->s, alm_str_of(embedding));
    return table && head->type == table->type && head->n_bytes == table->n_bytes &&
           memcmp(head->at, table->at, head->n_bytes) == 0;
}

static bool is_slot(const alm_model *m, const source *from, alm_str name) {
    static const char *const divisors[] = {"rope_freqs.weight", "rope_factors_long.weight",
                                           "rope_factors_short.weight"};
    if (from->g) {
        alm_str prefix = alm_str_of(from->prefix);
        if (!alm_str_starts(name, prefix)) return true; /* somebody else's */
        name = alm_str_slice(name, prefix.n, name.n);
        for (size_t i = 0; i < 3; i++)
            if (alm_str_eq(name, alm_str_of(divisors[i]))) return true;
    }
    for (size_t i = 0; i < m->n_weight; i++) {
        for (size_t k = 0; k < ALM_SLOT_ORIGINS; k++) {
            const alm_origin *o = &m->slot[i].origin[k];
            char full[200];
            if (!lies_in(o, from)) continue;
            name_in_file(full, sizeof full, from, o->name);
            alm_str known = alm_str_of(full);
            if (alm_str_eq(name, known)) return true;
            if (!o->blocks || !alm_str_starts(name, known)) continue;
            known = alm_str_slice(name, known.n, name.n);
            if (alm_str_eq(known, ALM_STR("_blocks")) || alm_str_eq(known, ALM_STR("_scales"))) return true;
        }
    }
    return false;
}

/* One that is not expected is told with its name; looking costs n_tensors × n_weight only when there is one, or a prefix. */
static alm_status check_rest(const alm_model *m, const source *from, size_t n_used, alm_error *err) {
    if (n_tensors(from) == n_used) return ALM_OK;
    for (size_t i = 0; i < n_tensors(from); i++) {
        alm_str name = from->g ? alm_gguf_tensor_at(from->g, i)->name : alm_tensors_at(from->s, i)->name;
        if (is_slot(m, from, name) || is_known_extra(m, from, name)) continue;
        alm_fail(err, ALM_UNSUPPORTED, "unsupported: the configuration has no place for tensor %.*s", ALM_ARG(name));
        alm_hint(err, "the model is of another kind than its configuration says, or holds weights of an extension");
        return ALM_UNSUPPORTED;
    }
    return ALM_OK;
}

/* What is not there, all at once, as far as a message reaches. */
typedef struct absent {
    char names[420];
    const char *last;
    size_t n_bytes, n, n_named;
} absent;

static void note_absent(absent *a, const source *from, const alm_slot *s) {
    const char *name = "?";
    for (size_t i = ALM_SLOT_ORIGINS; i-- > 0;)
        if (lies_in(&s->origin[i], from)) name = s->origin[i].name;
    if (a->last && strcmp(a->last, name) == 0) return; /* another part of the same tensor */
    a->last = name;
    a->n++;
    size_t n = strlen(name) + (a->n_named ? 2 : 0);
    if (a->n_named + 1 < a->n || a->n_bytes + n >= sizeof a->names) return;
    snprintf(a->names + a->n_bytes, sizeof a->names - a->n_bytes, "%s%s", a->n_named++ ? ", " : "", name);
    a->n_bytes += n;
}

static alm_status say_absent(const absent *a, alm_error *err) {
    if (a->n == 0) return ALM_OK;
    char more[40] = "";
    if (a->n > a->n_named) snprintf(more, sizeof more, " and %zu more", a->n - a->n_named);
    return alm_fail(err, ALM_MALFORMED, "missing_tensor: %s%s %s not there", a->names, more, a->n == 1 ? "is" : "are");
}

static alm_status fill(alm_model *m, const source *from, size_t n_used, alm_error *err) {
    absent none = {0};
    for (size_t i = 0; i < m->n_weight; i++) {
        found t;
        const alm_origin *o = find(&t, from, &m->slot[i]);
        if (!o && m->slot[i].optional) continue;
        if (!o) {
            note_absent(&none, from, &m->slot[i]);
            continue;
        }
        n_used += o->first == 0 && o->wide_first == 0 ? 1U + o->blocks
                                                      : 0; /* a tensor of several weights counts with its first */
        alm_status st = take(m, i, &t, o, err);
        if (st != ALM_OK) return st;
    }
    alm_status st = say_absent(&none, err);
    return st == ALM_OK ? check_rest(m, from, n_used, err) : st;
}

/* GGUF keeps the scaling of RoPE as tensors of divisors; longrope's two went into the configuration. */
static alm_status take_rope(alm_model *m, const source *from, size_t *n_used, alm_error *err) {
    found t;
    size_t n = alm_config_pairs(&m->config);
    if (m->config.rope_kind == ALM_ROPE_LONG && m->config.rope_factor != 0.0) *n_used += 2;
    if (!find_gguf(&t, from, "rope_freqs.weight")) return ALM_OK;
    if (t.n_dims != 1 || t.rows != n || t.type != ALM_F32)
        return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s is no f32 vector of %zu", ALM_ARG(t.name), n);
    if (!m->rope_factor && !(m->rope_factor = alm_calloc(n, sizeof *m->rope_factor))) return alm_fail_memory(err);
    memcpy(m->rope_factor, t.at, n * sizeof *m->rope_factor);
    for (size_t i = 0; i < n; i++)
        if (!(m->rope_factor[i] >= 1e-6F && m->rope_factor[i] <= 1e6F))
            return alm_fail(err, ALM_MALFORMED, "bad_value: tensor %.*s divides a frequency by %g", ALM_ARG(t.name),
                            (double)m->rope_factor[i]);
    return ++*n_used, ALM_OK;
}

alm_status alm_weights_from_gguf(alm_model *m, const alm_gguf *g, const char *prefix, alm_error *err) {
    const source from = {.g = g, .prefix = prefix};
    size_t n_used = 0;
    alm_status st = take_rope(m, &from, &n_used, err);
    return st == ALM_OK ? fill(m, &from, n_used, err) : st;
}

/* The beginning of names under which the embedding is found. */
alm_status alm_weights_from_hf(alm_model *m, const alm_tensors *s, alm_error *err) {
    const char *const *roots = m->family->hf_roots;
    source from = {.s = s, .prefix = "", .root = roots ? roots[0] : NULL, .used = roots ? roots[0] : NULL};
    for (size_t i = 0; roots && roots[i]; i++) {
        source with = from;
        found t;
        with.used = roots[i];
        if (!find(&t, &with, &m->slot[0])) continue;
        from = with;
        break;
    }
    return fill(m, &from, 0, err);
}
