/* SPDX-License-Identifier: Apache-2.0
 *
 * tensor/kernel/k_matmul.h - products of matrices, rule C, one block of at most 256 k at a time.
 *
 * B lies in panels: 16 columns side by side, [k][16], so that a lane is a column whatever the width of a vector; panel j/16
 * begins `step` numbers behind the one before. A is copied, 48 rows at a time, into a form that the innermost loop reads
 * with constant distances. A tile of TILE_M rows by TILE_PANELS panels stays in registers over all k of the block and is
 * then added to out: one rounding per block, as the rule says.
 *
 *            AVX2: 6 x 16      AVX-512: 12 x 32      NEON: 6 x 16
 *
 * Fewer rows than a tile take a tile of their height; with one to four rows (a matrix times a few vectors) several panels
 * go side by side, since a chain of fma waits for itself. The plain version below is the rule and nothing else. */
#if defined(ALM_KERNEL)
/* For i < m, j < n: out[i * ldo + j] = (add ? out[i * ldo + j] : +0) + t;  t = +0; for p < k: t = fma(A(i,p), B(p,j), t),
 * with A(i,p) = a[i * ai + p * ap] and B(p,j) = b[j / 16 * step + p * 16 + j % 16]. k <= 256; scratch: ALM_MATMUL_SCRATCH
 * numbers aligned to 64 bytes. */
ALM_KERNEL(void, matmul,
           (float *out, size_t ldo, const float *a, size_t ai, size_t ap, const float *b, size_t step, size_t m,
            size_t n, size_t k, bool add, float *scratch))
/* The same with B in bf16, in f16. */
ALM_KERNEL(void, matmul_bf16,
           (float *out, size_t ldo, const float *a, size_t ai, size_t ap, const uint16_t *b, size_t step, size_t m,
            size_t n, size_t k, bool add, float *scratch))
ALM_KERNEL(void, matmul_f16,
           (float *out, size_t ldo, const float *a, size_t ai, size_t ap, const uint16_t *b, size_t step, size_t m,
            size_t n, size_t k, bool add, float *scratch))
/* Panels from a matrix: out[j / 16 * step + p * 16 + j % 16] = b[j * bj + p * bp] for p < k, j < n; columns up to the next
 * multiple of 16 become +0. */
ALM_KERNEL(void, pack, (float *out, size_t step, const float *b, size_t bj, size_t bp, size_t n, size_t k))
/* out[i] = the bf16 or f16 in[i], exactly. */
ALM_KERNEL(void, widen_bf16, (float *out, const uint16_t *in, size_t n))
ALM_KERNEL(void, widen_f16, (float *out, const uint16_t *in, size_t n))

#elif defined(ALM_KERNEL_CHECKS)
enum { MATMUL_M = 8, MATMUL_N = 37, MATMUL_K = 9, MATMUL_SPACE = 48 * 272 };

static bool check_matmul(const alm_kernels *x, const alm_kernels *y) {
    float a[MATMUL_M * MATMUL_K], b[3 * MATMUL_K * 16], p[MATMUL_M * MATMUL_N], q[MATMUL_M * MATMUL_N];
    _Alignas(64) float space[MATMUL_SPACE];
    alm_check_fill(a, MATMUL_M * MATMUL_K, 11), alm_check_fill(b, 3 * MATMUL_K * 16, 12);
    static const size_t m[] = {1, 2, MATMUL_M};
    for (size_t i = 0; i < 4; i++) { /* the last time from transposed rows, adding */
        size_t rows = m[i < 3 ? i : 2], ai = i < 3 ? MATMUL_K : 1, ap = i < 3 ? 1 : MATMUL_M;
        if (i < 3) alm_check_fill(p, MATMUL_M * MATMUL_N, 13), memcpy(q, p, sizeof p);
        x->matmul(p, MATMUL_N, a, ai, ap, b, MATMUL_K * 16, rows, MATMUL_N, MATMUL_K, i == 3, space);
        y->matmul(q, MATMUL_N, a, ai, ap, b, MATMUL_K * 16, rows, MATMUL_N, MATMUL_K, i == 3, space);
        if (!alm_check_same(p, q, MATMUL_M * MATMUL_N)) return false;
    }
    return true;
}
typedef void alm_matmul_16(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const uint16_t *b, size_t step,
                           size_t m, size_t n, size_t k, bool add, float *scratch);
static bool check_matmul_16(alm_matmul_16 *x, alm_matmul_16 *y) {
    float a[MATMUL_M * MATMUL_K], b[3 * MATMUL_K * 16], p[MATMUL_M * MATMUL_N], q[MATMUL_M * MATMUL_N];
    uint16_t w[3 * MATMUL_K * 16];
    _Alignas(64) float space[MATMUL_SPACE];
    alm_check_fill(a, MATMUL_M * MATMUL_K, 14), alm_check_fill(b, 3 * MATMUL_K * 16, 15);
    for (size_t i = 0; i < 3 * MATMUL_K * 16; i++) {
        uint32_t bits;
        memcpy(&bits, b + i, 4);
        w[i] = (uint16_t)(bits >> 16); /* read as f16 these are finite too */
    }
    static const size_t m[] = {1, 3, MATMUL_M};
    for (size_t i = 0; i < 3; i++) {
        alm_check_fill(p, MATMUL_M * MATMUL_N, 16), memcpy(q, p, sizeof p);
        x(p, MATMUL_N, a, MATMUL_K, 1, w, MATMUL_K * 16, m[i], MATMUL_N, MATMUL_K, i == 1, space);
        y(q, MATMUL_N, a, MATMUL_K, 1, w, MATMUL_K * 16, m[i], MATMUL_N, MATMUL_K, i == 1, space);
        if (!alm_check_same(p, q, MATMUL_M * MATMUL_N)) return false;
    }
    return true;
}
static bool check_matmul_bf16(const alm_kernels *x, const alm_kernels *y) {
    return check_matmul_16(x->matmul_bf16, y->matmul_bf16);
}
static bool check_matmul_f16(const alm_kernels *x, const alm_kernels *y) {
    return check_matmul_16(x->matmul_f16, y->matmul_f16);
}
static bool check_pack(const alm_kernels *x, const alm_kernels *y) {
    float b[MATMUL_N * 19], p[3 * 19 * 16], q[3 * 19 * 16];
    alm_check_fill(b, MATMUL_N * 19, 17);
    for (int form = 0; form < 2; form++) {
        x->pack(p, 19 * 16, b, form ? 19 : 1, form ? 1 : MATMUL_N, MATMUL_N, 19);
        y->pack(q, 19 * 16, b, form ? 19 : 1, form ? 1 : MATMUL_N, MATMUL_N, 19);
        if (!alm_check_same(p, q, 3 * 19 * 16)) return false;
    }
    return true;
}
static bool check_widen_bf16(const alm_kernels *x, const alm_kernels *y) {
    uint16_t in[37];
    float p[37], q[37];
    for (size_t i = 0; i < 37; i++) in[i] = (uint16_t)(i * 1777);
    x->widen_bf16(p, in, 37), y->widen_bf16(q, in, 37);
    return memcmp(p, q, sizeof p) == 0;
}
static bool check_widen_f16(const alm_kernels *x, const alm_kernels *y) {
    uint16_t in[37];
    float p[37], q[37];
    for (size_t i = 0; i < 37; i++) in[i] = (uint16_t)(i * 1777);
    x->widen_f16(p, in, 37), y->widen_f16(q, in, 37);
    return alm_check_same(p, q, 37);
}

#elif defined(ALM_LANES) && ALM_LANES == 1
static void matmul(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const float *b, size_t step, size_t m,
                   size_t n, size_t k, bool add, float *scratch) {
    (void)scratch;
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            float t = 0;
            for (size_t p = 0; p < k; p++) t = fmaf(a[i * ai + p * ap], b[j / 16 * step + p * 16 + j % 16], t);
            out[i * ldo + j] = (add ? out[i * ldo + j] : 0.0f) + t;
        }
    }
}

/* The same over B in 16 bits. */
#define ALM_MATMUL_16(name, load)                                                                                  \
    static void name(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const uint16_t *b, size_t step, \
                     size_t m, size_t n, size_t k, bool add, float *scratch) {                                     \
        (void)scratch;                                                                                             \
        for (size_t i = 0; i < m; i++) {                                                                           \
            for (size_t j = 0; j < n; j++) {                                                                       \
                float t = 0;                                                                                       \
                for (size_t p = 0; p < k; p++)                                                                     \
                    t = fmaf(a[i * ai + p * ap], load(b + j / 16 * step + p * 16 + j % 16), t);                    \
                out[i * ldo + j] = (add ? out[i * ldo + j] : 0.0f) + t;                                            \
            }                                                                                                      \
        }                                                                                                          \
    }
ALM_MATMUL_16(matmul_bf16, vf_load_bf16)
ALM_MATMUL_16(matmul_f16, vf_load_f16)

static void pack(float *out, size_t step, const float *b, size_t bj, size_t bp, size_t n, size_t k) {
    for (size_t j = 0; j < (n + 15) / 16 * 16; j++)
        for (size_t p = 0; p < k; p++) out[j / 16 * step + p * 16 + j % 16] = j < n ? b[j * bj + p * bp] : 0.0f;
}

static void widen_bf16(float *out, const uint16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = vf_load_bf16(in + i);
}

static void widen_f16(float *out, const uint16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = vf_load_f16(in + i);
}

#elif defined(ALM_LANES)

#if ALM_LANES == 16
enum { TILE_M = 12, TILE_PANELS = 2 };
#else
enum { TILE_M = 6, TILE_PANELS = 1 };
#endif
/* Rows of A that are copied together, a multiple of every TILE_M; distance of two rows in the copy (256 and a little more,
 * odd in cache lines, so that rows do not fall on one another in a cache whose sets repeat every 4 kB). */
#ifndef ALM_MATMUL_ROW /* the bench of the order takes longer blocks */
#define ALM_MATMUL_ROW 272
#endif
enum { ROWS_M = 48, ROW = ALM_MATMUL_ROW };

enum { AS_F32, AS_BF16, AS_F16 }; /* how B lies */

#define ALM_TILE static inline __attribute__((always_inline)) void

/* A tile of M rows by P panels, both constants: the copy of A in rows (`in_rows`: A(i,p) at a[i*ROW + p]) or interleaved
 * (a[p*TILE_M + i]); B as it lies. n: columns that exist. */
ALM_TILE tile(int M, int P, bool in_rows, int as, const float *a, const void *b, size_t step, size_t n, size_t k,
              float *out, size_t ldo, bool add) {
    vf acc[TILE_M][8];
    const int V = P * ALM_PARTS; /* vectors in a row of the tile, at most 8 */
    ALM_UNROLL(16)
    for (int i = 0; i < M; i++) {
        ALM_UNROLL(8)
        for (int v = 0; v < V; v++) acc[i][v] = vf_zero();
    }
    /* The result is visited once per block: its lines are asked for now. */
    ALM_UNROLL(16)
    for (int i = 0; i < M; i++) {
        __builtin_prefetch(out + (size_t)i * ldo);
        if (V * ALM_LANES > 16) __builtin_prefetch(out + (size_t)i * ldo + 16);
    }
    for (size_t p = 0; p < k; p++) {
        vf y[8];
        ALM_UNROLL(8)
        for (int v = 0; v < V; v++) {
            size_t at = (size_t)(v / ALM_PARTS) * step + p * 16 + (size_t)(v % ALM_PARTS) * ALM_LANES;
            y[v] = as == AS_BF16  ? vf_load_bf16((const uint16_t *)b + at)
                   : as == AS_F16 ? vf_load_f16((const uint16_t *)b + at)
                                  : vf_load((const float *)b + at);
        }
        ALM_UNROLL(16)
        for (int i = 0; i < M; i++) {
            vf x = vf_set(in_rows ? a[(size_t)i * ROW + p] : a[p * TILE_M + (size_t)i]);
            ALM_UNROLL(8)
            for (int v = 0; v < V; v++) acc[i][v] = vf_fma(x, y[v], acc[i][v]);
        }
    }
    if (n >= (size_t)P * 16) {
        ALM_UNROLL(16)
        for (int i = 0; i < M; i++) {
            ALM_UNROLL(8)
            for (int v = 0; v < V; v++) {
                float *at = out + (size_t)i * ldo + (size_t)v * ALM_LANES;
                vf_store(at, vf_add(add ? vf_load(at) : vf_zero(), acc[i][v]));
            }
        }
        return;
    }
    ALM_UNROLL(16)
    for (int i = 0; i < M; i++) {
        ALM_UNROLL(8)
        for (int v = 0; v < V; v++) {
            size_t from = (size_t)v * ALM_LANES, left = n > from ? n - from : 0;
            if (left == 0) continue;
            float *at = out + (size_t)i * ldo + from;
            if (left > ALM_LANES) left = ALM_LANES;
            vf_store_n(at, vf_add(add ? vf_load_n(at, left) : vf_zero(), acc[i][v]), left);
        }
    }
}

/* Up to TILE_M rows of the copy against all panels of which n columns exist. */
ALM_TILE strip(int M, bool in_rows, int as, const float *a, const void *b, size_t step, size_t n, size_t k, float *out,
               size_t ldo, bool add) {
    /* With few rows more panels side by side: at least about 8 chains are under way. */
    const int wide = M == 1 ? 8 / ALM_PARTS : M == 2 || (M == 3 && ALM_PARTS == 1) ? 4 / ALM_PARTS : TILE_PANELS;
    const int P = wide < TILE_PANELS ? TILE_PANELS : wide;
    const size_t b_bytes = as == AS_F32 ? 4 : 2;
    size_t j = 0;
    for (; j + 16 * (size_t)P <= n; j += 16 * (size_t)P)
        tile(M, P, in_rows, as, a, (const char *)b + j / 16 * step * b_bytes, step, n - j, k, out + j, ldo, add);
    for (; j < n; j += 16)
        tile(M, 1, in_rows, as, a, (const char *)b + j / 16 * step * b_bytes, step, n - j, k, out + j, ldo, add);
}

/* The copy of at most ROWS_M rows; a strip of TILE_M rows begins at i * ROW, or at i * k when interleaved. */
static void copy_rows(float *to, const float *a, size_t ai, size_t ap, size_t m, size_t k) {
    if (ap == 1) {
        for (size_t i = 0; i < m; i++) memcpy(to + i * ROW, a + i * ai, k * sizeof *a);
        return;
    }
    for (size_t i = 0; i < m; i++)
        for (size_t p = 0; p < k; p++) to[i * ROW + p] = a[i * ai + p * ap];
}
/* k outside: the rows of a copy lie side by side in memory, so every line is touched once. */
static void copy_interleaved(float *to, const float *a, size_t ap, size_t m, size_t k) {
    size_t tall = m / TILE_M * TILE_M;
    for (size_t p = 0; p < k; p++) {
        const float *from = a + p * ap;
        float *at = to + p * TILE_M;
        size_t i = 0;
        if (p + 16 < k) { /* rows of a wide matrix are a page apart: no prefetcher of the machine follows */
            for (; i < m; i += 16) __builtin_prefetch(from + 16 * ap + i);
            i = 0;
        }
        for (; i < tall; i += TILE_M, at += TILE_M * k) memcpy(at, from + i, TILE_M * sizeof *a); /* a move or two */
        for (size_t l = 0; i + l < m; l++) at[l] = from[i + l];
    }
}

#define ALM_STRIP(M)                                             \
    case M:                                                      \
        strip(M, in_rows, as, at, b, step, n, k, out, ldo, add); \
        break;
#if ALM_LANES == 16
#define ALM_STRIPS \
    ALM_STRIP(1)   \
    ALM_STRIP(2)   \
    ALM_STRIP(3)   \
    ALM_STRIP(4) ALM_STRIP(5) ALM_STRIP(6) ALM_STRIP(7) ALM_STRIP(8) ALM_STRIP(9) ALM_STRIP(10) ALM_STRIP(11)
#else
#define ALM_STRIPS ALM_STRIP(1) ALM_STRIP(2) ALM_STRIP(3) ALM_STRIP(4) ALM_STRIP(5)
#endif

ALM_TILE short_strip(size_t m, bool in_rows, int as, const float *at, const void *b, size_t step, size_t n, size_t k,
                     float *out, size_t ldo, bool add) {
    switch (m) { ALM_STRIPS default : break; }
}

/* Rows of one copy: a panel is read from memory once and meets every strip of the copy while it is near. */
ALM_TILE rows_of_copy(bool in_rows, int as, const float *copy, const void *b, size_t step, size_t m, size_t n, size_t k,
                      float *out, size_t ldo, bool add) {
    const size_t b_bytes = as == AS_F32 ? 4 : 2, strip_copy = in_rows ? TILE_M * ROW : TILE_M * k,
                 tall = m / TILE_M * TILE_M;
    if (tall) {
        for (size_t j = 0; j < n; j += 16 * TILE_PANELS) {
            const char *panel = (const char *)b + j / 16 * step * b_bytes;
            size_t left = n - j < 16 * TILE_PANELS ? n - j : 16 * TILE_PANELS;
            const float *at = copy;
            for (size_t i = 0; i < tall; i += TILE_M, at += strip_copy)
                strip(TILE_M, in_rows, as, at, panel, step, left, k, out + i * ldo + j, ldo, add);
        }
    }
    if (m > tall) {
        short_strip(m - tall, in_rows, as, copy + tall / TILE_M * strip_copy, b, step, n, k, out + tall * ldo, ldo,
                    add);
    }
}

static void matmul(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const float *b, size_t step, size_t m,
                   size_t n, size_t k, bool add, float *scratch) {
    for (size_t i = 0; i < m; i += ROWS_M) {
        size_t rows = m - i < ROWS_M ? m - i : ROWS_M;
        if (ai == 1 && ap != 1) {
            copy_interleaved(scratch, a + i, ap, rows, k);
            rows_of_copy(false, AS_F32, scratch, b, step, rows, n, k, out + i * ldo, ldo, add);
        } else {
            copy_rows(scratch, a + i * ai, ai, ap, rows, k);
            rows_of_copy(true, AS_F32, scratch, b, step, rows, n, k, out + i * ldo, ldo, add);
        }
    }
}

#define ALM_MATMUL_16(name, as)                                                                                    \
    static void name(float *out, size_t ldo, const float *a, size_t ai, size_t ap, const uint16_t *b, size_t step, \
                     size_t m, size_t n, size_t k, bool add, float *scratch) {                                     \
        for (size_t i = 0; i < m; i += ROWS_M) {                                                                   \
            size_t rows = m - i < ROWS_M ? m - i : ROWS_M;                                                         \
            copy_rows(scratch, a + i * ai, ai, ap, rows, k);                                                       \
            rows_of_copy(true, as, scratch, b, step, rows, n, k, out + i * ldo, ldo, add);                         \
        }                                                                                                          \
    }
ALM_MATMUL_16(matmul_bf16, AS_BF16)
ALM_MATMUL_16(matmul_f16, AS_F16)

/* A panel from rows (bp == 1): squares of ALM_LANES numbers are turned in registers. */
static size_t turn_rows(float *panel, const float *from, size_t bj, size_t k) {
    size_t p = 0;
    for (; p + ALM_LANES <= k; p += ALM_LANES) {
        for (size_t lane = 0; lane < 16; lane += ALM_LANES) {
            vf square[ALM_LANES];
            ALM_UNROLL(16)
            for (size_t l = 0; l < ALM_LANES; l++) square[l] = vf_load(from + (lane + l) * bj + p);
            vf_turn(square);
            ALM_UNROLL(16)
            for (size_t l = 0; l < ALM_LANES; l++) vf_store(panel + (p + l) * 16 + lane, square[l]);
        }
    }
    return p;
}

static void pack(float *out, size_t step, const float *b, size_t bj, size_t bp, size_t n, size_t k) {
    size_t whole = n / 16 * 16, j = 0;
    if (bj == 1) { /* k outside: memory is read as it lies */
        for (size_t p = 0; p < k; p++) {
            for (j = 0; j < whole; j += 16) v16_store(out + j / 16 * step + p * 16, v16_load(b + p * bp + j));
            if (j < n) v16_store(out + j / 16 * step + p * 16, v16_load_n(b + p * bp + j, n - j));
        }
        return;
    }
    for (; j < n; j += 16) {
        float *panel = out + j / 16 * step;
        const float *from = b + j * bj;
        size_t width = n - j < 16 ? n - j : 16;
        for (size_t p = width == 16 && bp == 1 ? turn_rows(panel, from, bj, k) : 0; p < k; p++)
            for (size_t l = 0; l < 16; l++) panel[p * 16 + l] = l < width ? from[l * bj + p * bp] : 0.0f;
    }
}

static void widen_bf16(float *out, const uint16_t *in, size_t n) {
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(out + i, vf_load_bf16(in + i));
    if (i < n) vf_store_n(out + i, vf_load_bf16_n(in + i, n - i), n - i);
}

static void widen_f16(float *out, const uint16_t *in, size_t n) {
    size_t i = 0;
    for (; i + ALM_LANES <= n; i += ALM_LANES) vf_store(out + i, vf_load_f16(in + i));
    if (i < n) vf_store_n(out + i, vf_load_f16_n(in + i, n - i), n - i);
}
#endif
