/* SPDX-License-Identifier: Apache-2.0
 *
 * weights.c - from the tensors of a file to the weights of a model, and back.
 *
 * Reading: each slot of the model is looked for by name, its shape compared, and nothing may be left over. Matrices stay in
 * the mapped file as they are, whatever their type and address, so that opening costs nothing that grows with them; vectors
 * become aligned f32.
 *
 * Hugging Face turns the first half of a head against its second half; GGUF's llama turns neighbours. The same numbers come
 * out when the rows of q and k are put in another order: row 2 i + j of a head (GGUF) is row j · half + i (Hugging Face).
 * Nothing is moved for that: the weight carries `heads`, and whoever reads a row asks alm_row_place. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "dtype/dtype.h"
#include "model/family.h"

#include <stdio.h>

/* A tensor of either container, the outermost dimension first. */
typedef struct found {
    alm_str name;
    uint32_t type; /* of GGUF; UINT32_MAX: none of them */
    uint32_t n_dims;
    uint64_t dim[2];
    const unsigned char *at;
} found;

typedef struct source {
    const alm_gguf *g;
    const alm_safetensors *s;
    const char *prefix;
} source;

static size_t n_tensors(const source *from) {
    return from->g ? alm_gguf_tensor_count(from->g) : alm_safetensors_tensor_count(from->s);
}

static bool find_gguf(found *out, const source *from, const char *name) {
    char full[200];
    snprintf(full, sizeof full, "%s%s", from->prefix, name);
    const alm_gguf_tensor *t = alm_gguf_find_tensor(from->g, full);
    if (!t) return false;
    *out = (found){t->name, t->type, t->n_dims, {t->dim[0], 1}, t->at};
    if (t->n_dims == 2) out->dim[0] = t->dim[1], out->dim[1] = t->dim[0];
    return true;
}

static bool find_hf(found *out, const source *from, const char *name) {
    const alm_safetensors_tensor *t = alm_safetensors_find(from->s, name);
    if (!t) return false;
    *out = (found){t->name, alm_safetensors_type_gguf(t->type), t->n_dims, {t->dim[0], t->dim[1]}, t->at};
    return true;
}

static bool find(found *out, const source *from, const alm_slot *slot) {
    return from->g ? find_gguf(out, from, slot->gguf) : find_hf(out, from, slot->hf);
}

/* -- one weight --------------------------------------------------------------------------------------------------------- */

static alm_status check_shape(const found *t, const alm_slot *s, alm_error *err) {
    bool fits = s->norm ? t->n_dims == 1 && t->dim[0] == s->n_cols
                        : t->n_dims == 2 && t->dim[0] == s->n_rows && t->dim[1] == s->n_cols;
    if (fits) return ALM_OK;
    char wanted[64];
    if (s->norm) snprintf(wanted, sizeof wanted, "%zu", s->n_cols);
    else snprintf(wanted, sizeof wanted, "%zu x %zu", s->n_rows, s->n_cols);
    if (t->n_dims == 1)
        return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s has %llu items, the configuration needs %s",
                        ALM_ARG(t->name), (unsigned long long)t->dim[0], wanted);
    return alm_fail(err, ALM_MALFORMED, "bad_shape: tensor %.*s is %llu x %llu (%u dimensions), not %s",
                    ALM_ARG(t->name), (unsigned long long)t->dim[0], (unsigned long long)t->dim[1], t->n_dims, wanted);
}

static alm_status take(alm_model *m, size_t i, const found *t, bool turn, alm_error *err) {
    const alm_slot *s = &m->slot[i];
    alm_weight *w = &m->weight[i];
    const alm_type *type = alm_type_find(t->type);
    alm_status st = check_shape(t, s, err);
    if (st != ALM_OK) return st;
    if (!type || s->n_cols % type->block)
        return alm_fail(err, ALM_UNSUPPORTED, "unsupported: tensor %.*s has a type that this build cannot decode",
                        ALM_ARG(t->name));
    bool in_place = !s->norm || (t->type == ALM_F32 && (uintptr_t)t->at % sizeof(float) == 0);
    w->type = in_place ? t->type : (uint32_t)ALM_F32;
    w->heads = turn ? s->heads : 0;
    w->at = t->at;
    if (in_place) return ALM_OK;
    float *own = alm_calloc(s->n_cols, sizeof *own);
    if (!own) return alm_fail_memory(err);
    type->decode(own, t->at, s->n_cols);
    w->at = m->own[i] = own;
    return ALM_OK;
}

/* -- all of them --------------------------------------------------------------------------------------------------------- */

/* Buffers that older programs stored, and the copy of a tied embedding: no weights. */
static bool is_known_extra(const alm_model *m, const source *from, alm_str name) {
    if (from->g) return false;
    if (alm_str_ends(name, ALM_STR(".rotary_emb.inv_freq"))) return true;
    if (!m->config.tied || !alm_str_eq(name, ALM_STR("lm_head.weight"))) return false;
    const alm_safetensors_tensor *head = alm_safetensors_find(from->s, "lm_head.weight"),
                                 *table = alm_safetensors_find(from->s, m->slot[0].hf);
    return table && head->type == table->type && head->n_bytes == table->n_bytes &&
           memcmp(head->at, table->at, head->n_bytes) == 0;
}

static bool is_slot(const alm_model *m, const source *from, alm_str name) {
    if (from->g) {
        alm_str prefix = alm_str_of(from->prefix);
        if (!alm_str_starts(name, prefix)) return true; /* somebody else's */
        name = alm_str_slice(name, prefix.n, name.n);
        if (alm_str_eq(name, ALM_STR("rope_freqs.weight"))) return true;
    }
    for (size_t i = 0; i < m->n_weight; i++)
        if (alm_str_eq(name, alm_str_of(from->g ? m->slot[i].gguf : m->slot[i].hf))) return true;
    return false;
}

/* One that is not expected is told with its name; looking costs n_tensors × n_weight only when there is one, or a prefix. */
static alm_status check_rest(const alm_model *m, const source *from, size_t n_used, alm_error *err) {
    if (n_tensors(from) == n_used) return ALM_OK;
    for (size_t i = 0; i < n_tensors(from); i++) {
        alm_str name = from->g ? alm_gguf_tensor_at(from->g, i)->name : alm_safetensors_tensor_at(from->s, i)->name;
        if (is_slot(m, from, name) || is_known_extra(m, from, name)) continue;
        alm_fail(err, ALM_UNSUPPORTED, "unsupported: the configuration has no place for tensor %.*s", ALM_ARG(name));
        alm_hint(err, "the model is of another kind than its configuration says, or holds weights of an extension");
        return ALM_UNSUPPORTED;
    }
    return ALM_OK;
}

static alm_status fill(alm_model *m, const source *from, size_t n_used, alm_error *err) {
    for (size_t i = 0; i < m->n_weight; i++, n_used++) {
        found t;
        if (!find(&t, from, &m->slot[i]))
            return alm_fail(err, ALM_MALFORMED, "missing_tensor: %s is not there",
                            from->g ? m->slot[i].gguf : m->slot[i].hf);
        alm_status st = take(m, i, &t, !from->g, err);
        if (st != ALM_OK) return st;
    }
    return check_rest(m, from, n_used, err);
}

/* GGUF keeps the scaling of RoPE as a tensor of divisors. */
static alm_status take_rope(alm_model *m, const source *from, size_t *n_used, alm_error *err) {
    found t;
    size_t n = m->config.head_dim / 2;
    if (!find_gguf(&t, from, "rope_freqs.weight")) return ALM_OK;
    if (t.n_dims != 1 || t.dim[0] != n || t.type != ALM_F32)
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

alm_status alm_weights_from_hf(alm_model *m, const alm_safetensors *s, alm_error *err) {
    const source from = {.s = s, .prefix = ""};
    return fill(m, &from, 0, err);
}

/* -- back to a file -------------------------------------------------------------------------------------------------------- */

/* The values of weight i as `type`: as they lie, or a copy that lives in m->encoded until the next one. */
static alm_status encode(alm_model *m, size_t i, uint32_t type, bool turn, const void **out, alm_error *err) {
    const alm_slot *s = &m->slot[i];
    const alm_weight *w = &m->weight[i];
    const alm_type *want = alm_type_find(type);
    size_t heads = turn ? s->heads : 0; /* as the rows are wanted */
    if (!w->at) return alm_fail(err, ALM_INVALID, "an outline has no values to write");
    alm_free(m->encoded[i]);
    m->encoded[i] = NULL;
    if (w->type == type && w->heads == heads) return *out = w->at, ALM_OK;
    size_t row_bytes = s->n_cols / want->block * want->block_bytes;
    unsigned char *to = m->encoded[i] = alm_calloc(s->n_rows, row_bytes);
    float *row = alm_calloc(s->n_cols, sizeof *row);
    if (!to || !row) return alm_free(row), alm_fail_memory(err);
    for (size_t r = 0; r < s->n_rows; r++) {
        alm_weight_decode_row(row, w, r);
        want->encode(to + alm_row_place(heads, s->n_rows, r) * row_bytes, row, s->n_cols);
    }
    alm_free(row);
    return *out = to, ALM_OK;
}

static uint32_t type_for(const alm_slot *s, uint32_t type) {
    return s->norm || s->n_cols % alm_type_find(type)->block ? (uint32_t)ALM_F32 : type;
}

alm_status alm_model_to_gguf(alm_model *m, alm_gguf_writer *w, const char *prefix, uint32_t type, alm_error *err) {
    char name[200];
    const alm_type *t = alm_type_find(type);
    if (!t || !t->encode) return alm_fail(err, ALM_INVALID, "no type that weights can be written as");
    if (strlen(prefix) > 32) return alm_fail(err, ALM_INVALID, "a prefix of more than 32 bytes");
    alm_config_to_gguf(&m->config, w, prefix, type);
    if (m->rope_factor) {
        const uint64_t dim = m->config.head_dim / 2;
        snprintf(name, sizeof name, "%srope_freqs.weight", prefix);
        alm_gguf_add_tensor(w, name, ALM_F32, 1, &dim, m->rope_factor);
    }
    for (size_t i = 0; i < m->n_weight; i++) {
        const alm_slot *s = &m->slot[i];
        const uint64_t dim[2] = {s->n_cols, s->n_rows};
        uint32_t as = type_for(s, type);
        const void *at;
        alm_status st = encode(m, i, as, false, &at, err);
        if (st != ALM_OK) return st;
        snprintf(name, sizeof name, "%s%s", prefix, s->gguf);
        alm_gguf_add_tensor(w, name, as, s->norm ? 1 : 2, dim, at);
    }
    return ALM_OK;
}

static alm_status write_safetensors(alm_model *m, const char *path, alm_safetensors_type type, alm_error *err) {
    alm_safetensors_writer *w;
    alm_status st = alm_safetensors_writer_new(&w, err);
    if (st != ALM_OK) return st;
    alm_safetensors_set_meta(w, "format", ALM_STR("pt"));
    for (size_t i = 0; i < m->n_weight && st == ALM_OK; i++) {
        const alm_slot *s = &m->slot[i];
        const uint64_t dim[2] = {s->norm ? s->n_cols : s->n_rows, s->n_cols};
        const void *at = NULL;
        st = encode(m, i, alm_safetensors_type_gguf(type), true, &at, err);
        if (st == ALM_OK) alm_safetensors_add(w, s->hf, type, s->norm ? 1 : 2, dim, at);
    }
    if (st == ALM_OK) st = alm_safetensors_writer_save(w, path, err);
    alm_safetensors_writer_free(w);
    return st;
}

alm_status alm_model_to_hf(alm_model *m, const char *dir, uint32_t type, alm_error *err) {
    if (type != ALM_F32 && type != ALM_F16 && type != ALM_BF16)
        return alm_fail(err, ALM_INVALID, "safetensors holds f32, f16 and bf16");
    if (m->rope_factor && m->config.rope_factor == 0.0)
        return alm_fail(err, ALM_UNSUPPORTED,
                        "the GGUF has divisors of RoPE, but not the numbers that config.json says them with");
    alm_buf text = alm_buf_with_limit(1 << 16), path = alm_buf_with_limit(1 << 16);
    alm_status st = alm_dir_make(dir, err);
    if (st == ALM_OK) st = alm_path_join(&path, dir, "model.safetensors", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK)
        st = write_safetensors(m, path.at,
                               type == ALM_F32   ? ALM_SAFETENSORS_F32
                               : type == ALM_F16 ? ALM_SAFETENSORS_F16
                                                 : ALM_SAFETENSORS_BF16,
                               err);
    if (st == ALM_OK) st = alm_config_to_hf(&m->config, &text, type, err);
    if (st == ALM_OK) st = alm_path_join(&path, dir, "config.json", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK) st = alm_file_write(path.at, text.at, text.n, err);
    alm_buf_free(&text);
    alm_buf_free(&path);
    return st;
}
