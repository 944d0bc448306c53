/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/matmul.c - products of matrices under rule C: which parts of a result a thread computes, and from what.
 *
 * Many rows:  B is packed into panels once, by all threads, into shared scratch (or was packed before); then slices of 48
 *             rows of the result are taken by whoever is free, each with all columns and, block by block, all of k.
 * Few rows:   (up to 16: a matrix times a few vectors) slices are columns; each packs its own panels one block of 256 k at
 *             a time and uses them at once, or reads packed ones straight from memory.
 * Between:    rows and columns are both cut, so that there is work for every thread.
 *
 * Invariant: the borders of slices depend on the shape only; every chain is computed by one thread from its first block
 * to its last. */
#include "tensor/op/matmul.h"

#include "base/alloc.h"
#include "dtype/dtype.h"
#include "tensor/kernel/kernels.h"

#include <string.h>

enum {
    FEW = 16,              /* rows up to which B is not packed as a whole */
    FEW_COLUMNS = 128,     /* columns of a slice then */
    ROWS = 48,             /* rows of a slice otherwise: what the kernel copies at once */
    COLUMNS = 512,         /* columns of a slice: between two blocks of k a slice of the result stays in the cache */
    BETWEEN = 96,          /* rows up to which slices have */
    BETWEEN_COLUMNS = 128, /* fewer columns, so that there are enough of them */
    PACK_PANELS = 4        /* panels packed together */
};
#define SHARED_BYTES \
    ((size_t)4 << 20) /* panels packed at once, unless one panel is longer: they should stay in the cache */

typedef struct job {
    const alm_kernels *kernels;
    alm_compute *c;
    const alm_product *p;
    float *packed;   /* shared panels of this round, f32 */
    size_t n_panel;  /* panels of this round: a block of k is [n_panel][k of the block][16] */
    size_t first, n; /* columns of this round */
    size_t n_column_slices, column_slice;
    size_t scratch_bytes;
} job;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Where a panel begins for the block that begins at k and has kk. Blocks lie one behind the other, so that what is read
 * together is close together: at a distance of k * 64 bytes, often a power of two, panels would drive each other out of
 * the cache (measured: an eighth of the speed). */
static size_t place(size_t n_panel, size_t panel, size_t k, size_t kk) {
    return (k * n_panel + panel * kk) * ALM_PANEL;
}

/* Columns j .. j+width-1 (at most 16) of B, k from p for kk numbers, as a panel; tmp: 16 * 256 numbers. */
static void pack_panel(const job *j, float *panel, size_t column, size_t width, size_t from, size_t kk, float *tmp) {
    const alm_product *p = j->p;
    size_t at = column * p->b_col + from * p->b_k;
    if (p->b_type == ALM_F32) {
        j->kernels->pack(panel, 0, (const float *)p->b + at, p->b_col, p->b_k, width, kk);
        return;
    }
    const uint16_t *b = (const uint16_t *)p->b + at;
    if (p->b_col == 1) { /* k by k; the kernel fills up to 16 columns */
        for (size_t k = 0; k < kk; k++) j->kernels->widen_bf16(tmp + k * ALM_PANEL, b + k * p->b_k, width);
        j->kernels->pack(panel, 0, tmp, 1, ALM_PANEL, width, kk);
        return;
    }
    for (size_t l = 0; l < width; l++) j->kernels->widen_bf16(tmp + l * ALM_BLOCK, b + l * p->b_col, kk);
    j->kernels->pack(panel, 0, tmp, ALM_BLOCK, 1, width, kk);
}

/* -- many rows ------------------------------------------------------------------------------------------------------ */

/* Item: a panel of this round, all of k. */
static void pack_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice;
    const job *j = arg;
    const alm_product *p = j->p;
    float *tmp = alm_compute_scratch(j->c, worker, j->scratch_bytes);
    if (!p->panels && p->b_type == ALM_F32) {
        size_t column = j->first + from * ALM_PANEL, n = least((to - from) * ALM_PANEL, p->n - column);
        for (size_t k = 0; k < p->k; k += ALM_BLOCK)
            j->kernels->pack(j->packed + place(j->n_panel, from, k, least(ALM_BLOCK, p->k - k)),
                             least(ALM_BLOCK, p->k - k) * ALM_PANEL,
                             (const float *)p->b + column * p->b_col + k * p->b_k, p->b_col, p->b_k, n,
                             least(ALM_BLOCK, p->k - k));
        return;
    }
    for (size_t panel = from; panel < to; panel++) {
        size_t column = j->first + panel * ALM_PANEL;
        for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
            size_t kk = least(ALM_BLOCK, p->k - k);
            float *at = j->packed + place(j->n_panel, panel, k, kk);
            if (p->panels) { /* bf16, packed: only to be widened */
                size_t all = (p->n + ALM_PANEL - 1) / ALM_PANEL;
                const uint16_t *b = (const uint16_t *)p->panels + place(all, column / ALM_PANEL, k, kk);
                j->kernels->widen_bf16(at, b, kk * ALM_PANEL);
            } else {
                pack_panel(j, at, column, least(ALM_PANEL, p->n - column), k, kk, tmp);
            }
        }
    }
}

/* Item: a slice of rows and columns, numbered along the columns first. */
static void product_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice;
    const job *j = arg;
    const alm_product *p = j->p;
    float *scratch = alm_compute_scratch(j->c, worker, j->scratch_bytes);
    for (size_t item = from; item < to; item++) {
        size_t row = item / j->n_column_slices * ROWS, column = item % j->n_column_slices * j->column_slice;
        size_t m = least(ROWS, p->m - row), n = least(j->column_slice, j->n - column);
        for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
            size_t kk = least(ALM_BLOCK, p->k - k);
            j->kernels->matmul(p->out + row * p->out_row + j->first + column, p->out_row,
                               p->a + row * p->a_row + k * p->a_k, p->a_row, p->a_k,
                               j->packed + place(j->n_panel, column / ALM_PANEL, k, kk), kk * ALM_PANEL, m, n, kk,
                               k > 0 || p->add, scratch);
        }
    }
}

static bool many_rows(job *j) {
    const alm_product *p = j->p;
    bool ready = p->panels && p->b_type == ALM_F32;
    size_t panel_bytes = p->k * ALM_PANEL * sizeof(float), round = SHARED_BYTES / panel_bytes;
    if (round == 0) round = 1;
    /* Rounds of the same number of panels, in whole slices of columns. */
    size_t n_panel = (p->n + ALM_PANEL - 1) / ALM_PANEL;
    if (ready || round > n_panel) round = n_panel;
    if (n_panel == 0) return true;
    size_t n_round = (n_panel + round - 1) / round;
    round = (n_panel + n_round - 1) / n_round;
    if (!ready) {
        j->packed = alm_compute_shared(j->c, round * panel_bytes);
        if (!j->packed) return false;
    }
    j->scratch_bytes = ALM_MATMUL_SCRATCH * sizeof(float);
    for (unsigned w = 0; w < alm_pool_threads(alm_compute_pool(j->c)); w++)
        if (!alm_compute_scratch(j->c, w, j->scratch_bytes)) return false;
    for (size_t panel = 0; panel < n_panel; panel += round) {
        size_t now = least(round, n_panel - panel);
        j->first = panel * ALM_PANEL;
        j->n_panel = now;
        j->n = least(now * ALM_PANEL, p->n - j->first);
        if (ready) j->packed = (float *)p->panels; /* not written */
        else alm_pool_run(alm_compute_pool(j->c), now, PACK_PANELS, pack_slice, j);
        j->column_slice = p->m <= BETWEEN ? BETWEEN_COLUMNS : COLUMNS;
        j->n_column_slices = (j->n + j->column_slice - 1) / j->column_slice;
        alm_pool_run(alm_compute_pool(j->c), (p->m + ROWS - 1) / ROWS * j->n_column_slices, 1, product_slice, j);
    }
    return true;
}

/* -- few rows ------------------------------------------------------------------------------------------------------- */

/* Item: a column. Scratch of a worker: copy of A, panels of one block, what bf16 passes through. */
static void few_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice;
    const job *j = arg;
    const alm_product *p = j->p;
    float *copy = alm_compute_scratch(j->c, worker, j->scratch_bytes);
    float *panels = copy + ALM_MATMUL_SCRATCH, *tmp = panels + FEW_COLUMNS * ALM_BLOCK;
    for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
        size_t kk = least(ALM_BLOCK, p->k - k), n = to - from, step = kk * ALM_PANEL;
        size_t at = place((p->n + ALM_PANEL - 1) / ALM_PANEL, from / ALM_PANEL, k, kk);
        float *out = p->out + from;
        const float *a = p->a + k * p->a_k;
        bool add = k > 0 || p->add;
        if (p->panels && p->b_type == ALM_BF16) {
            j->kernels->matmul_bf16(out, p->out_row, a, p->a_row, p->a_k, (const uint16_t *)p->panels + at, step, p->m,
                                    n, kk, add, copy);
        } else if (p->panels) {
            j->kernels->matmul(out, p->out_row, a, p->a_row, p->a_k, (const float *)p->panels + at, step, p->m, n, kk,
                               add, copy);
        } else {
            for (size_t c = from; c < to; c += ALM_PANEL)
                pack_panel(j, panels + (c - from) * kk, c, least(ALM_PANEL, to - c), k, kk, tmp);
            j->kernels->matmul(out, p->out_row, a, p->a_row, p->a_k, panels, kk * ALM_PANEL, p->m, n, kk, add, copy);
        }
    }
}

static bool few_rows(job *j) {
    const alm_product *p = j->p;
    j->scratch_bytes = (ALM_MATMUL_SCRATCH + FEW_COLUMNS * ALM_BLOCK + ALM_PANEL * ALM_BLOCK) * sizeof(float);
    for (unsigned w = 0; w < alm_pool_threads(alm_compute_pool(j->c)); w++)
        if (!alm_compute_scratch(j->c, w, j->scratch_bytes)) return false;
    alm_pool_run(alm_compute_pool(j->c), p->n, FEW_COLUMNS, few_slice, j);
    return true;
}

/* -- the forms ------------------------------------------------------------------------------------------------------ */

bool alm_matmul(alm_compute *c, const alm_product *p) {
    if (p->m == 0 || p->n == 0) return true;
    if (p->k == 0) { /* an empty chain */
        for (size_t i = 0; i < p->m && !p->add; i++) memset(p->out + i * p->out_row, 0, p->n * sizeof(float));
        return true;
    }
    job j = {.kernels = alm_compute_kernels(c), .c = c, .p = p};
    return p->m <= FEW ? few_rows(&j) : many_rows(&j);
}

bool alm_matmul_forward(alm_compute *c, float *y, const float *x, const alm_weight *w, size_t n) {
    return alm_matmul(c, &(alm_product){.out = y,
                                        .out_row = w->n_rows,
                                        .m = n,
                                        .n = w->n_rows,
                                        .k = w->n_cols,
                                        .a = x,
                                        .a_row = w->n_cols,
                                        .a_k = 1,
                                        .b_type = w->type,
                                        .b = w->at,
                                        .b_col = w->n_cols,
                                        .b_k = 1,
                                        .panels = w->panels});
}

bool alm_matmul_input(alm_compute *c, float *dx, const float *dy, const alm_weight *w, size_t n, bool add) {
    return alm_matmul(c, &(alm_product){.out = dx,
                                        .out_row = w->n_cols,
                                        .m = n,
                                        .n = w->n_cols,
                                        .k = w->n_rows,
                                        .a = dy,
                                        .a_row = w->n_rows,
                                        .a_k = 1,
                                        .b_type = w->type,
                                        .b = w->at,
                                        .b_col = 1,
                                        .b_k = w->n_cols,
                                        .add = add});
}

bool alm_matmul_weight(alm_compute *c, float *dw, const float *dy, const float *x, size_t n_rows, size_t n_cols,
                       size_t n) {
    return alm_matmul(c, &(alm_product){.out = dw,
                                        .out_row = n_cols,
                                        .m = n_rows,
                                        .n = n_cols,
                                        .k = n,
                                        .a = dy,
                                        .a_row = 1,
                                        .a_k = n_rows,
                                        .b_type = ALM_F32,
                                        .b = x,
                                        .b_col = 1,
                                        .b_k = n_cols,
                                        .add = true});
}

/* -- packed weights ------------------------------------------------------------------------------------------------- */

/* In front of the panels stands what the heap gave: 64 bytes of space keep them aligned. */
alm_status alm_weight_pack(alm_weight *w, alm_compute *c, alm_error *err) {
    if (w->type != ALM_F32 && w->type != ALM_BF16) {
        return alm_fail(err, ALM_UNSUPPORTED, "weight %.*s: only f32 and bf16 are packed for products, this is type %u",
                        ALM_ARG(w->name), (unsigned)w->type);
    }
    if (w->panels) return ALM_OK;
    size_t n_panel = w->n_rows / ALM_PANEL + (w->n_rows % ALM_PANEL != 0), item = w->type == ALM_F32 ? 4 : 2, bytes;
    if (!alm_mul_size(&bytes, n_panel * ALM_PANEL, w->n_cols) || !alm_mul_size(&bytes, bytes, item) ||
        !alm_add_size(&bytes, bytes, 128)) {
        return alm_fail_memory(err);
    }
    char *block = alm_alloc(bytes);
    if (!block) return alm_fail_memory(err);
    char *at = block + 64 + (64 - (uintptr_t)block % 64) % 64;
    memcpy(at - sizeof block, &block, sizeof block);
    for (size_t k = 0; k < w->n_cols; k += ALM_BLOCK) {
        size_t kk = least(ALM_BLOCK, w->n_cols - k);
        if (w->type == ALM_F32) {
            alm_compute_kernels(c)->pack((float *)(void *)at + place(n_panel, 0, k, kk), kk * ALM_PANEL,
                                         (const float *)w->at + k, w->n_cols, 1, w->n_rows, kk);
            continue;
        }
        uint16_t *to = (uint16_t *)(void *)at + place(n_panel, 0, k, kk);
        const uint16_t *from = (const uint16_t *)w->at + k;
        for (size_t panel = 0; panel < n_panel; panel++) {
            for (size_t p = 0; p < kk; p++) {
                for (size_t l = 0; l < ALM_PANEL; l++, to++) {
                    size_t row = panel * ALM_PANEL + l;
                    *to = row < w->n_rows ? from[row * w->n_cols + p] : 0;
                }
            }
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
