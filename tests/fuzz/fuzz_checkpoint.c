/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_checkpoint.c - a checkpoint that is taken can be gone on from; one that is refused leaves the trainer as it was.
 *
 * The trainer is always the same small one, so that what agrees in the corpus (data, model, options) agrees here. Questions:
 * after a refusal the run stands at its beginning; after a success it stands where the file says, has a curve of so many
 * points, and a further step ends well or stops because a number is not finite. */
#include "fuzz.h"
#include "train/train.h"

enum { TOKENS = 48 };

static const alm_config config = {.family = "llama",
                                  .n_vocab = 11,
                                  .hidden = 4,
                                  .n_layers = 1,
                                  .n_heads = 1,
                                  .n_kv_heads = 1,
                                  .head_dim = 4,
                                  .ffn = 4,
                                  .context = 8,
                                  .norm_eps = 1e-5,
                                  .rope_theta = 10000,
                                  .tied = true};

static alm_train_options options(void) {
    alm_train_options o;
    alm_train_defaults(&o);
    o.seed = 3, o.batch_tokens = 16, o.context = 8, o.steps = 4, o.warmup = 1, o.eval_every = 1;
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint32_t id[TOKENS];
    for (uint32_t i = 0; i < TOKENS; i++) id[i] = i * i % 11;
    const uint64_t start[] = {0, 9, 20, 22, 40, TOKENS};
    const alm_documents train = {.id = id, .start = start, .n = 4}, eval = {.id = id, .start = start + 4, .n = 1};
    const alm_train_options o = options();
    alm_model *m;
    alm_compute *c;
    alm_trainer *t;
    alm_train_progress p;
    size_t points;
    CHECK(alm_model_new(&m, &config, 1, NULL) == ALM_OK && alm_compute_new(&c, NULL, NULL) == ALM_OK);
    CHECK(alm_trainer_new(&t, m, c, &train, &eval, &o, NULL) == ALM_OK);
    alm_status st = alm_trainer_parse(t, "fuzz", alm_str_make((const char *)data, n), NULL);
    alm_trainer_progress(t, &p);
    (void)alm_trainer_history(t, &points);
    CHECK(points == p.step);
    CHECK(st == ALM_OK || (p.step == 0 && p.tokens == 0));
    uint64_t step = p.step;
    st = alm_trainer_step(t, &p, NULL);
    CHECK(st == ALM_OK || st == ALM_END || st == ALM_LIMIT || st == ALM_INVALID);
    /* A step can go well and the look at what is held out end in numbers that are not finite. */
    CHECK(p.step == step || ((st == ALM_OK || st == ALM_LIMIT) && p.step == step + 1));
    alm_trainer_free(t);
    alm_compute_free(c);
    alm_model_free(m);
    return 0;
}
