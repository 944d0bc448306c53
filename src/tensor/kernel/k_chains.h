/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_chains.h - rule C with borders of its own for each row: the products inside attention.
 *
 *   out[i][j] = (fresh ? +0 : out[i][j]) + chains over k in [lo[i], hi[i]) of a[i][k] b[k][j], cut at multiples of 256 of k
 *
 * Scores, mixed values and all their gradients have this form; lanes are columns j. Where the rows' ranges overlap they go
 * together, so that a row of b is loaded once for all of them; before and behind, each goes alone. A single row (text that is
 * generated) reads 64 columns at a time: memory is what it waits for, and gives long stretches faster. */
#if defined(ALM_KERNEL)
/* m <= 6 rows. n: a multiple of 16. a[i][k] is a[i * a_row + k * a_k], b[k][j] is b[k * b_row + j]; k < 2^31. */
ALM_KERNEL(void, chains,
           (float *out, size_t out_row, const float *a, size_t a_row, size_t a_k, const float *b, size_t b_row,
            size_t n, size_t m, const size_t *lo, const size_t *hi, bool fresh))

#elif defined(ALM_KERNEL_CHECKS)
static bool check_chains(const alm_kernels *a, const alm_kernels *b) {
    enum { M = 6, N = 96, K = 21 };
    static const size_t lo[M] = {0, 1, 2, 3, 4, 5}, hi[M] = {14, 15, 16, 17, 18, 21};
    float x[M * K], y[K * N], p[M * N] = {0}, q[M * N] = {0};
    alm_check_fill(x, M * K, 41), alm_check_fill(y, K * N, 42);
    for (size_t m = M; m != 0; m = m == M ? 1 : 0) {
        a->chains(p, N, x, K, 1, y, N, N, m, lo, hi, m == M), b->chains(q, N, x, K, 1, y, N, N, m, lo, hi, m == M);
        if (!alm_check_same(p, q, M * N)) return false;
    }
    return true;
}

#elif defined(ALM_LANES)
enum { CHAIN_ROWS = 6, CHAIN_PARTS = 4 };
/* What the rounds index lives in registers where there are vectors; elsewhere unrolling only costs the compiler time. */
#undef CHAIN_UNROLL
#if ALM_LANES == 1 || defined(ALM_LANES_GENERIC)
#define CHAIN_UNROLL
#else
#define CHAIN_UNROLL ALM_UNROLL(6)
#endif

/* One row and `parts` times 16 columns; parts is a constant where this is used. */
static inline __attribute__((always_inline)) void chain_of_one(float *out, const float *a, size_t a_k, const float *b,
                                                               size_t b_row, const size_t parts, size_t lo, size_t hi,
                                                               bool fresh) {
    v16 sum_[CHAIN_PARTS], t[CHAIN_PARTS];
    CHAIN_UNROLL for (size_t i = 0; i < parts; i++) sum_[i] = fresh ? v16_set(0.0f) : v16_load(out + 16 * i);
    for (size_t k = lo; k < hi;) {
        size_t end = (k | 255) + 1 < hi ? (k | 255) + 1 : hi;
        CHAIN_UNROLL for (size_t i = 0; i < parts; i++) t[i] = v16_set(0.0f);
        for (; k < end; k++) {
            v16 x = v16_set(a[k * a_k]);
            CHAIN_UNROLL for (size_t i = 0; i < parts; i++) t[i] = v16_fma(x, v16_load(b + k * b_row + 16 * i), t[i]);
        }
        CHAIN_UNROLL for (size_t i = 0; i < parts; i++) sum_[i] = v16_add(sum_[i], t[i]);
    }
    CHAIN_UNROLL for (size_t i = 0; i < parts; i++) v16_store(out + 16 * i, sum_[i]);
}

static void chains(float *out, size_t out_row, const float *a, size_t a_row, size_t a_k, const float *b, size_t b_row,
                   size_t n, size_t m, const size_t *lo, const size_t *hi, bool fresh) {
    if (m == 1) {
        size_t j = 0;
        for (; j + 16 * CHAIN_PARTS <= n; j += 16 * CHAIN_PARTS)
            chain_of_one(out + j, a, a_k, b + j, b_row, CHAIN_PARTS, *lo, *hi, fresh);
        for (; j < n; j += 16) chain_of_one(out + j, a, a_k, b + j, b_row, 1, *lo, *hi, fresh);
        return;
    }
    size_t first = SIZE_MAX, last = 0, lo_[CHAIN_ROWS], hi_[CHAIN_ROWS];
    const float *row[CHAIN_ROWS];
    for (size_t i = 0; i < CHAIN_ROWS; i++) { /* rows that are not there repeat the last one and are not stored */
        size_t r = i < m ? i : m - 1;
        row[i] = a + r * a_row;
        lo_[i] = lo[r], hi_[i] = hi[r];
        if (lo_[i] < first) first = lo_[i];
        if (hi_[i] > last) last = hi_[i];
    }
    for (size_t j = 0; j < n; j += 16) {
        v16 sum_[CHAIN_ROWS];
        CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) sum_[i] =
            fresh || i >= m ? v16_set(0.0f) : v16_load(out + i * out_row + j);
        for (size_t block = first & ~(size_t)255; block < last; block += 256) {
            size_t from[CHAIN_ROWS], to[CHAIN_ROWS], together = block, apart = block + 256;
            for (size_t i = 0; i < CHAIN_ROWS; i++) {
                from[i] = lo_[i] > block ? lo_[i] : block;
                to[i] = hi_[i] < block + 256 ? hi_[i] : block + 256;
                if (from[i] > together) together = from[i];
                if (to[i] < apart) apart = to[i];
            }
            if (together > apart) together = apart = SIZE_MAX; /* nothing in common */
            v16 t[CHAIN_ROWS];
            CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) {
                t[i] = v16_set(0.0f);
                for (size_t k = from[i]; k < to[i] && k < together; k++)
                    t[i] = v16_fma(v16_set(row[i][k * a_k]), v16_load(b + k * b_row + j), t[i]);
            }
            if (together != SIZE_MAX) {
                for (size_t k = together; k < apart; k++) {
                    v16 y = v16_load(b + k * b_row + j);
                    CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) t[i] =
                        v16_fma(v16_set(row[i][k * a_k]), y, t[i]);
                }
                CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) {
                    for (size_t k = apart; k < to[i]; k++)
                        t[i] = v16_fma(v16_set(row[i][k * a_k]), v16_load(b + k * b_row + j), t[i]);
                }
            }
            CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) {
                if (from[i] < to[i]) sum_[i] = v16_add(sum_[i], t[i]);
            }
        }
        CHAIN_UNROLL for (size_t i = 0; i < CHAIN_ROWS; i++) {
            if (i < m) v16_store(out + i * out_row + j, sum_[i]);
        }
    }
}
#endif
