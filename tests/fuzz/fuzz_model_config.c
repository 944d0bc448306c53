/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_model_config.c - a config.json that is accepted describes a model, and what is written of it says the same again.
 *
 * Questions: the configuration passes the check that fresh models pass; an outline of it (names, shapes) can be made where it
 * is small; written as config.json and read again it has the same bits. */
#include "dtype/dtype.h"
#include "fuzz.h"
#include "model/family.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    alm_config c, again;
    alm_model *m;
    char *text = malloc(n + 1);
    CHECK(text);
    memcpy(text, data, n);
    memset(&c, 0, sizeof c), memset(&again, 0, sizeof again);
    alm_status st = alm_config_from_hf(&c, "fuzz", text, n, NULL);
    free(text);
    if (st != ALM_OK) return 0;
    CHECK(alm_config_check(&c, NULL) == ALM_OK);
    for (size_t i = 0; i < alm_config_pairs(&c) && c.rope_factor != 0.0; i++) {
        double f = alm_config_rope_factor(&c, i);
        if (c.rope_kind == ALM_ROPE_LONG) CHECK(f >= 1e-6 && f <= 1e6);
        else CHECK(f >= 0.99 && f <= c.rope_factor * 1.01);
    }
    if (c.n_layers <= 64 && c.n_layers * c.n_experts <= 512) {
        CHECK(alm_model_outline(&m, &c, NULL) == ALM_OK);
        CHECK(alm_model_weight(m, 0)->n_rows == c.n_vocab && alm_model_parameter_count(m) > 0);
        alm_model_free(m);
    }
    alm_buf out = alm_buf_with_limit(1 << 16);
    st = alm_config_to_hf(&c, &out, ALM_F32, NULL);
    if (st == ALM_UNSUPPORTED) { /* a family that is only read */
        alm_buf_free(&out);
        return 0;
    }
    CHECK(st == ALM_OK);
    CHECK(alm_config_from_hf(&again, "again", out.at, out.n, NULL) == ALM_OK);
    CHECK(c.n_vocab == again.n_vocab && c.hidden == again.hidden && c.n_layers == again.n_layers &&
          c.n_heads == again.n_heads && c.n_kv_heads == again.n_kv_heads && c.head_dim == again.head_dim &&
          c.ffn == again.ffn && c.context == again.context && c.tied == again.tied &&
          c.rope_original == again.rope_original && c.rope_kind == again.rope_kind && c.window == again.window &&
          memcmp(c.local, again.local, sizeof c.local) == 0);
    const double a[6] = {c.norm_eps, c.rope_theta, c.rope_factor, c.rope_low, c.rope_high, c.rope_amplitude},
                 b[6] = {again.norm_eps, again.rope_theta, again.rope_factor,
                         again.rope_low, again.rope_high,  again.rope_amplitude};
    CHECK(memcmp(a, b, sizeof a) == 0);
    alm_buf_free(&out);
    return 0;
}
