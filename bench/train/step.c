/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/train/step.c - seconds of a training step, forward, backward, norm, AdamW, in f32.
 *
 *     step VOCAB HIDDEN LAYERS HEADS KV_HEADS FFN DOCUMENTS LENGTH STEPS THREADS
 *
 * The batch is DOCUMENTS documents of LENGTH rows of random tokens. Each line on standard input makes STEPS steps and is
 * answered by their seconds by the clock; at its end the largest resident set in KiB is said. peer.py is the other side. */
#include "base/clock.h"
#include "base/rng.h"
#include "train/train.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static void ask(alm_status st, const alm_error *err) {
    if (st == ALM_OK) return;
    fprintf(stderr, "step: %s\n", err->text);
    exit(1);
}

int main(int argc, char **argv) {
    size_t given[10];
    if (argc != 11) return fputs("step: ten numbers are needed, see step.c\n", stderr), 2;
    for (int i = 0; i < 10; i++) given[i] = strtoul(argv[i + 1], NULL, 10);
    const size_t n_docs = given[6], length = given[7];
    const alm_config config = {.family = "llama",
                               .n_vocab = given[0],
                               .hidden = given[1],
                               .n_layers = given[2],
                               .n_heads = given[3],
                               .n_kv_heads = given[4],
                               .head_dim = given[1] / given[3],
                               .ffn = given[5],
                               .context = length,
                               .norm_eps = 1e-5,
                               .rope_theta = 10000.0,
                               .tied = true};
    alm_error err = {0};
    alm_model *m;
    alm_pool *pool;
    alm_compute *c;
    alm_trainer *t;
    ask(alm_model_new(&m, &config, 1, &err), &err);
    ask(alm_pool_new(&pool, (unsigned)given[9], &err), &err);
    ask(alm_compute_new(&c, pool, &err), &err);
    uint32_t *id = malloc(n_docs * (length + 1) * sizeof *id);
    uint64_t *start = malloc((n_docs + 1) * sizeof *start);
    if (!id || !start) return 1;
    srand(1);
    for (size_t i = 0; i < n_docs * (length + 1); i++) id[i] = (uint32_t)((unsigned)rand() % config.n_vocab);
    for (size_t d = 0; d <= n_docs; d++) start[d] = d * (length + 1);
    const alm_documents documents = {.id = id, .start = start, .n = n_docs};
    alm_train_options o;
    alm_train_defaults(&o);
    o.batch_tokens = n_docs * length, o.context = length, o.steps = 1000000;
    ask(alm_trainer_new(&t, m, c, &documents, NULL, &o, &err), &err);
    alm_train_bytes need;
    ask(alm_train_memory(&need, m, &o, false, &err), &err);
    fprintf(stderr, "%llu parameters, %s, estimated %.1f MiB\n", (unsigned long long)alm_model_parameter_count(m),
            alm_compute_isa(c), (double)need.total / 1048576);
    for (int ch; (ch = getchar()) != EOF;) {
        if (ch != '\n') continue;
        int64_t from = alm_clock_steady_ns();
        for (size_t i = 0; i < given[8]; i++) ask(alm_trainer_step(t, NULL, &err), &err);
        printf("%.6f\n", (double)(alm_clock_steady_ns() - from) * 1e-9);
        fflush(stdout);
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%ld\n", used.ru_maxrss);
    alm_trainer_free(t);
    alm_compute_free(c);
    alm_pool_free(pool);
    alm_model_free(m);
    free(id);
    free(start);
    return 0;
}
