/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/weight.c - a weight as it lies in its file: rows, decoded one by one; panels for products.
 *
 * Panels (k_matmul.h) are made once for models that are only read: bf16 and f16 keep their 16 bits and are widened in the
 * product, everything else becomes f32. So panels of a quantised weight are four to sixteen times as long as the weight:
 * whether that is worth it is for the caller to say. Unpacked, a product decodes what it needs as it runs. */
#include "base/alloc.h"
#include "tensor/op/matmul.h"

#include <string.h>

bool alm_weight_is_readable(const alm_weight *w) {
    const alm_type *t = alm_type_find(w->type);
    return t && w->n_cols % t->block == 0;
}

size_t alm_weight_row_bytes(const alm_weight *w) {
    const alm_type *t = alm_type_find(w->type);
    return w->n_cols / t->block * t->block_bytes;
}

static const unsigned char *row_at(const alm_weight *w, size_t row) {
    return (const unsigned char *)w->at + alm_row_place(w->heads, w->n_rows, row) * alm_weight_row_bytes(w);
}

void alm_weight_decode_row(float *out, const alm_weight *w, size_t row) {
    alm_type_find(w->type)->decode(out, row_at(w, row), w->n_cols);
}

/* -- panels --------------------------------------------------------------------------------------------------------- */

/* One panel and one block of k: 16 bits as they are. */
static void pack_half(uint16_t *to, const alm_weight *w, size_t panel, size_t k, size_t kk) {
    for (size_t l = 0; l < ALM_PANEL; l++) {
        size_t row = panel * ALM_PANEL + l;
        const unsigned char *from = row < w->n_rows ? row_at(w, row) + 2 * k : NULL;
        for (size_t p = 0; p < kk; p++) {
            uint16_t bits = 0;
            if (from) memcpy(&bits, from + 2 * p, sizeof bits);
            to[p * ALM_PANEL + l] = bits;
        }
    }
}

static void pack_decoded(float *to, const alm_kernels *kernels, const alm_weight *w, size_t panel, size_t k,
                         size_t kk) {
    float tmp[ALM_PANEL * ALM_BLOCK];
    const alm_type *t = alm_type_find(w->type);
    size_t row = panel * ALM_PANEL, width = w->n_rows - row < ALM_PANEL ? w->n_rows - row : ALM_PANEL;
    for (size_t l = 0; l < width; l++)
        t->decode(tmp + l * ALM_BLOCK, row_at(w, row + l) + k / t->block * t->block_bytes, kk);
    kernels->pack(to, 0, tmp, ALM_BLOCK, 1, width, kk);
}

/* In front of the panels stands what the heap gave: 64 bytes of space keep them aligned. */
alm_status alm_weight_pack(alm_weight *w, alm_compute *c, alm_error *err) {
    if (!alm_weight_is_readable(w))
        return alm_fail(err, ALM_UNSUPPORTED, "weight %.*s: this build cannot decode type %u in rows of %zu",
                        ALM_ARG(w->name), (unsigned)w->type, w->n_cols);
    if (w->panels) return ALM_OK;
    bool half = alm_is_half(w->type);
    size_t n_panel = w->n_rows / ALM_PANEL + (w->n_rows % ALM_PANEL != 0), bytes;
    if (!alm_mul_size(&bytes, n_panel * ALM_PANEL, w->n_cols) || !alm_mul_size(&bytes, bytes, half ? 2 : 4) ||
        !alm_add_size(&bytes, bytes, 128)) {
        return alm_fail_memory(err);
    }
    char *block = alm_alloc(bytes);
    if (!block) return alm_fail_memory(err);
    char *at = block + 64 + (64 - (uintptr_t)block % 64) % 64;
    memcpy(at - sizeof block, &block, sizeof block);
    for (size_t k = 0; k < w->n_cols; k += ALM_BLOCK) {
        size_t kk = w->n_cols - k < ALM_BLOCK ? w->n_cols - k : ALM_BLOCK;
        for (size_t panel = 0; panel < n_panel; panel++) {
            size_t place = alm_panel_place(n_panel, panel, k, kk);
            if (half) pack_half((uint16_t *)(void *)at + place, w, panel, k, kk);
            else pack_decoded((float *)(void *)at + place, alm_compute_kernels(c), w, panel, k, kk);
        }
    }
    w->panels = at;
    return ALM_OK;
}

void alm_weight_unpack(alm_weight *w) {
    if (!w->panels) return;
    char *block;
    memcpy(&block, (char *)w->panels - sizeof block, sizeof block);
    alm_free(block);
    w->panels = NULL;
}
