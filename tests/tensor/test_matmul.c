/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/tensor/test_matmul.c - products give the bits of the plain triple loop: all forms, f32 and bf16, packed or not,
 * every instruction set, every shape and tail, special values, any number of threads; every other type gives the bits of
 * its decoded matrix. */
#include "alm_test.h"

#include "dtype/dtype.h"
#include "tensor/kernel/check.h"
#include "tensor/kernel/kernels.h"
#include "tensor/op/matmul.h"

#include <math.h>

/* -- the specification ---------------------------------------------------------------------------------------------- */

static float widen(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

/* Rule C, number by number. */
static void spec(const alm_product *p) {
    for (size_t i = 0; i < p->m; i++) {
        for (size_t j = 0; j < p->n; j++) {
            float out = p->add ? p->out[i * p->out_row + j] : 0.0f;
            for (size_t block = 0; block < p->k; block += 256) {
                float t = 0;
                for (size_t k = block; k < p->k && k < block + 256; k++) {
                    size_t at = j * p->b_col + k * p->b_k;
                    float b = p->b_type == ALM_F32 ? ((const float *)p->b)[at] : widen(((const uint16_t *)p->b)[at]);
                    t = fmaf(p->a[i * p->a_row + k * p->a_k], b, t);
                }
                out = out + t;
            }
            p->out[i * p->out_row + j] = out;
        }
    }
}

/* -- shapes --------------------------------------------------------------------------------------------------------- */

enum { FORWARD, INPUT, WEIGHT, N_FORM };
enum { MOST = 1 << 19 };
typedef struct space {
    float *a, *b, *first, *want, *got;
    uint16_t *b16;
} space;

static void fill(space *s, uint32_t seed, bool special) {
    static const uint32_t odd[] = {0,          0x80000000, 1,          0x80000001, 0x7f800000, 0xff800000, 0x7fc00000,
                                   0x7f7fffff, 0x00800000, 0x80800000, 0x3f800000, 0x33800000, 0x20000000, 0xa0000000};
    alm_check_fill(s->a, MOST, seed), alm_check_fill(s->b, MOST, seed + 1), alm_check_fill(s->first, MOST, seed + 2);
    for (size_t i = 0; special && i < MOST; i++) {
        seed = seed * 1664525U + 1013904223U;
        if (seed >> 28 == 0) memcpy(s->a + i, odd + (seed >> 8) % (sizeof odd / sizeof *odd), 4);
        if (seed >> 28 == 1) memcpy(s->b + i, odd + (seed >> 8) % (sizeof odd / sizeof *odd), 4);
        if (seed >> 26 == 8) s->first[i] = -0.0f;
        if (seed >> 29 == 3) s->a[i] *= 0x1p-80f, s->b[i] *= 0x1p-70f; /* products underflow, also to -0 */
    }
    for (size_t i = 0; i < MOST; i++) {
        uint32_t bits;
        memcpy(&bits, s->b + i, 4);
        s->b16[i] = (uint16_t)(bits >> 16);
    }
}

static void make_space(space *s) {
    *s = (space){malloc(MOST * 4), malloc(MOST * 4),       malloc(MOST * 4),
                 malloc(MOST * 4), malloc((MOST + 1) * 4), malloc(MOST * 2)};
    CHECK(s->a && s->b && s->first && s->want && s->got && s->b16);
}
static void free_space(space *s) { free(s->a), free(s->b), free(s->first), free(s->want), free(s->got), free(s->b16); }

static alm_product product(const space *s, int form, size_t m, size_t n, size_t k, bool bf16, bool add) {
    alm_product p = {.out_row = n,
                     .m = m,
                     .n = n,
                     .k = k,
                     .a = s->a,
                     .b = bf16 ? (const void *)s->b16 : s->b,
                     .b_type = bf16 ? ALM_BF16 : ALM_F32,
                     .add = add};
    p.a_row = form == WEIGHT ? 1 : k, p.a_k = form == WEIGHT ? m : 1;
    p.b_col = form == FORWARD ? k : 1, p.b_k = form == FORWARD ? 1 : n;
    return p;
}

static void same(alm_compute *c, const space *s, alm_product p, const char *what) {
    size_t bytes = p.m * p.n * 4;
    memcpy(s->got, s->first, bytes);
    s->got[p.m * p.n] = 42;
    p.out = s->got;
    CHECK(alm_matmul(c, &p));
    CHECK(s->got[p.m * p.n] == 42, "%s %s %zux%zux%zu writes behind its end", alm_compute_isa(c), what, p.m, p.n, p.k);
    for (size_t i = 0; i < p.m * p.n; i++)
        CHECK(alm_check_same(s->got + i, s->want + i, 1), "%s %s %zux%zux%zu, number %zu: %a, not %a",
              alm_compute_isa(c), what, p.m, p.n, p.k, i, s->got[i], s->want[i]);
}

/* One shape in one form on the compute c, not packed and packed. */
static void all_ways(alm_compute *c, const space *s, int form, size_t m, size_t n, size_t k, bool bf16, bool add) {
    alm_product p = product(s, form, m, n, k, bf16, add);
    memcpy(s->want, s->first, m * n * 4);
    p.out = s->want;
    spec(&p);
    same(c, s, p, bf16 ? "bf16" : "f32");
    if (form != FORWARD) return;
    alm_weight w = {.name = ALM_STR("w"), .type = p.b_type, .n_rows = n, .n_cols = k, .at = p.b};
    CHECK_OK(alm_weight_pack(&w, c, NULL), NULL);
    p.panels = w.panels;
    same(c, s, p, bf16 ? "packed bf16" : "packed f32");
    alm_weight_unpack(&w);
    CHECK(w.panels == NULL);
}

static alm_compute *set_of(const alm_kernels *k, alm_pool *pool) {
    alm_compute *c = NULL;
    CHECK_OK(alm_compute_new_isa(&c, k->isa, pool, NULL), NULL);
    CHECK_INT(alm_compute_aside(c), 0);
    return c;
}

static void products_are_the_plain_loop_for_all_small_shapes(void **state) {
    (void)state;
    space s;
    make_space(&s);
    fill(&s, 1, false);
    for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
        if (!alm_kernels_can(*k)) continue;
        /* Every shape on the sets that run at full speed; the others take every seventh. */
        bool slow = strcmp((*k)->isa, "plain") == 0 || strcmp((*k)->isa, "wide") == 0;
        alm_compute *c = set_of(*k, NULL);
        size_t count = 0;
        for (size_t m = 1; m <= 40; m++)
            for (size_t n = 1; n <= 40; n++)
                for (size_t kk = 1; kk <= 40; kk += kk < 4 ? 1 : 3) {
                    count++;
                    if (count % (slow ? 61 : 2)) continue;
                    all_ways(c, &s, (int)(count / 2 % N_FORM), m, n, kk, count / 6 % 4 == 3, count / 6 % 2);
                }
        alm_compute_free(c);
    }
    free_space(&s);
}

static const size_t bigger[][3] = {{1, 300, 513},  {2, 257, 256},  {3, 129, 700},  {8, 128, 257},  {16, 145, 512},
                                   {17, 200, 300}, {47, 130, 256}, {48, 129, 255}, {49, 33, 1025}, {97, 100, 260},
                                   {289, 70, 258}, {300, 17, 90},  {64, 192, 192}, {130, 257, 65}};

static void bigger_products_and_special_values_are_too(void **state) {
    (void)state;
    space s;
    make_space(&s);
    for (int special = 0; special < 2; special++) {
        fill(&s, special ? 77 : 5, special);
        for (const alm_kernels *const *k = alm_kernels_all(); *k; k++) {
            if (!alm_kernels_can(*k)) continue;
            bool slow = strcmp((*k)->isa, "plain") == 0 || strcmp((*k)->isa, "wide") == 0;
            alm_compute *c = set_of(*k, NULL);
            for (size_t i = 0; i < sizeof bigger / sizeof *bigger; i += slow ? 3 : 1)
                for (int form = 0; form < N_FORM; form++)
                    all_ways(c, &s, form, bigger[i][0], bigger[i][1], bigger[i][2], (i + (size_t)form) % 3 == 0,
                             form == WEIGHT);
            alm_compute_free(c);
        }
    }
    free_space(&s);
}

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    space s;
    make_space(&s);
    fill(&s, 9, true);
    static const unsigned threads[] = {1, 2, 3, 7};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        alm_pool *pool;
        alm_compute *c;
        CHECK_OK(alm_pool_new(&pool, threads[t], NULL), NULL);
        CHECK_OK(alm_compute_new(&c, pool, NULL), NULL);
        for (size_t i = 0; i < sizeof bigger / sizeof *bigger; i += 2)
            for (int form = 0; form < N_FORM; form++)
                all_ways(c, &s, form, bigger[i][0], bigger[i][1], bigger[i][2], i % 4 == 2, i % 3 == 0);
        alm_compute_free(c);
        alm_pool_free(pool);
    }
    free_space(&s);
}

/* More than what is packed at once: several rounds. */
static void a_long_weight_is_packed_in_rounds(void **state) {
    (void)state;
    enum { M = 20, N = 700, K = 2100 };
    space s;
    s = (space){malloc(M * K * 4), malloc(N * K * 4),       malloc(M * N * 4),
                malloc(M * N * 4), malloc((M * N + 1) * 4), malloc(N * K * 2)};
    CHECK(s.a && s.b && s.first && s.want && s.got && s.b16);
    alm_check_fill(s.a, M * K, 1), alm_check_fill(s.b, N * K, 2), alm_check_fill(s.first, M * N, 3);
    for (size_t i = 0; i < N * K; i++) s.b16[i] = (uint16_t)(0x3c00 + i * 7919 % 1024);
    alm_compute *c;
    CHECK_OK(alm_compute_new(&c, NULL, NULL), NULL);
    all_ways(c, &s, FORWARD, M, N, K, false, false);
    all_ways(c, &s, INPUT, M, N, K, true, true);
    all_ways(c, &s, WEIGHT, M, N, K, false, true);
    alm_compute_free(c);
    free_space(&s);
}

static void the_three_forms_of_a_layer_are_the_general_one(void **state) {
    (void)state;
    enum { N = 21, ROWS = 35, COLS = 300 };
    space s;
    make_space(&s);
    fill(&s, 4, false);
    alm_compute *c;
    CHECK_OK(alm_compute_new(&c, NULL, NULL), NULL);
    alm_weight w = {.name = ALM_STR("w"), .type = ALM_F32, .n_rows = ROWS, .n_cols = COLS, .at = s.b};
    alm_product p = product(&s, FORWARD, N, ROWS, COLS, false, false);
    p.out = s.want;
    spec(&p);
    CHECK(alm_matmul_forward(c, s.got, s.a, &w, N));
    CHECK(alm_check_same(s.got, s.want, N * ROWS));
    for (int add = 0; add < 2; add++) {
        p = product(&s, INPUT, N, COLS, ROWS, false, add);
        memcpy(s.want, s.first, N * COLS * 4), memcpy(s.got, s.first, N * COLS * 4);
        p.out = s.want;
        spec(&p);
        CHECK(alm_matmul_input(c, s.got, s.a, &w, N, add));
        CHECK(alm_check_same(s.got, s.want, N * COLS));
    }
    p = product(&s, WEIGHT, ROWS, COLS, N, false, true);
    memcpy(s.want, s.first, ROWS * COLS * 4), memcpy(s.got, s.first, ROWS * COLS * 4);
    p.out = s.want;
    spec(&p);
    CHECK(alm_matmul_weight(c, s.got, s.a, s.b, ROWS, COLS, N));
    CHECK(alm_check_same(s.got, s.want, ROWS * COLS));
    /* Empty ones. */
    s.got[0] = 5;
    CHECK(alm_matmul_forward(c, s.got, s.a, &w, 0));
    CHECK(s.got[0] == 5);
    CHECK(alm_matmul_weight(c, s.got, s.a, s.b, 1, 1, 0));
    CHECK(s.got[0] == 5);
    w.n_cols = 0;
    CHECK(alm_matmul_forward(c, s.got, s.a, &w, 1));
    CHECK(s.got[0] == 0);
    w.type = ALM_Q8_0, w.n_cols = 33;
    alm_error err;
    CHECK_STATUS(alm_weight_pack(&w, c, &err), ALM_UNSUPPORTED, &err);
    alm_compute_free(c);
    free_space(&s);
}

/* -- weights as they lie ----------------------------------------------------------------------------------------------- */

/* Random blocks whose numbers are finite. */
static void fill_blocks(unsigned char *to, const alm_type *t, size_t n_blocks, uint32_t seed) {
    float out[256];
    for (size_t b = 0; b < n_blocks; b++, to += t->block_bytes) {
        bool good = false;
        while (!good) {
            for (size_t i = 0; i < t->block_bytes; i++) {
                seed = seed * 1664525U + 1013904223U;
                to[i] = (unsigned char)(seed >> 24);
            }
            t->decode(out, to, t->block);
            good = true;
            for (size_t i = 0; i < t->block; i++) good = good && isfinite(out[i]);
        }
    }
}

enum { W_ROWS = 36, W_COLS = 512, W_MOST_N = 17, W_SETS = 8 };

typedef struct weight_space {
    unsigned char *blocks; /* [W_ROWS][W_COLS] of the type */
    float *decoded;        /* in the model's order */
    float *a, *want, *got;
} weight_space;

static void forward_is(const weight_space *s, alm_compute *const *c, alm_weight *w, size_t n) {
    for (; *c; c++) {
        for (int packed = 0; packed < 2; packed++) {
            if (packed) CHECK_OK(alm_weight_pack(w, *c, NULL), NULL);
            memset(s->got, 0, n * W_ROWS * sizeof(float));
            CHECK(alm_matmul_forward(*c, s->got, s->a, w, n));
            CHECK(alm_check_same(s->got, s->want, n * W_ROWS), "%s type %u, %zu heads, %zu rows, %spacked",
                  alm_compute_isa(*c), (unsigned)w->type, w->heads, n, packed ? "" : "not ");
        }
        alm_weight_unpack(w);
    }
}

static void the_weight_is_its_decoded_matrix(const weight_space *s, alm_compute *const *c, alm_weight *w) {
    static const size_t rows[] = {2, W_MOST_N}; /* of the activations: few, and many */
    CHECK(alm_weight_is_readable(w));
    for (size_t r = 0; r < W_ROWS; r++) alm_weight_decode_row(s->decoded + r * W_COLS, w, r);
    for (size_t i = 0; i < 2; i++) {
        size_t n = rows[i];
        alm_product p = {.out = s->want,
                         .out_row = W_ROWS,
                         .m = n,
                         .n = W_ROWS,
                         .k = W_COLS,
                         .a = s->a,
                         .a_row = W_COLS,
                         .a_k = 1,
                         .b = s->decoded,
                         .b_type = ALM_F32,
                         .b_col = W_COLS,
                         .b_k = 1};
        spec(&p);
        forward_is(s, c, w, n);
        p.out_row = p.n = W_COLS, p.k = W_ROWS, p.a_row = W_ROWS, p.b_col = 1, p.b_k = W_COLS;
        spec(&p);
        for (alm_compute *const *k = c; *k; k++) {
            CHECK(alm_matmul_input(*k, s->got, s->a, w, n, false));
            CHECK(alm_check_same(s->got, s->want, n * W_COLS), "%s type %u, %zu heads, %zu rows, back",
                  alm_compute_isa(*k), (unsigned)w->type, w->heads, n);
        }
    }
}

static void a_weight_of_any_type_is_its_decoded_matrix(void **state) {
    (void)state;
    weight_space s = {malloc(W_ROWS * W_COLS * 4 + 1), malloc(W_ROWS * W_COLS * 4), malloc(W_MOST_N * W_COLS * 4),
                      malloc(W_MOST_N * W_COLS * 4), malloc(W_MOST_N * W_COLS * 4)};
    unsigned char *block = s.blocks;
    CHECK(s.blocks && s.decoded && s.a && s.want && s.got);
    alm_check_fill(s.a, W_MOST_N * W_COLS, 3);
    alm_pool *pool;
    CHECK_OK(alm_pool_new(&pool, 3, NULL), NULL);
    alm_compute *sets[W_SETS] = {0}, *fast[W_SETS] = {0};
    size_t n_set = 0, n_fast = 0;
    for (const alm_kernels *const *k = alm_kernels_all(); *k && n_set + 1 < W_SETS; k++) {
        if (!alm_kernels_can(*k)) continue;
        bool slow = strcmp((*k)->isa, "plain") == 0 || strcmp((*k)->isa, "wide") == 0;
        sets[n_set] = set_of(*k, n_set % 2 ? pool : NULL);
        if (!slow) fast[n_fast++] = sets[n_set];
        n_set++;
    }
    uint32_t seed = 0;
    for (const alm_type *const *t = alm_type_list(); *t; t++, seed++) {
        s.blocks = block + seed % 2;
        fill_blocks(s.blocks, *t, W_ROWS * W_COLS / (*t)->block, seed);
        alm_weight w = {.name = ALM_STR("w"), .type = (*t)->gguf, .n_rows = W_ROWS, .n_cols = W_COLS, .at = s.blocks};
        the_weight_is_its_decoded_matrix(&s, seed % 4 ? fast : sets, &w);
        w.heads = 3;
        the_weight_is_its_decoded_matrix(&s, seed % 8 ? fast : sets, &w);
    }
    for (size_t i = 0; i < n_set; i++) alm_compute_free(sets[i]);
    alm_pool_free(pool);
    free(block), free(s.decoded), free(s.a), free(s.want), free(s.got);
}

static void rows_in_heads_are_found_where_hugging_face_keeps_them(void **state) {
    (void)state;
    /* two heads of six: pairs (0, 3), (1, 4), (2, 5) of a head become neighbours */
    static const size_t at[12] = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
    for (size_t r = 0; r < 12; r++) {
        CHECK_INT(alm_row_place(2, 12, r), at[r]);
        CHECK_INT(alm_row_place(0, 12, r), r);
    }
}

static alm_status product_in_small_memory(void *arg) {
    space *s = arg;
    alm_compute *c = NULL;
    alm_weight w = {.name = ALM_STR("w"), .type = ALM_BF16, .n_rows = 40, .n_cols = 20, .at = s->b16};
    alm_status st = alm_compute_new(&c, NULL, NULL);
    if (st == ALM_OK && !alm_matmul_forward(c, s->got, s->a, &w, 3)) st = ALM_NO_MEMORY;
    if (st == ALM_OK && !alm_matmul_forward(c, s->got, s->a, &w, 30)) st = ALM_NO_MEMORY;
    if (st == ALM_OK) st = alm_weight_pack(&w, c, NULL);
    alm_weight_unpack(&w);
    alm_compute_free(c);
    return st;
}
static void a_product_without_memory_says_so(void **state) {
    (void)state;
    space s;
    make_space(&s);
    fill(&s, 6, false);
    CHECK(alm_test_each_alloc_failure(__FILE__, __LINE__, "product", false, product_in_small_memory, &s) >= 4);
    free_space(&s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(products_are_the_plain_loop_for_all_small_shapes),
    cmocka_unit_test(bigger_products_and_special_values_are_too),
    cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    cmocka_unit_test(a_long_weight_is_packed_in_rounds),
    cmocka_unit_test(the_three_forms_of_a_layer_are_the_general_one),
    cmocka_unit_test(a_weight_of_any_type_is_its_decoded_matrix),
    cmocka_unit_test(rows_in_heads_are_found_where_hugging_face_keeps_them),
    cmocka_unit_test(a_product_without_memory_says_so),
};
ALM_TEST_MAIN(tests)
