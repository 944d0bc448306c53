/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_rows.h - rule C for a few vectors against a matrix as it lies, row by row, one block of at most 256 k.
 *
 * A lane is a row of B, as in k_matmul.h, but no panel is written: squares of ALM_LANES numbers of 16 rows are turned in
 * registers and used at once. That pays for up to ALM_ROWS_M vectors; more of them want panels. */
#if defined(ALM_KERNEL)
/* For i < m <= ALM_ROWS_M, j < n: out[i * ldo + j] = (add ? out[i * ldo + j] : +0) + t;  t = +0; for p < k: t = fma(A(i,p), B(p,j), t),
 * with A(i,p) = a[i * ai + p] and B(p,j) = b[j * bj + p]. k <= 256. */
ALM_KERNEL(void, rows,
           (float *out, size_t ldo, const float *a, size_t ai, const float *b, size_t bj, size_t m, size_t n, size_t k,
            bool add))
/* The same with B in bf16, in f16. */
ALM_KERNEL(void, rows_bf16,
           (float *out, size_t ldo, const float *a, size_t ai, const uint16_t *b, size_t bj, size_t m, size_t n,
            size_t k, bool add))
ALM_KERNEL(void, rows_f16,
           (float *out, size_t ldo, const float *a, size_t ai, const uint16_t *b, size_t bj, size_t m, size_t n,
            size_t k, bool add))

#elif defined(ALM_KERNEL_CHECKS)
enum { ROWS_N = 37, ROWS_K = 35 };

static bool check_rows(const alm_kernels *x, const alm_kernels *y) {
    float a[ALM_ROWS_M * ROWS_K], b[ROWS_N * ROWS_K], p[ALM_ROWS_M * ROWS_N], q[ALM_ROWS_M * ROWS_N];
    alm_check_fill(a, ALM_ROWS_M * ROWS_K, 21), alm_check_fill(b, ROWS_N * ROWS_K, 22);
    alm_check_fill(p, ALM_ROWS_M * ROWS_N, 23), memcpy(q, p, sizeof p);
    for (size_t m = 1; m <= ALM_ROWS_M; m++) {
        x->rows(p, ROWS_N, a, ROWS_K, b, ROWS_K, m, ROWS_N, ROWS_K, m % 2 == 0);
        y->rows(q, ROWS_N, a, ROWS_K, b, ROWS_K, m, ROWS_N, ROWS_K, m % 2 == 0);
        if (!alm_check_same(p, q, ALM_ROWS_M * ROWS_N)) return false;
    }
    return true;
}

typedef void alm_rows_16(float *out, size_t ldo, const float *a, size_t ai, const uint16_t *b, size_t bj, size_t m,
                         size_t n, size_t k, bool add);
static bool check_rows_16(alm_rows_16 *x, alm_rows_16 *y) {
    float a[ALM_ROWS_M * ROWS_K], p[ALM_ROWS_M * ROWS_N], q[ALM_ROWS_M * ROWS_N];
    uint16_t b[ROWS_N * ROWS_K];
    alm_check_fill(a, ALM_ROWS_M * ROWS_K, 24);
    for (size_t i = 0; i < ROWS_N * ROWS_K; i++) b[i] = (uint16_t)(0x3c00 + i * 7919 % 1024 + (i & 1) * 0x8000);
    alm_check_fill(p, ALM_ROWS_M * ROWS_N, 25), memcpy(q, p, sizeof p);
    for (size_t m = 1; m <= ALM_ROWS_M; m++) {
        x(p, ROWS_N, a, ROWS_K, b, ROWS_K, m, ROWS_N, ROWS_K, m % 2 == 0);
        y(q, ROWS_N, a, ROWS_K, b, ROWS_K, m, ROWS_N, ROWS_K, m % 2 == 0);
        if (!alm_check_same(p, q, ALM_ROWS_M * ROWS_N)) return false;
    }
    return true;
}
static bool check_rows_bf16(const alm_kernels *x, const alm_kernels *y) {
    return check_rows_16(x->rows_bf16, y->rows_bf16);
}
static bool check_rows_f16(const alm_kernels *x, const alm_kernels *y) {
    return check_rows_16(x->rows_f16, y->rows_f16);
}

#elif defined(ALM_LANES) && ALM_LANES == 1
#define ALM_ROWS(name, number, load)                                                                          \
    static void name(float *out, size_t ldo, const float *a, size_t ai, const number *b, size_t bj, size_t m, \
                     size_t n, size_t k, bool add) {                                                          \
        for (size_t i = 0; i < m; i++) {                                                                      \
            for (size_t j = 0; j < n; j++) {                                                                  \
                float t = 0;                                                                                  \
                for (size_t p = 0; p < k; p++) t = fmaf(a[i * ai + p], load(b + j * bj + p), t);              \
                out[i * ldo + j] = (add ? out[i * ldo + j] : 0.0f) + t;                                       \
            }                                                                                                 \
        }                                                                                                     \
    }
ALM_ROWS(rows, float, vf_load)
ALM_ROWS(rows_bf16, uint16_t, vf_load_bf16)
ALM_ROWS(rows_f16, uint16_t, vf_load_f16)

#elif defined(ALM_LANES)

#define ALM_ROWS_INLINE static inline __attribute__((always_inline))

/* Numbers p .. p + n of a row, n <= ALM_LANES. */
ALM_ROWS_INLINE vf row_part(int as, const void *row, size_t p, size_t n) {
    if (as == AS_BF16)
        return n == ALM_LANES ? vf_load_bf16((const uint16_t *)row + p) : vf_load_bf16_n((const uint16_t *)row + p, n);
    if (as == AS_F16)
        return n == ALM_LANES ? vf_load_f16((const uint16_t *)row + p) : vf_load_f16_n((const uint16_t *)row + p, n);
    return n == ALM_LANES ? vf_load((const float *)row + p) : vf_load_n((const float *)row + p, n);
}

/* Sixteen rows, of which n exist (the others repeat the first and are not stored), against M vectors. */
ALM_ROWS_INLINE void sixteen_rows(int M, int as, const float *a, size_t ai, const void *b, size_t bj, size_t n,
                                  size_t k, float *out, size_t ldo, bool add) {
    const size_t b_bytes = as == AS_F32 ? 4 : 2;
    const char *row[16];
    vf acc[ALM_ROWS_M][ALM_PARTS];
    ALM_UNROLL(16)
    for (size_t l = 0; l < 16; l++) row[l] = (const char *)b + (l < n ? l : 0) * bj * b_bytes;
    ALM_UNROLL(4)
    for (int i = 0; i < M; i++) {
        ALM_UNROLL(4)
        for (int v = 0; v < ALM_PARTS; v++) acc[i][v] = vf_zero();
    }
    for (size_t p = 0; p < k; p += ALM_LANES) {
        size_t left = k - p < ALM_LANES ? k - p : ALM_LANES;
        ALM_UNROLL(4)
        for (int v = 0; v < ALM_PARTS; v++) {
            vf square[ALM_LANES];
            if (left == ALM_LANES) {
                ALM_UNROLL(16)
                for (size_t l = 0; l < ALM_LANES; l++)
                    square[l] = row_part(as, row[(size_t)v * ALM_LANES + l], p, ALM_LANES);
                vf_turn(square);
                ALM_UNROLL(16)
                for (size_t q = 0; q < ALM_LANES; q++) {
                    ALM_UNROLL(4)
                    for (int i = 0; i < M; i++)
                        acc[i][v] = vf_fma(vf_set(a[(size_t)i * ai + p + q]), square[q], acc[i][v]);
                }
                continue;
            }
            for (size_t l = 0; l < ALM_LANES; l++) square[l] = row_part(as, row[(size_t)v * ALM_LANES + l], p, left);
            vf_turn(square);
            for (size_t q = 0; q < left; q++)
                for (int i = 0; i < M; i++) acc[i][v] = vf_fma(vf_set(a[(size_t)i * ai + p + q]), square[q], acc[i][v]);
        }
    }
    for (int i = 0; i < M; i++) {
        for (int v = 0; v < ALM_PARTS; v++) {
            size_t from = (size_t)v * ALM_LANES, left = n > from ? n - from : 0;
            if (left == 0) continue;
            float *at = out + (size_t)i * ldo + from;
            if (left > ALM_LANES) left = ALM_LANES;
            vf_store_n(at, vf_add(add ? vf_load_n(at, left) : vf_zero(), acc[i][v]), left);
        }
    }
}

#define ALM_ROWS(name, number, as)                                                                            \
    static void name(float *out, size_t ldo, const float *a, size_t ai, const number *b, size_t bj, size_t m, \
                     size_t n, size_t k, bool add) {                                                          \
        for (size_t j = 0; j < n; j += 16) {                                                                  \
            size_t left = n - j < 16 ? n - j : 16;                                                            \
            switch (m) {                                                                                      \
            case 1: sixteen_rows(1, as, a, ai, b + j * bj, bj, left, k, out + j, ldo, add); break;            \
            case 2: sixteen_rows(2, as, a, ai, b + j * bj, bj, left, k, out + j, ldo, add); break;            \
            case 3: sixteen_rows(3, as, a, ai, b + j * bj, bj, left, k, out + j, ldo, add); break;            \
            default: sixteen_rows(4, as, a, ai, b + j * bj, bj, left, k, out + j, ldo, add); break;           \
            }                                                                                                 \
        }                                                                                                     \
    }
ALM_ROWS(rows, float, AS_F32)
ALM_ROWS(rows_bf16, uint16_t, AS_BF16)
ALM_ROWS(rows_f16, uint16_t, AS_F16)
#endif
