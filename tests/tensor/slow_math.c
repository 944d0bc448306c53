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
#define ROW(fn, most, kind) \
    {.name = #fn, .bound = (most), .symmetry = (kind), .truth = math_##fn, EXACT(fn).run = run_##fn},
MATH_FUNCTIONS(RUN)
static const function functions[] = {MATH_FUNCTIONS(ROW)};

/* One function, or sine and cosine together. */
typedef struct result {
    const function *f;
    double worst;
    float at;
    uint64_t n_wrong, n_doubtful, n_broken_symmetry;
} result;

typedef struct sweep {
    const alm_kernels *k;
    size_t n_results;
    result all[2];
    uint64_t end; /* patterns to compute: all, or those without a sign */
    atomic_uint_fast64_t next;
    pthread_mutex_t lock;
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

/* y = f(x) against what it should be. */
static void judge(result *r, const float *x, const float *y, const double *want, size_t stride) {
    for (size_t i = 0; i < CHUNK; i++) {
        /* Most results are the nearest f32, or NaN as they should; the sign of a zero is looked at below. */
        if ((y[i] == (float)want[i * stride] && y[i] != 0) || (y[i] != y[i] && want[i * stride] != want[i * stride]))
            continue;
        double e = math_error(y[i], want[i * stride]);
        if (e > r->worst) r->worst = e, r->at = x[i];
        if (e <= r->f->bound - 0x1p-16) continue;
        r->n_doubtful++;
        double exact = isinf(e) ? e : exact_error(r->f, x[i], y[i]);
        if (exact >= 0 && exact <= r->f->bound) continue;
        if (r->n_wrong++ < 4) fprintf(stderr, "%s(%a) is %a: %.4f ulp\n", r->f->name, (double)x[i], (double)y[i], e);
    }
}

static void mirror(result *r, const float *y, const float *z) {
    for (size_t i = 0; i < CHUNK; i++) {
        uint32_t turned = math_bits(z[i]) ^ (r->f->symmetry == MATH_ODD ? 0x80000000U : 0);
        r->n_broken_symmetry += turned != math_bits(y[i]) && !(y[i] != y[i] && z[i] != z[i]);
    }
}

static void *work(void *arg) {
    sweep *s = arg;
    static _Thread_local float x[CHUNK], minus[CHUNK], y[CHUNK], z[CHUNK];
    static _Thread_local double want[2 * CHUNK];
    result mine[2] = {{.f = s->all[0].f}, {.f = s->all[1].f}};
    for (;;) {
        uint64_t from = atomic_fetch_add(&s->next, CHUNK);
        if (from >= s->end) break;
        for (size_t i = 0; i < CHUNK; i++) {
            x[i] = math_of_bits((uint32_t)(from + i));
            minus[i] = math_of_bits((uint32_t)(from + i) | 0x80000000U);
        }
        for (size_t i = 0; i < CHUNK; i++) {
            if (s->n_results == 2) math_sincos((double)x[i], want + 2 * i);
            else want[i] = mine[0].f->truth((double)x[i]);
        }
        for (size_t r = 0; r < s->n_results; r++) {
            mine[r].f->run(s->k, y, x, CHUNK);
            judge(&mine[r], x, y, want + r, s->n_results);
            if (mine[r].f->symmetry == MATH_NO_SYMMETRY) continue;
            mine[r].f->run(s->k, z, minus, CHUNK);
            mirror(&mine[r], y, z);
        }
    }
    pthread_mutex_lock(&s->lock);
    for (size_t r = 0; r < s->n_results; r++) {
        result *to = &s->all[r];
        if (mine[r].worst > to->worst || (mine[r].worst == to->worst && fabsf(mine[r].at) < fabsf(to->at)))
            to->worst = mine[r].worst, to->at = mine[r].at;
        to->n_wrong += mine[r].n_wrong, to->n_doubtful += mine[r].n_doubtful;
        to->n_broken_symmetry += mine[r].n_broken_symmetry;
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static bool say(const result *r, const alm_kernels *k) {
    float y;
    r->f->run(k, &y, &r->at, 1);
    double exact = isinf(r->worst) ? -1 : exact_error(r->f, r->at, y);
    printf("%-6s %.4f ulp at %a (%.9g)", r->f->name, r->worst, (double)r->at, (double)r->at);
    if (exact >= 0) printf(", MPFR %.6f", exact);
    printf("; bound %.1f; 4294967296 arguments, %llu asked of MPFR, %llu beyond", r->f->bound,
           (unsigned long long)r->n_doubtful, (unsigned long long)r->n_wrong);
    if (r->f->symmetry != MATH_NO_SYMMETRY)
        printf(", %llu break the symmetry", (unsigned long long)r->n_broken_symmetry);
    printf(" (%s)\n", k->isa);
    fflush(stdout);
    return r->n_wrong == 0 && r->n_broken_symmetry == 0;
}

static bool sweep_all(const function *f, size_t n, const alm_kernels *k, unsigned n_threads) {
    sweep s = {.k = k, .n_results = n, .lock = PTHREAD_MUTEX_INITIALIZER};
    s.end = f->symmetry == MATH_NO_SYMMETRY ? 1ULL << 32 : 1ULL << 31;
    for (size_t r = 0; r < n; r++) s.all[r].f = f + r;
    pthread_t thread[64];
    for (unsigned t = 0; t < n_threads; t++)
        if (pthread_create(&thread[t], NULL, work, &s) != 0) abort();
    for (unsigned t = 0; t < n_threads; t++) pthread_join(thread[t], NULL);
    bool good = true;
    for (size_t r = 0; r < n; r++) good &= say(&s.all[r], k);
    return good;
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
    for (size_t i = 0, n; i < sizeof functions / sizeof *functions; i += n) {
        bool wanted = first == argc;
        n = strcmp(functions[i].name, "sin") == 0 ? 2 : 1; /* the cosine comes next, for half the price */
        for (size_t r = 0; r < n; r++)
            for (int a = first; a < argc; a++) wanted |= strcmp(argv[a], functions[i + r].name) == 0;
        if (!wanted) continue;
        known = true;
        good &= sweep_all(functions + i, n, alm_kernels_find(isa), n_threads);
    }
    return !known ? 2 : !good;
}
