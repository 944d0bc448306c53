/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/slow_math.c - every one of the 2^32 arguments of each function of tensor/math against double libm.
 *
 *     slow_math [--threads N] [FUNCTION...]      one line a function: worst error, its argument, how many arguments
 *
 * Where the error against libm comes within 2^-16 ulp of the bound, MPFR decides (a build without it counts such an argument
 * as wrong), and MPFR computes the worst error once more. For a function with f(-x) = f(x) or -f(x) the negative arguments
 * are compared with the positive ones, bit for bit. The best instruction set of the machine computes, or the one that
 * ALM_ISA names; test_mathf shows that all sets give the same bits. Exit status 1 when a bound is broken. */
#include "base/cpu.h"
#include "math_reference.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef ALM_HAVE_MPFR
#include <mpfr.h>
#endif

enum { CHUNK = 4096 };

typedef struct function {
    const char *name;
    double bound;
    int symmetry;
    double (*truth)(double);
#ifdef ALM_HAVE_MPFR
    int (*exact)(mpfr_t, const mpfr_t, mpfr_rnd_t);
#endif
    void (*run)(const alm_kernels *k, float *out, const float *x, size_t n);
} function;

#ifdef ALM_HAVE_MPFR
#define EXACT(fn) .exact = mpfr_##fn,
#else
#define EXACT(fn)
#endif
#define RUN(fn, most, kind) \
    static void run_##fn(const alm_kernels *k, float *out, const float *x, size_t n) { k->math_##fn(out, x, n); }
#define ROW(fn, most, kind) {.name = #fn, .bound = (most), .symmetry = (kind), .truth = fn, EXACT(fn).run = run_##fn},
MATH_FUNCTIONS(RUN)
static const function functions[] = {MATH_FUNCTIONS(ROW)};

typedef struct sweep {
    const function *f;
    const alm_kernels *k;
    uint64_t end; /* patterns to compute: all, or those without a sign */
    atomic_uint_fast64_t next;
    pthread_mutex_t lock;
    double worst;
    float at;
    uint64_t n_wrong, n_doubtful, n_broken_symmetry;
} sweep;

/* The error with 200 bits; -1 without MPFR. */
static double exact_error(const function *f, float x, float got) {
#ifdef ALM_HAVE_MPFR
    mpfr_t a, y;
    mpfr_init2(a, 24), mpfr_init2(y, 200);
    mpfr_set_flt(a, x, MPFR_RNDN);
    f->exact(y, a, MPFR_RNDN);
    double size = math_ulp(mpfr_get_d(y, MPFR_RNDN));
    if (got - got == 0) mpfr_sub_d(y, y, (double)got, MPFR_RNDN);
    else mpfr_sub_d(y, y, got > 0 ? 0x1p128 : -0x1p128, MPFR_RNDN);
    double e = fabs(mpfr_get_d(y, MPFR_RNDN)) / size;
    mpfr_clears(a, y, (mpfr_ptr)0);
    mpfr_free_cache();
    return e;
#else
    (void)f, (void)x, (void)got;
    return -1;
#endif
}

static void *work(void *arg) {
    sweep *s = arg;
    float *x = malloc(3 * CHUNK * sizeof *x);
    if (!x) abort();
    float *y = x + CHUNK, *z = y + CHUNK;
    double worst = 0;
    float at = 0;
    uint64_t n_wrong = 0, n_doubtful = 0, n_broken = 0;
    for (;;) {
        uint64_t from = atomic_fetch_add(&s->next, CHUNK);
        if (from >= s->end) break;
        for (size_t i = 0; i < CHUNK; i++) x[i] = math_of_bits((uint32_t)(from + i));
        s->f->run(s->k, y, x, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            double e = math_error(y[i], s->f->truth((double)x[i]));
            if (e > s->f->bound - 0x1p-16) {
                n_doubtful++;
                double exact = isinf(e) ? e : exact_error(s->f, x[i], y[i]);
                if (exact < 0 || exact > s->f->bound) {
                    if (n_wrong++ < 4)
                        fprintf(stderr, "%s(%a) is %a: %.4f ulp\n", s->f->name, (double)x[i], (double)y[i], e);
                }
            }
            if (e > worst) worst = e, at = x[i];
        }
        if (s->f->symmetry == MATH_NO_SYMMETRY) continue;
        for (size_t i = 0; i < CHUNK; i++) x[i] = math_of_bits((uint32_t)(from + i) | 0x80000000U);
        s->f->run(s->k, z, x, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            uint32_t turned = math_bits(z[i]) ^ (s->f->symmetry == MATH_ODD ? 0x80000000U : 0);
            n_broken += turned != math_bits(y[i]) && !(y[i] != y[i] && z[i] != z[i]);
        }
    }
    pthread_mutex_lock(&s->lock);
    if (worst > s->worst || (worst == s->worst && fabsf(at) < fabsf(s->at))) s->worst = worst, s->at = at;
    s->n_wrong += n_wrong, s->n_doubtful += n_doubtful, s->n_broken_symmetry += n_broken;
    pthread_mutex_unlock(&s->lock);
    free(x);
    return NULL;
}

static bool sweep_all(const function *f, const alm_kernels *k, unsigned n_threads) {
    sweep s = {.f = f,
               .k = k,
               .end = f->symmetry == MATH_NO_SYMMETRY ? 1ULL << 32 : 1ULL << 31,
               .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread[64];
    for (unsigned t = 0; t < n_threads; t++)
        if (pthread_create(&thread[t], NULL, work, &s) != 0) abort();
    for (unsigned t = 0; t < n_threads; t++) pthread_join(thread[t], NULL);
    float y;
    f->run(k, &y, &s.at, 1);
    double exact = isinf(s.worst) ? -1 : exact_error(f, s.at, y);
    printf("%-6s %.4f ulp at %a (%.9g)", f->name, s.worst, (double)s.at, (double)s.at);
    if (exact >= 0) printf(", MPFR %.6f", exact);
    printf("; bound %.1f; 4294967296 arguments, %llu asked of MPFR, %llu beyond", f->bound,
           (unsigned long long)s.n_doubtful, (unsigned long long)s.n_wrong);
    if (f->symmetry != MATH_NO_SYMMETRY) printf(", %llu break the symmetry", (unsigned long long)s.n_broken_symmetry);
    printf(" (%s)\n", k->isa);
    fflush(stdout);
    return s.n_wrong == 0 && s.n_broken_symmetry == 0;
}

int main(int argc, char **argv) {
    unsigned n_threads = 2;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--threads") == 0) n_threads = (unsigned)atoi(argv[2]), first = 3;
    if (n_threads < 1 || n_threads > 64) return 2;
    const char *isa = NULL;
    alm_error err = {0};
    if (alm_cpu_isa(&isa, &err) != ALM_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    bool good = true, known = first == argc;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        bool wanted = first == argc;
        for (int a = first; a < argc; a++) wanted |= strcmp(argv[a], functions[i].name) == 0;
        if (!wanted) continue;
        known = true;
        good &= sweep_all(&functions[i], alm_kernels_find(isa), n_threads);
    }
    return !known ? 2 : !good;
}
