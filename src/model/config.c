/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - a model's configuration: read from GGUF keys or config.json by its family, and checked.
 *
 * What is not known is not guessed: an option that would change the result is refused, one that does not is ignored. */
#include "dtype/dtype.h"
#include "model/family.h"

#include <math.h>
#include <stdio.h>

/* -- is it a model? ----------------------------------------------------------------------------------------------------- */

static alm_status outside(const char *what, size_t x, size_t low, size_t high, alm_error *err) {
    return alm_fail(err, ALM_INVALID, "%s is %zu: %zu to %zu is allowed", what, x, low, high);
}

/* All counts of elements stay below 2^48, so that no product of this room overflows. */
static const struct {
    const char *what;
    size_t at, low, high;
} bounds[] = {
    {"the vocabulary", offsetof(alm_config, n_vocab), 1, 1 << 24},
    {"the width (hidden)", offsetof(alm_config, hidden), 1, 1 << 20},
    {"the number of layers", offsetof(alm_config, n_layers), 1, ALM_MODEL_MAX_LAYERS},
    {"the number of heads", offsetof(alm_config, n_heads), 1, 1 << 12},
    {"the number of key-value heads", offsetof(alm_config, n_kv_heads), 1, 1 << 12},
    {"the size of a head", offsetof(alm_config, head_dim), 2, 1 << 12},
    {"the width of the feed-forward part", offsetof(alm_config, ffn), 1, 1 << 22},
    {"the context", offsetof(alm_config, context), 1, 1 << 28},
    {"the part of a head that rotates", offsetof(alm_config, rope_dims), 0, 1 << 12},
    {"the window", offsetof(alm_config, window), 0, 1 << 28},
    {"the number of experts", offsetof(alm_config, n_experts), 0, 1 << 10},
    {"the number of kinds of a sentence", offsetof(alm_config, n_kinds), 0, 1 << 16},
    {"the number of labels", offsetof(alm_config, n_labels), 0, 1 << 20},
    {"the width of an expert", offsetof(alm_config, expert_ffn), 0, 1 << 22},
};

/* Multipliers and caps; 0 means none. */
static const struct {
    const char *what;
    size_t at;
} factors[] = {
    {"the scale of attention", offsetof(alm_config, attention_scale)},
    {"the cap of attention", offsetof(alm_config, attention_softcap)},
    {"the cap of the logits", offsetof(alm_config, final_softcap)},
    {"the multiplier of the embedding", offsetof(alm_config, embedding_scale)},
    {"the multiplier of the residuals", offsetof(alm_config, residual_scale)},
    {"the multiplier of the logits", offsetof(alm_config, logit_scale)},
    {"the amplitude of RoPE", offsetof(alm_config, rope_amplitude)},
    {"the factor within an expert's gate", offsetof(alm_config, gate_alpha)},
    {"the limit of an expert's gate", offsetof(alm_config, gate_limit)},
};

static bool within(double x, double low, double high) { return x >= low && x <= high; }

static alm_status no_scaling(const alm_config *c, alm_error *err) {
    return alm_fail(err, ALM_INVALID, "the scaling of RoPE (factor %g, low %g, high %g, original %zu) is none",
                    c->rope_factor, c->rope_low, c->rope_high, c->rope_original);
}

static alm_status check_rope(const alm_config *c, alm_error *err) {
    size_t n = alm_config_pairs(c);
    if (c->rope_dims % 2 || c->rope_dims > c->head_dim)
        return alm_fail(err, ALM_INVALID, "%zu of %zu numbers of a head cannot rotate in pairs", c->rope_dims,
                        c->head_dim);
    if (!within(c->rope_theta, 1.0, 1e30))
        return alm_fail(err, ALM_INVALID, "rope_theta is %g: 1 to 1e30 is allowed", c->rope_theta);
    if (c->rope_local_theta != 0.0 && !within(c->rope_local_theta, 1.0, 1e30))
        return alm_fail(err, ALM_INVALID, "rope_theta of layers with a window is %g: 1 to 1e30 is allowed",
                        c->rope_local_theta);
    if (c->rope_factor == 0.0) return ALM_OK;
    if (!within(c->rope_factor, 1.0, 1e6)) return no_scaling(c, err);
    if (c->rope_kind == ALM_ROPE_LINEAR) return ALM_OK;
    if (c->rope_original < 1 || c->rope_original > 1 << 28) return no_scaling(c, err);
    if (c->rope_kind == ALM_ROPE_LONG) {
        if (n > ALM_ROPE_MAX_DIVISORS) return outside("the number of pairs of longrope", n, 1, 256, err);
        for (size_t i = 0; i < n; i++)
            if (!within((double)c->rope_short[i], 1e-6, 1e6) || !within((double)c->rope_long[i], 1e-6, 1e6))
                return alm_fail(err, ALM_INVALID, "longrope divides a frequency by %g or %g", (double)c->rope_short[i],
                                (double)c->rope_long[i]);
        return ALM_OK;
    }
    if (!(c->rope_low > 0.0 && c->rope_low <= 1e6 && c->rope_high > c->rope_low && c->rope_high <= 1e6) ||
        (c->rope_kind == ALM_ROPE_YARN && c->rope_theta == 1.0))
        return no_scaling(c, err);
    return ALM_OK;
}

alm_status alm_config_check(const alm_config *c, alm_error *err) {
    if (!memchr(c->family, 0, sizeof c->family) || !alm_family_named(alm_str_of(c->family)))
        return alm_fail(err, ALM_INVALID, "no such family of models");
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        size_t x = *(const size_t *)(const void *)((const char *)c + bounds[i].at);
        if (x < bounds[i].low || x > bounds[i].high)
            return outside(bounds[i].what, x, bounds[i].low, bounds[i].high, err);
    }
    if (c->n_heads % c->n_kv_heads)
        return alm_fail(err, ALM_INVALID, "%zu heads do not share %zu key-value heads evenly", c->n_heads,
                        c->n_kv_heads);
    if (c->head_dim % 2) return alm_fail(err, ALM_INVALID, "a head of %zu cannot rotate in pairs", c->head_dim);
    if (!(c->norm_eps > 0.0 && c->norm_eps <= 1.0))
        return alm_fail(err, ALM_INVALID, "the epsilon of the norms is %g: above 0, at most 1", c->norm_eps);
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        double x = *(const double *)(const void *)((const char *)c + factors[i].at);
        if (x != 0.0 && !within(x, 1e-6, 1e6))
            return alm_fail(err, ALM_INVALID, "%s is %g: 1e-6 to 1e6 is allowed", factors[i].what, x);
    }
    if (c->encoder && (!c->n_kinds || (c->classifies && !c->n_labels)))
        return alm_fail(err, ALM_INVALID, "an encoder of %zu kinds of sentences, %zu labels", c->n_kinds, c->n_labels);
    if (c->n_experts_used > c->n_experts)
        return alm_fail(err, ALM_INVALID, "%zu of %zu experts are used", c->n_experts_used, c->n_experts);
    if (c->n_experts && (!c->n_experts_used || !c->expert_ffn || c->n_experts * c->n_layers > 1 << 15))
        return alm_fail(err, ALM_INVALID, "%zu experts of width %zu in %zu layers, %zu used: that is no mixture",
                        c->n_experts, c->expert_ffn, c->n_layers, c->n_experts_used);
    return check_rope(c, err);
}

/* -- read ------------------------------------------------------------------------------------------------------------------- */

static bool announces_mxfp4(alm_settings *s) {
    alm_settings how;
    if (!alm_settings_enter(&how, s, "quantization_config")) return false;
    alm_str method = alm_settings_text(&how, NULL, "quant_method", "");
    alm_settings_leave(s, &how);
    return alm_str_eq(method, ALM_STR("mxfp4"));
}

static alm_status read_with_family(alm_config *out, alm_settings *s) {
    alm_config c = {0};
    alm_error why = {0};
    const alm_family *f = alm_family_of(s);
    if (!f) return s->status;
    snprintf(c.family, sizeof c.family, "%s", f->name);
    if (!f->reads_mxfp4 || !announces_mxfp4(s)) alm_settings_plain_weights(s);
    f->settings(&c, s);
    /* What alm_config_check says about a file's numbers is said with the file's class. */
    if (s->status == ALM_OK && alm_config_check(&c, &why) != ALM_OK) alm_settings_refuse(s, "bad_value: %s", why.text);
    if (s->status == ALM_OK) *out = c;
    return s->status;
}

alm_status alm_config_from_gguf(alm_config *out, const alm_gguf *g, const char *prefix, alm_error *err) {
    alm_settings s = {.g = g, .prefix = prefix, .status = ALM_OK, .err = err};
    return read_with_family(out, &s);
}

alm_status alm_config_from_hf(alm_config *out, const char *name, char *text, size_t n, alm_error *err) {
    alm_json_doc doc = {0};
    alm_error why = {0};
    const alm_json_limits limits = {.max_depth = 32, .max_bytes = 1 << 24};
    alm_status st = alm_json_parse(&doc, text, n, &limits, NULL, &why);
    if (st != ALM_OK) {
        alm_json_doc_free(&doc);
        return st == ALM_NO_MEMORY ? alm_fail_memory(err)
                                   : alm_fail(err, ALM_MALFORMED, "%s: bad_header: %s", name, why.text);
    }
    alm_settings s = {.prefix = "", .object = doc.node, .file = name, .status = ALM_OK, .err = err};
    if (doc.node->type != ALM_JSON_OBJECT) alm_settings_refuse(&s, "bad_header: no JSON object");
    st = s.status == ALM_OK ? read_with_family(out, &s) : s.status;
    alm_json_doc_free(&doc);
    return st;
}
