/* SPDX-License-Identifier: Apache-2.0
 *
 * weights_write.c - the weights of a model back into a GGUF or a Hugging Face folder.
 *
 * Only weights that are tensors of their own are written (no parts of fused ones): so it is in the families that say `writes`. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/path.h"
#include "dtype/dtype.h"
#include "model/family.h"

#include <stdio.h>

/* One row of numbers in `type`, put in Hugging Face's order where it is a bias of so many heads. */
static void encode_vector(unsigned char *to, const alm_type *type, const float *x, size_t n, size_t heads) {
    for (size_t k = 0; k < n; k++) type->encode(to + alm_row_place(heads, n, k) * type->block_bytes, &x[k], 1);
}

/* The values of weight i as `type`: as they lie, or a copy that lives in m->encoded until the next one. */
static alm_status encode(alm_model *m, size_t i, uint32_t type, bool turn, const void **out, alm_error *err) {
    const alm_slot *s = &m->slot[i];
    const alm_weight *w = &m->weight[i];
    const alm_type *want = alm_type_find(type);
    size_t heads = turn && m->family->neighbours ? s->heads : 0; /* as the rows are wanted */
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
        if (s->vector && heads) encode_vector(to, want, row, s->n_cols, heads);
        else want->encode(to + alm_row_place(heads, s->n_rows, r) * row_bytes, row, s->n_cols);
    }
    alm_free(row);
    return *out = to, ALM_OK;
}

static uint32_t type_for(const alm_slot *s, uint32_t type) {
    return s->vector || s->n_cols % alm_type_find(type)->block ? (uint32_t)ALM_F32 : type;
}

alm_status alm_model_to_gguf(alm_model *m, alm_gguf_writer *w, const char *prefix, uint32_t type, alm_error *err) {
    char name[200];
    const alm_type *t = alm_type_find(type);
    if (!t || !t->encode) return alm_fail(err, ALM_INVALID, "no type that weights can be written as");
    if (strlen(prefix) > 32) return alm_fail(err, ALM_INVALID, "a prefix of more than 32 bytes");
    alm_status st = alm_config_to_gguf(&m->config, w, prefix, type, err);
    if (st != ALM_OK) return st;
    if (m->rope_factor && m->config.rope_kind == ALM_ROPE_LLAMA3) {
        const uint64_t dim = alm_config_pairs(&m->config);
        snprintf(name, sizeof name, "%srope_freqs.weight", prefix);
        alm_gguf_add_tensor(w, name, ALM_F32, 1, &dim, m->rope_factor);
    }
    for (size_t i = 0; i < m->n_weight; i++) {
        const alm_slot *s = &m->slot[i];
        const uint64_t dim[2] = {s->n_cols, s->n_rows};
        uint32_t as = type_for(s, type);
        const void *at;
        if ((st = encode(m, i, as, false, &at, err)) != ALM_OK) return st;
        snprintf(name, sizeof name, "%s%s", prefix, s->origin[0].name);
        alm_gguf_add_tensor(w, name, as, s->vector ? 1 : 2, dim, at);
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
        const uint64_t dim[2] = {s->vector ? s->n_cols : s->n_rows, s->n_cols};
        const void *at = NULL;
        st = encode(m, i, alm_safetensors_type_gguf(type), true, &at, err);
        if (st == ALM_OK) alm_safetensors_add(w, s->origin[1].name, type, s->vector ? 1 : 2, dim, at);
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
    alm_status st = alm_config_to_hf(&m->config, &text, type, err);
    if (st == ALM_OK) st = alm_dir_make(dir, err);
    if (st == ALM_OK) st = alm_path_join(&path, dir, "model.safetensors", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK)
        st = write_safetensors(m, path.at,
                               type == ALM_F32   ? ALM_SAFETENSORS_F32
                               : type == ALM_F16 ? ALM_SAFETENSORS_F16
                                                 : ALM_SAFETENSORS_BF16,
                               err);
    if (st == ALM_OK) st = alm_path_join(&path, dir, "config.json", err);
    if (st == ALM_OK && !alm_buf_text(&path)) st = alm_fail_memory(err);
    if (st == ALM_OK) st = alm_file_write(path.at, text.at, text.n, err);
    alm_buf_free(&text);
    alm_buf_free(&path);
    return st;
}
