/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/matmul/products.c - products on one core: ours beside OpenBLAS, our order beside none, in turns within one run.
 *
 * Times are processor time of the thread (CLOCK_THREAD_CPUTIME_ID), so that a busy machine disturbs the ratios little; in
 * each round every competitor runs once, and a ratio is the mean over rounds of the logarithm, with its 95 % interval.
 * OpenBLAS is opened at run time, with one thread. One JSON object a line. */
#include "base/alloc.h"
#include "dtype/dtype.h"
#include "tensor/kernel/check.h"
#include "tensor/kernel/kernels.h"
#include "tensor/op/matmul.h"

#include "unordered.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void sgemm_fn(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                      const float *b, int ldb, float beta, float *c, int ldc);
enum { ROW_MAJOR = 101, AS_IS = 111, TURNED = 112, ROUNDS_MOST = 200 };
enum { FORWARD, INPUT, WEIGHT };

static sgemm_fn *sgemm;
static volatile float sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(size_t n, uint32_t seed) {
    float *at = aligned_alloc(64, (n * 4 + 127) / 64 * 64);
    if (!at) exit(1);
    alm_check_fill(at, n, seed);
    return at;
}

/* exp(mean of log(a/b)) and the half width of its 95 % interval, in per cent. */
static void ratio(double *out, double *half, const double *a, const double *b, int n) {
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        double x = log(a[i] / b[i]);
        sum += x, squares += x * x;
    }
    double mean = sum / n, var = (squares - sum * mean) / (n - 1);
    *out = exp(mean);
    *half = 100 * 2.05 * sqrt((var > 0 ? var : 0) / n);
}

static int by_size(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}
static double median(const double *x, int n) {
    double sorted[ROUNDS_MOST];
    memcpy(sorted, x, (size_t)n * sizeof *x);
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    return sorted[n / 2];
}

/* B packed whole, then rows by 48 and k by `block`: the same driver for both orders. */
static void driver(const alm_kernels *k, const alm_product *p, float *panels, float *scratch, size_t block) {
    size_t n_panel = (p->n + 15) / 16;
    for (size_t q = 0; q < p->k; q += block) {
        size_t kk = p->k - q < block ? p->k - q : block;
        k->pack(panels + q * n_panel * 16, kk * 16, (const float *)p->b + q * p->b_k, p->b_col, p->b_k, p->n, kk);
    }
    for (size_t i = 0; i < p->m; i += 48)
        for (size_t j = 0; j < p->n; j += 512)
            for (size_t q = 0; q < p->k; q += block) {
                size_t m = p->m - i < 48 ? p->m - i : 48, n = p->n - j < 512 ? p->n - j : 512;
                size_t kk = p->k - q < block ? p->k - q : block;
                const float *a = p->a + i * p->a_row + q * p->a_k, *b = panels + q * n_panel * 16 + j * kk;
                float *out = p->out + i * p->out_row + j;
                bool add = q > 0 || p->add;
                if (block == 256) k->matmul(out, p->out_row, a, p->a_row, p->a_k, b, kk * 16, m, n, kk, add, scratch);
                else unordered_matmul(out, p->out_row, a, p->a_row, p->a_k, b, kk * 16, m, n, kk, add, scratch);
            }
}

static void bench(alm_compute *c, int form, size_t m, size_t n, size_t k, double seconds) {
    const alm_kernels *kernels = alm_compute_kernels(c);
    float *a = numbers(m * k, 1), *b = numbers(n * k, 2), *out = numbers(m * n, 3), *theirs = numbers(m * n, 3);
    float *panels = numbers((n + 15) / 16 * 16 * k, 4), *scratch = numbers(UNORDERED_SCRATCH, 5);
    alm_product p = {
        .out = out, .out_row = n, .m = m, .n = n, .k = k, .a = a, .b = b, .b_type = ALM_F32, .add = form == WEIGHT};
    p.a_row = form == WEIGHT ? 1 : k, p.a_k = form == WEIGHT ? m : 1;
    p.b_col = form == FORWARD ? k : 1, p.b_k = form == FORWARD ? 1 : n;
    double t[4][ROUNDS_MOST], all = 0;
    int rounds = 0;
    for (int r = -1; rounds < ROUNDS_MOST && (rounds < 9 || all < seconds); r++) { /* the first round warms */
        double one[5];
        one[0] = now();
        alm_matmul(c, &p);
        one[1] = now();
        if (sgemm)
            sgemm(ROW_MAJOR, form == WEIGHT ? TURNED : AS_IS, form == FORWARD ? TURNED : AS_IS, (int)m, (int)n, (int)k,
                  1, a, (int)(form == WEIGHT ? m : k), b, (int)(form == FORWARD ? k : n), form == WEIGHT ? 1 : 0,
                  theirs, (int)n);
        one[2] = now();
        driver(kernels, &p, panels, scratch, 256);
        one[3] = now();
        driver(kernels, &p, panels, scratch, UNORDERED_BLOCK);
        one[4] = now();
        if (r < 0) continue;
        for (int i = 0; i < 4; i++) t[i][rounds] = one[i + 1] - one[i];
        rounds++;
        all += one[4] - one[0];
    }
    double flop = 2e-9 * (double)m * (double)n * (double)k, blas = 0, blas_half = 0, order, order_half;
    if (sgemm) ratio(&blas, &blas_half, t[1], t[0], rounds);
    ratio(&order, &order_half, t[2], t[3], rounds);
    printf("{\"form\": \"%s\", \"m\": %zu, \"n\": %zu, \"k\": %zu, \"gflops\": %.1f, \"openblas_gflops\": %.1f, "
           "\"of_openblas\": %.3f, \"of_openblas_pm_pct\": %.1f, \"order_cost_pct\": %.1f, \"order_cost_pm_pct\": "
           "%.1f, \"rounds\": %d}\n",
           form == FORWARD ? "x W^T"
           : form == INPUT ? "dy W"
                           : "dy^T x",
           m, n, k, flop / median(t[0], rounds), sgemm ? flop / median(t[1], rounds) : 0.0, blas, blas_half,
           100 * (order - 1), order_half, rounds);
    fflush(stdout);
    free(a), free(b), free(out), free(theirs), free(panels), free(scratch);
}

/* A matrix times 1..8 vectors: GB/s of weights read, packed. */
static void bench_few(alm_compute *c, size_t m, size_t n, size_t k, bool bf16) {
    float *x = numbers(m * k, 1), *w = numbers(n * k, 2), *y = numbers(m * n, 3);
    alm_weight weight = {.name = {"w", 1}, .type = bf16 ? ALM_BF16 : ALM_F32, .n_rows = n, .n_cols = k, .at = w};
    double t[3][ROUNDS_MOST], half, against = 0;
    int rounds = 21;
    for (int packed = 0; packed < 2; packed++) {
        if (packed && alm_weight_pack(&weight, c, NULL) != ALM_OK) exit(1);
        for (int r = 0; r < rounds; r++) {
            double t0 = now();
            alm_matmul_forward(c, y, x, &weight, m);
            double t1 = now();
            if (sgemm) sgemm(ROW_MAJOR, AS_IS, TURNED, (int)m, (int)n, (int)k, 1, x, (int)k, w, (int)k, 0, y, (int)n);
            t[packed][r] = t1 - t0, t[2][r] = now() - t1;
        }
    }
    if (sgemm) ratio(&against, &half, t[2], t[1], rounds);
    double gb = 1e-9 * (double)n * (double)k * (bf16 ? 2 : 4);
    printf("{\"vectors\": %zu, \"n\": %zu, \"k\": %zu, \"type\": \"%s\", \"packed_gb_s\": %.1f, \"rows_gb_s\": %.1f, "
           "\"of_openblas_f32\": %.2f}\n",
           m, n, k, bf16 ? "bf16" : "f32", gb / median(t[1], rounds), gb / median(t[0], rounds), against);
    fflush(stdout);
    alm_weight_unpack(&weight);
    free(x), free(w), free(y);
}

static void bench_reduce(const alm_kernels *k, size_t n) {
    float *x = numbers(n, 1), *y = numbers(n, 2);
    size_t times = 20000000 / n;
    double t[4][41], half, cost;
    int rounds = 41;
    for (int r = 0; r < rounds; r++) {
        for (int how = 0; how < 4; how++) {
            double t0 = now();
            for (size_t i = 0; i < times; i++)
                sink = how == 0   ? k->sum(x, n)
                       : how == 1 ? unordered_sum(x, n)
                       : how == 2 ? k->dot(x, y, n)
                                  : unordered_dot(x, y, n);
            t[how][r] = now() - t0;
        }
    }
    for (int how = 0; how < 4; how += 2) {
        ratio(&cost, &half, t[how], t[how + 1], rounds);
        printf(
            "{\"kernel\": \"%s\", \"n\": %zu, \"ns\": %.1f, \"order_cost_pct\": %.1f, \"order_cost_pm_pct\": %.1f}\n",
            how ? "dot" : "sum", n, 1e9 * median(t[how], rounds) / (double)times, 100 * (cost - 1), half);
    }
    fflush(stdout);
    free(x), free(y);
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 1.0;
    const char *only = argc > 2 ? argv[2] : "";
    void *lib = dlopen("libopenblas.so.0", RTLD_NOW);
    if (lib) {
        sgemm = (sgemm_fn *)dlsym(lib, "cblas_sgemm");
        void (*threads)(int) = (void (*)(int))dlsym(lib, "openblas_set_num_threads");
        char *(*core)(void) = (char *(*)(void))dlsym(lib, "openblas_get_corename");
        if (threads) threads(1);
        if (core) printf("{\"openblas_core\": \"%s\"}\n", core());
    }
    alm_compute *c;
    alm_error err;
    if (alm_compute_new(&c, NULL, &err) != ALM_OK) return fprintf(stderr, "%s\n", err.text), 1;
    alm_kernels checked;
    double t0 = now();
    size_t n_aside = alm_kernels_checked(&checked, alm_kernels_find(alm_compute_isa(c)));
    printf("{\"isa\": \"%s\", \"check_ms\": %.2f, \"aside\": %zu}\n", alm_compute_isa(c), 1e3 * (now() - t0), n_aside);
    static const size_t shapes[][3] = {/* tokens, outputs, inputs */
                                       {1024, 1152, 384}, {1024, 1152, 1024}, {1024, 1152, 2048}, {1024, 192, 192},
                                       {1024, 512, 192},  {1024, 192, 512},   {2048, 384, 384},   {2048, 1024, 384},
                                       {2048, 384, 1024}, {256, 2048, 192},   {256, 4096, 384}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes && !*only; i++) {
        const size_t *s = shapes[i];
        bench(c, FORWARD, s[0], s[1], s[2], seconds);
        bench(c, INPUT, s[0], s[2], s[1], seconds);
        bench(c, WEIGHT, s[1], s[2], s[0], seconds);
    }
    for (size_t m = 1; m <= 8 && strcmp(only, "reduce") != 0; m *= 2)
        for (int bf16 = 0; bf16 < 2; bf16++) bench_few(c, m, 4096, 2048, bf16), bench_few(c, m, 1024, 384, bf16);
    for (size_t n = 192; n <= 12288; n *= 4) bench_reduce(alm_compute_kernels(c), n);
    alm_compute_free(c);
    return 0;
}
