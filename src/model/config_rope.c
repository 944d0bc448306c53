/* SPDX-License-Identifier: Apache-2.0
 *
 * config_rope.c - RoPE's base, how much of a head rotates, and its scaling: read, and turned into a divisor for each pair.
 *
 * config.json says it in three places (docs/model/rope.md): rope_theta and rope_scaling (transformers 4), both in
 * rope_parameters (5), and there once more for each type of layer (Gemma 3). GGUF has keys, and tensors where every pair has
 * a divisor of its own. The formulas are those of transformers; llama.cpp's agree. */
#include "base/mathx.h"
#include "model/family.h"

#include <math.h>

static const double two_pi = 6.283185307179586;

/* -- divisors ----------------------------------------------------------------------------------------------------------- */

/* Pairs that turn often in the original context keep their frequency, slow ones are divided by the factor, those between
 * are blended. */
static double llama3(const alm_config *c, double wavelength) {
    double original = (double)c->rope_original;
    if (wavelength < original / c->rope_high) return 1.0;
    if (wavelength > original / c->rope_low) return c->rope_factor;
    double smooth = (original / wavelength - c->rope_low) / (c->rope_high - c->rope_low);
    return 1.0 / ((1.0 - smooth) / c->rope_factor + smooth);
}

/* The pair that turns so many times in the original context. */
static double pair_that_turns(const alm_config *c, double turns) {
    double dims = (double)(2 * alm_config_pairs(c));
    return dims * alm_log_f64((double)c->rope_original / (turns * two_pi)) / (2.0 * alm_log_f64(c->rope_theta));
}

/* A ramp over the pairs, from those that turn rope_high times to those that turn rope_low times. */
static double yarn(const alm_config *c, size_t i) {
    double from = pair_that_turns(c, c->rope_high), to = pair_that_turns(c, c->rope_low),
           last = (double)(2 * alm_config_pairs(c)) - 1.0;
    if (!c->rope_ragged) from = floor(from), to = ceil(to);
    if (from < 0.0) from = 0.0;
    if (to > last) to = last;
    if (from == to) to += 0.001;
    double slow = ((double)i - from) / (to - from);
    slow = slow < 0.0 ? 0.0 : slow > 1.0 ? 1.0 : slow;
    return 1.0 / (slow / c->rope_factor + (1.0 - slow));
}

double alm_config_rope_factor(const alm_config *c, size_t i) {
    switch (c->rope_kind) {
    case ALM_ROPE_LINEAR: return c->rope_factor;
    case ALM_ROPE_YARN: return yarn(c, i);
    case ALM_ROPE_LONG: return (double)c->rope_short[i];
    default: break;
    }
    double dims = (double)(2 * alm_config_pairs(c));
    return llama3(c, two_pi * alm_pow_f64(c->rope_theta, 2.0 * (double)i / dims));
}

/* -- reading: what both kinds of file share --------------------------------------------------------------------------------- */

/* YaRN's: attention grows a little sharper as the context is stretched. */
static double yarn_amplitude(double factor, double scale) {
    return factor > 1.0 ? 0.1 * scale * alm_log_f64(factor) + 1.0 : 1.0;
}

static void check_divisors(alm_config *c, alm_settings *s, size_t n_short, size_t n_long) {
    size_t n = alm_config_pairs(c);
    if (s->status == ALM_OK && (n_short != n || n_long != n))
        alm_settings_refuse(s, "bad_value: longrope has %zu and %zu divisors, %zu pairs rotate", n_short, n_long, n);
}

static void set_dims(alm_config *c, alm_settings *s, size_t dims) {
    if (s->status != ALM_OK) return;
    if (dims > c->head_dim)
        alm_settings_refuse(s, "bad_value: %zu numbers of a head rotate, it has %zu", dims, c->head_dim);
    else if (dims < 2 || dims % 2) alm_settings_refuse(s, "bad_value: %zu numbers do not rotate in pairs", dims);
    c->rope_dims = dims == c->head_dim ? 0 : dims;
}

/* -- GGUF --------------------------------------------------------------------------------------------------------------- */

static void gguf_yarn(alm_config *c, alm_settings *s) {
    c->rope_kind = ALM_ROPE_YARN;
    c->rope_original = alm_settings_count(s, "rope.scaling.original_context_length", NULL, c->context);
    c->rope_high = alm_settings_real(s, "rope.scaling.yarn_beta_fast", NULL, 32.0);
    c->rope_low = alm_settings_real(s, "rope.scaling.yarn_beta_slow", NULL, 1.0);
    if (alm_settings_real(s, "rope.scaling.yarn_ext_factor", NULL, 1.0) != 1.0)
        alm_settings_unsupported(s, "YaRN with another mix (key %s)", s->key);
    c->rope_amplitude =
        yarn_amplitude(c->rope_factor, 1.0) * alm_settings_real(s, "rope.scaling.attn_factor", NULL, 1.0);
}

static void gguf_scaling(alm_config *c, alm_settings *s) {
    alm_str type = alm_settings_text(s, "rope.scaling.type", NULL, "linear");
    bool older = !alm_settings_has(s, "rope.scaling.factor", NULL);
    c->rope_factor = alm_settings_real(s, older ? "rope.scale_linear" : "rope.scaling.factor", NULL, 1.0);
    if (alm_str_eq(type, ALM_STR("none"))) c->rope_factor = 0.0;
    else if (alm_str_eq(type, ALM_STR("linear"))) c->rope_kind = ALM_ROPE_LINEAR;
    else if (alm_str_eq(type, ALM_STR("yarn"))) gguf_yarn(c, s);
    else if (!alm_str_eq(type, ALM_STR("longrope")))
        alm_settings_unsupported(s, "RoPE scaled by \"%.*s\"", ALM_ARG(type));
    if (c->rope_factor == 1.0) c->rope_factor = 0.0, c->rope_kind = ALM_ROPE_LLAMA3;
}

static void gguf_long(alm_config *c, alm_settings *s) {
    size_t n_long = alm_settings_reals(s, "rope_factors_long.weight", NULL, c->rope_long, ALM_ROPE_MAX_DIVISORS),
           n_short = alm_settings_reals(s, "rope_factors_short.weight", NULL, c->rope_short, ALM_ROPE_MAX_DIVISORS);
    check_divisors(c, s, n_short, n_long);
    c->rope_kind = ALM_ROPE_LONG;
    c->rope_factor = 1.0;
    c->rope_original = alm_settings_count(s, "rope.scaling.original_context_length", NULL, c->context);
    c->rope_amplitude = alm_settings_real(s, "rope.scaling.attn_factor", NULL, 1.0);
}

static void from_gguf(alm_config *c, alm_settings *s, double theta) {
    c->rope_theta = alm_settings_real(s, "rope.freq_base", NULL, theta);
    set_dims(c, s, alm_settings_count(s, "rope.dimension_count", NULL, c->head_dim));
    c->rope_local_theta = alm_settings_real(s, "rope.freq_base_swa", NULL, c->rope_local_theta);
    if (alm_settings_has(s, "alm.rope.factor", NULL)) { /* written by us: where the tensor rope_freqs came from */
        c->rope_factor = alm_settings_real(s, "alm.rope.factor", NULL, 0.0);
        c->rope_low = alm_settings_real(s, "alm.rope.low", NULL, ALM_REQUIRED_REAL);
        c->rope_high = alm_settings_real(s, "alm.rope.high", NULL, ALM_REQUIRED_REAL);
        c->rope_original = alm_settings_count(s, "alm.rope.original", NULL, ALM_REQUIRED);
    } else if (alm_settings_tensor(s, "rope_factors_long.weight")) {
        gguf_long(c, s);
    } else {
        gguf_scaling(c, s);
    }
}

/* -- config.json -------------------------------------------------------------------------------------------------------- */

static void hf_yarn(alm_config *c, alm_settings *r) {
    c->rope_kind = ALM_ROPE_YARN;
    c->rope_high = alm_settings_real(r, NULL, "beta_fast", 32.0);
    c->rope_low = alm_settings_real(r, NULL, "beta_slow", 1.0);
    c->rope_ragged = !alm_settings_bool(r, NULL, "truncate", true);
    double scale = alm_settings_real(r, NULL, "mscale", 0.0), all = alm_settings_real(r, NULL, "mscale_all_dim", 0.0);
    double amplitude = scale > 0.0 && all > 0.0
                           ? yarn_amplitude(c->rope_factor, scale) / yarn_amplitude(c->rope_factor, all)
                           : yarn_amplitude(c->rope_factor, 1.0);
    c->rope_amplitude = alm_settings_real(r, NULL, "attention_factor", amplitude);
}

static void hf_long(alm_config *c, alm_settings *r) {
    size_t n_long = alm_settings_reals(r, NULL, "long_factor", c->rope_long, ALM_ROPE_MAX_DIVISORS),
           n_short = alm_settings_reals(r, NULL, "short_factor", c->rope_short, ALM_ROPE_MAX_DIVISORS);
    check_divisors(c, r, n_short, n_long);
    c->rope_kind = ALM_ROPE_LONG;
    double stretch = c->rope_original > 1 ? (double)c->context / (double)c->rope_original : 0.0, amplitude = 1.0;
    if (stretch == 1.0) stretch = alm_settings_real(r, NULL, "factor", 1.0);
    if (stretch > 1.0) amplitude = sqrt(1.0 + alm_log_f64(stretch) / alm_log_f64((double)c->rope_original));
    c->rope_amplitude = alm_settings_real(r, NULL, "attention_factor", amplitude);
    c->rope_factor = 1.0;
}

static void hf_scaling(alm_config *c, alm_settings *r, alm_settings *outer) {
    alm_str type = alm_settings_text(r, NULL, alm_settings_has(r, NULL, "rope_type") ? "rope_type" : "type", "default");
    if (alm_str_eq(type, ALM_STR("default"))) return;
    bool ramp = alm_str_eq(type, ALM_STR("yarn")),
         each = alm_str_eq(type, ALM_STR("longrope")) || alm_str_eq(type, ALM_STR("su"));
    static const char original[] = "original_max_position_embeddings";
    if (ramp || each) c->rope_original = alm_settings_count(outer, NULL, original, c->context);
    if (ramp || each) c->rope_original = alm_settings_count(r, NULL, original, c->rope_original);
    if (each) {
        hf_long(c, r);
        return;
    }
    c->rope_factor = alm_settings_real(r, NULL, "factor", ALM_REQUIRED_REAL);
    if (r->status == ALM_OK && c->rope_factor == 0.0) alm_settings_refuse(r, "bad_value: a scaling of RoPE by 0");
    if (ramp) {
        hf_yarn(c, r);
    } else if (alm_str_eq(type, ALM_STR("linear"))) {
        c->rope_kind = ALM_ROPE_LINEAR;
    } else if (alm_str_eq(type, ALM_STR("llama3"))) {
        c->rope_low = alm_settings_real(r, NULL, "low_freq_factor", ALM_REQUIRED_REAL);
        c->rope_high = alm_settings_real(r, NULL, "high_freq_factor", ALM_REQUIRED_REAL);
        c->rope_original = alm_settings_count(r, NULL, original, ALM_REQUIRED);
    } else {
        alm_settings_unsupported(r, "RoPE scaled by \"%.*s\"", ALM_ARG(type));
    }
}

/* What stands in rope_parameters or rope_scaling; r: that object. */
static void hf_parameters(alm_config *c, alm_settings *r, alm_settings *s) {
    c->rope_theta = alm_settings_real(r, NULL, "rope_theta", c->rope_theta);
    double part = alm_settings_real(r, NULL, "partial_rotary_factor", 0.0);
    if (part > 0.0 && part <= 1.0) set_dims(c, r, (size_t)(part * (double)c->head_dim));
    else if (part != 0.0) alm_settings_refuse(r, "bad_value: partial_rotary_factor is %g", part);
    hf_scaling(c, r, s);
}

static void from_hf(alm_config *c, alm_settings *s, double theta) {
    alm_settings r, inner;
    c->rope_theta = alm_settings_real(s, NULL, "rope_theta", alm_settings_real(s, NULL, "rotary_emb_base", theta));
    double part = alm_settings_real(s, NULL, "partial_rotary_factor", alm_settings_real(s, NULL, "rotary_pct", 1.0));
    if (part > 0.0 && part <= 1.0) set_dims(c, s, (size_t)(part * (double)c->head_dim));
    else alm_settings_refuse(s, "bad_value: partial_rotary_factor is %g", part);
    c->rope_local_theta = alm_settings_real(s, NULL, "rope_local_base_freq", c->rope_local_theta);
    bool five = alm_settings_enter(&r, s, "rope_parameters");
    if (!five && !alm_settings_enter(&r, s, "rope_scaling")) return;
    if (five && alm_settings_enter(&inner, &r, "sliding_attention")) {
        alm_config local = *c;
        hf_parameters(&local, &inner, s);
        if (local.rope_factor != 0.0) alm_settings_unsupported(&inner, "a scaling of RoPE in layers with a window");
        c->rope_local_theta = local.rope_theta;
        alm_settings_leave(&r, &inner);
    }
    if (five && alm_settings_enter(&inner, &r, "full_attention")) {
        hf_parameters(c, &inner, s);
        alm_settings_leave(&r, &inner);
    } else {
        hf_parameters(c, &r, s);
    }
    alm_settings_leave(s, &r);
}

void alm_settings_rope(alm_config *c, alm_settings *s, double theta) {
    if (s->status != ALM_OK) return;
    if (s->g) from_gguf(c, s, theta);
    else from_hf(c, s, theta);
}
