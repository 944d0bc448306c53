/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/op/matmul.c - products of matrices under rule C: which parts of a result a thread computes, and from what.
 *
 * Many rows:  B is packed into panels once, by all threads, into shared scratch (or was packed before); then slices of 48
 *             rows of the result are taken by whoever is free, each with all columns and, block by block, all of k.
 * Few rows:   (up to 16: a matrix times a few vectors) slices are columns; each packs its own panels one block of 256 k at
 *             a time and uses them at once, or reads packed ones straight from memory. Up to 4 rows make no panels.
 * Between:    rows and columns are both cut, so that there is work for every thread.
 *
 * What B is packed from: f32, bf16 and f16 at any distances; every other type, and rows out of order, row by row through the
 * type's decoder, 256 numbers at a time.
 *
 * Invariant: the borders of slices depend on the shape only; every chain is computed by one thread from its first block
 * to its last. */
#include "tensor/op/matmul.h"

#include <string.h>

enum {
    FEW = 16,              /* rows up to which B is not packed as a whole */
    FEW_COLUMNS = 128,     /* columns of a slice then */
    ROWS = 48,             /* rows of a slice otherwise: what the kernel copies at once */
    COLUMNS = 512,         /* columns of a slice: between two blocks of k a slice of the result stays in the cache */
    BETWEEN = 96,          /* rows up to which slices have */
    BETWEEN_COLUMNS = 128, /* fewer columns, so that there are enough of them */
    PACK_PANELS = 4,       /* panels packed together */
    ROW_PANELS = 16        /* the same where rows lie across the panels: a decoded stretch of a row fills all of them */
};
#define SHARED_BYTES \
    ((size_t)4 << 20) /* panels packed at once, unless one panel is longer: they should stay in the cache */

typedef struct job {
    const alm_kernels *kernels;
    alm_compute *c;
    const alm_product *p;
    const alm_type *type; /* of B */
    bool plain;           /* B is taken at any distances, else row by row */
    float *packed;        /* shared panels of this round, f32 */
    size_t n_panel;       /* panels of this round: a block of k is [n_panel][k of the block][16] */
    size_t first, n;      /* columns of this round */
    size_t n_column_slices, column_slice;
    size_t scratch_bytes;
} job;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* -- B, as it lies, becomes panels ------------------------------------------------------------------------------------ */

static void widen(const job *j, float *to, const void *from, size_t n) {
    if (j->p->b_type == ALM_BF16) j->kernels->widen_bf16(to, from, n);
    else j->kernels->widen_f16(to, from, n);
}

/* The next block of a row is asked for while this one is used: rows lie far apart, and no prefetcher of the machine follows so
 * many (measured: half of the time of a vector's product). */
static void ask_for(const void *at, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i += 64) __builtin_prefetch((const char *)at + i);
}

/* Numbers from .. from+n, whole blocks, of row `row` of B, which has n_rows rows of n_cols numbers. */
static void decode(const job *j, float *to, size_t n_rows, size_t n_cols, size_t row, size_t from, size_t n) {
    const alm_type *t = j->type;
    row = alm_row_place(j->p->b_heads, n_rows, row);
    const unsigned char *at =
        (const unsigned char *)j->p->b + (row * (n_cols / t->block) + from / t->block) * t->block_bytes;
    ask_for(at + n / t->block * t->block_bytes, n / t->block * t->block_bytes);
    if (alm_is_half(t->gguf) && (uintptr_t)at % 2 == 0) widen(j, to, at, n);
    else t->decode(to, at, n);
}

/* Columns column .. column+width-1 (at most 16) of B, k from `from` for kk numbers, as a panel; tmp: 16 * 256 numbers. */
static void pack_panel(const job *j, float *panel, size_t column, size_t width, size_t from, size_t kk, float *tmp) {
    const alm_product *p = j->p;
    size_t at = column * p->b_col + from * p->b_k;
    if (!j->plain) {
        for (size_t l = 0; l < width; l++) decode(j, tmp + l * ALM_BLOCK, p->n, p->b_col, column + l, from, kk);
        j->kernels->pack(panel, 0, tmp, ALM_BLOCK, 1, width, kk);
        return;
    }
    if (p->b_type == ALM_F32) {
        for (size_t l = 0; l < width && p->b_k == 1; l++)
            ask_for((const float *)p->b + at + l * p->b_col + kk, kk * sizeof(float));
        j->kernels->pack(panel, 0, (const float *)p->b + at, p->b_col, p->b_k, width, kk);
        return;
    }
    const uint16_t *b = (const uint16_t *)p->b + at;
    if (p->b_col == 1) { /* k by k; the kernel fills up to 16 columns */
        for (size_t k = 0; k < kk; k++) widen(j, tmp + k * ALM_PANEL, b + k * p->b_k, width);
        j->kernels->pack(panel, 0, tmp, 1, ALM_PANEL, width, kk);
        return;
    }
    for (size_t l = 0; l < width; l++) {
        ask_for(b + l * p->b_col + kk, kk * sizeof *b);
        widen(j, tmp + l * ALM_BLOCK, b + l * p->b_col, kk);
    }
    j->kernels->pack(panel, 0, tmp, ALM_BLOCK, 1, width, kk);
}

/* Columns column .. column+n-1 as panels at a distance of kk * 16 numbers, of a B whose rows lie across them; tmp: 256. */
static void pack_across(const job *j, float *panels, size_t column, size_t n, size_t from, size_t kk, float *tmp) {
    const alm_product *p = j->p;
    const size_t block = j->type->block, end = column + n;
    for (size_t k = 0; k < kk; k++) {
        for (size_t c = column, next; c < end; c = next) {
            size_t first = c / block * block, stop;
            next = least((c / ALM_BLOCK + 1) * ALM_BLOCK, end);
            stop = (next + block - 1) / block * block;
            decode(j, tmp, p->k, p->b_k, from + k, first, stop - first);
            for (size_t i = c; i < next; i++)
                panels[(i - column) / ALM_PANEL * kk * ALM_PANEL + k * ALM_PANEL + (i - column) % ALM_PANEL] =
                    tmp[i - first];
        }
        for (size_t i = n; i % ALM_PANEL; i++)
            panels[i / ALM_PANEL * kk * ALM_PANEL + k * ALM_PANEL + i % ALM_PANEL] = 0;
    }
}

/* Columns column .. column+n-1 as panels at a distance of kk * 16 numbers. */
static void pack_panels(const job *j, float *panels, size_t column, size_t n, size_t from, size_t kk, float *tmp) {
    if (!j->plain && j->p->b_across) {
        pack_across(j, panels, column, n, from, kk, tmp);
        return;
    }
    for (size_t c = 0; c < n; c += ALM_PANEL)
        pack_panel(j, panels + c * kk, column + c, least(ALM_PANEL, n - c), from, kk, tmp);
}

/* -- many rows ------------------------------------------------------------------------------------------------------ */

/* Item: a panel of this round, all of k. */
static void pack_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice;
    const job *j = arg;
    const alm_product *p = j->p;
    float *tmp = alm_compute_scratch(j->c, worker, j->scratch_bytes);
    if (!p->panels && j->plain && p->b_type == ALM_F32) {
        size_t column = j->first + from * ALM_PANEL, n = least((to - from) * ALM_PANEL, p->n - column);
        for (size_t k = 0; k < p->k; k += ALM_BLOCK)
            j->kernels->pack(j->packed + alm_panel_place(j->n_panel, from, k, least(ALM_BLOCK, p->k - k)),
                             least(ALM_BLOCK, p->k - k) * ALM_PANEL,
                             (const float *)p->b + column * p->b_col + k * p->b_k, p->b_col, p->b_k, n,
                             least(ALM_BLOCK, p->k - k));
        return;
    }
    size_t column = j->first + from * ALM_PANEL, n = least((to - from) * ALM_PANEL, p->n - column);
    for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
        size_t kk = least(ALM_BLOCK, p->k - k);
        float *at = j->packed + alm_panel_place(j->n_panel, from, k, kk);
        if (p->panels) { /* 16 bits, packed: only to be widened */
            size_t all = (p->n + ALM_PANEL - 1) / ALM_PANEL;
            const uint16_t *b = (const uint16_t *)p->panels + alm_panel_place(all, column / ALM_PANEL, k, kk);
            widen(j, at, b, (to - from) * kk * ALM_PANEL);
        } else {
            pack_panels(j, at, column, n, k, kk, tmp);
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
                               j->packed + alm_panel_place(j->n_panel, column / ALM_PANEL, k, kk), kk * ALM_PANEL, m, n,
                               kk, k > 0 || p->add, scratch);
        }
    }
}

static bool many_rows(job *j) {
    const alm_product *p = j->p;
    bool ready = p->panels && !alm_is_half(p->b_type), across = !j->plain && p->b_across;
    size_t panel_bytes = p->k * ALM_PANEL * sizeof(float), round = SHARED_BYTES / panel_bytes;
    if (round == 0) round = 1;
    /* Rounds of the same number of panels, in whole slices of columns. */
    size_t n_panel = (p->n + ALM_PANEL - 1) / ALM_PANEL;
    if (ready || round > n_panel) round = n_panel;
    if (n_panel == 0) return true;
    size_t n_round = (n_panel + round - 1) / round;
    round = (n_panel + n_round - 1) / n_round;
    if (across) round = (round + ROW_PANELS - 1) / ROW_PANELS * ROW_PANELS;
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
        else alm_pool_run(alm_compute_pool(j->c), now, across ? ROW_PANELS : PACK_PANELS, pack_slice, j);
        j->column_slice = p->m <= BETWEEN ? BETWEEN_COLUMNS : COLUMNS;
        j->n_column_slices = (j->n + j->column_slice - 1) / j->column_slice;
        alm_pool_run(alm_compute_pool(j->c), (p->m + ROWS - 1) / ROWS * j->n_column_slices, 1, product_slice, j);
    }
    return true;
}

/* -- few rows ------------------------------------------------------------------------------------------------------- */

/* A few vectors: no panel, B goes through registers (k_rows.h). Sixteen columns all the way down k, so that their rows are read
 * on as they lie. */
static void rows_slice(const job *j, size_t from, size_t to, float *tmp) {
    const alm_product *p = j->p;
    for (size_t c = from; c < to; c += ALM_PANEL) {
        size_t width = least(ALM_PANEL, to - c);
        float *out = p->out + c;
        for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
            size_t kk = least(ALM_BLOCK, p->k - k), at = c * p->b_col + k;
            const float *a = p->a + k;
            bool add = k > 0 || p->add;
            if (!j->plain) {
                for (size_t l = 0; l < width; l++) decode(j, tmp + l * ALM_BLOCK, p->n, p->b_col, c + l, k, kk);
                j->kernels->rows(out, p->out_row, a, p->a_row, tmp, ALM_BLOCK, p->m, width, kk, add);
                continue;
            }
            size_t number = p->b_type == ALM_F32 ? 4 : 2;
            const char *b = (const char *)p->b + at * number;
            for (size_t l = 0; l < width; l++) ask_for(b + (l * p->b_col + kk) * number, kk * number);
            if (p->b_type == ALM_F32)
                j->kernels->rows(out, p->out_row, a, p->a_row, (const float *)(const void *)b, p->b_col, p->m, width,
                                 kk, add);
            else
                (p->b_type == ALM_BF16 ? j->kernels->rows_bf16 : j->kernels->rows_f16)(
                    out, p->out_row, a, p->a_row, (const uint16_t *)(const void *)b, p->b_col, p->m, width, kk, add);
        }
    }
}

/* Item: a column. Scratch of a worker: copy of A, panels of one block, what 16 bits and blocks pass through. */
static void few_slice(void *arg, size_t slice, size_t from, size_t to, unsigned worker) {
    (void)slice;
    const job *j = arg;
    const alm_product *p = j->p;
    float *copy = alm_compute_scratch(j->c, worker, j->scratch_bytes);
    float *panels = copy + ALM_MATMUL_SCRATCH, *tmp = panels + FEW_COLUMNS * ALM_BLOCK;
    if (!p->panels && p->m <= ALM_ROWS_M && p->a_k == 1 && p->b_k == 1 && !p->b_across) {
        rows_slice(j, from, to, tmp);
        return;
    }
    for (size_t k = 0; k < p->k; k += ALM_BLOCK) {
        size_t kk = least(ALM_BLOCK, p->k - k), n = to - from, step = kk * ALM_PANEL;
        size_t at = alm_panel_place((p->n + ALM_PANEL - 1) / ALM_PANEL, from / ALM_PANEL, k, kk);
        float *out = p->out + from;
        const float *a = p->a + k * p->a_k;
        bool add = k > 0 || p->add;
        if (p->panels && p->b_type == ALM_BF16) {
            j->kernels->matmul_bf16(out, p->out_row, a, p->a_row, p->a_k, (const uint16_t *)p->panels + at, step, p->m,
                                    n, kk, add, copy);
        } else if (p->panels && p->b_type == ALM_F16) {
            j->kernels->matmul_f16(out, p->out_row, a, p->a_row, p->a_k, (const uint16_t *)p->panels + at, step, p->m,
                                   n, kk, add, copy);
        } else if (p->panels) {
            j->kernels->matmul(out, p->out_row, a, p->a_row, p->a_k, (const float *)p->panels + at, step, p->m, n, kk,
                               add, copy);
        } else {
            pack_panels(j, panels, from, n, k, kk, tmp);
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
    job j = {.kernels = alm_compute_kernels(c), .c = c, .p = p, .type = alm_type_find(p->b_type)};
    const size_t align = p->b_type == ALM_F32 ? 4 : 2;
    j.plain = (p->b_type == ALM_F32 || alm_is_half(p->b_type)) && !p->b_heads && (uintptr_t)p->b % align == 0;
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
                                        .b_heads = w->heads,
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
                                        .b_heads = w->heads,
                                        .b_across = true,
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
