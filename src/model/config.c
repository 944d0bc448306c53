/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - a model's configuration: checked, read from GGUF keys and from config.json, written as both.
 *
 * Refusals of a file begin with a class: bad_value (a number outside its range), bad_header (no such key, no JSON),
 * unsupported (a kind of model that this build cannot compute). What is not known is not guessed: an option that would
 * change the result is refused, one that does not is ignored.
 *
 * GGUF stores numbers as f32; read back they get their shortest decimal, so that 1e-5 is 1e-5 again. */
#include "base/mathx.h"
#include "dtype/dtype.h"
#include "model/family.h"

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
};

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
    if (!(c->rope_theta >= 1.0 && c->rope_theta <= 1e30))
        return alm_fail(err, ALM_INVALID, "rope_theta is %g: 1 to 1e30 is allowed", c->rope_theta);
    if (c->rope_factor == 0.0) return ALM_OK;
    if (!(c->rope_factor >= 1.0 && c->rope_factor <= 1e6 && c->rope_low > 0.0 && c->rope_low <= 1e6 &&
          c->rope_high > c->rope_low && c->rope_high <= 1e6 && c->rope_original >= 1 && c->rope_original <= 1 << 28))
        return alm_fail(err, ALM_INVALID, "the scaling of RoPE (factor %g, low %g, high %g, original %zu) is none",
                        c->rope_factor, c->rope_low, c->rope_high, c->rope_original);
    return ALM_OK;
}

/* Pairs that turn often in the original context keep their frequency, slow ones are divided by the factor, those between
 * are blended. */
double alm_config_rope_factor(const alm_config *c, size_t i) {
    static const double two_pi = 6.283185307179586;
    double wavelength = two_pi * alm_pow_f64(c->rope_theta, 2.0 * (double)i / (double)c->head_dim);
    double original = (double)c->rope_original;
    if (wavelength < original / c->rope_high) return 1.0;
    if (wavelength > original / c->rope_low) return c->rope_factor;
    double smooth = (original / wavelength - c->rope_low) / (c->rope_high - c->rope_low);
    return 1.0 / ((1.0 - smooth) / c->rope_factor + smooth);
}

/* What alm_config_check says about a file's numbers is said with the file's class. */
static alm_status judge(const alm_config *c, const char *name, alm_error *err) {
    alm_error why = {0};
    if (alm_config_check(c, &why) == ALM_OK) return ALM_OK;
    return alm_fail(err, ALM_MALFORMED, "%s%sbad_value: %s", name, *name ? ": " : "", why.text);
}

/* -- GGUF --------------------------------------------------------------------------------------------------------------- */

typedef struct keys {
    const alm_gguf *g;
    const char *prefix;
    char name[200];
    alm_status status;
    alm_error *err;
} keys;

/* prefix + family (where wanted) + key */
static const char *key(keys *k, const char *name) {
    snprintf(k->name, sizeof k->name, "%s%s", k->prefix, name);
    return k->name;
}

static bool has(keys *k, const char *name) { return alm_gguf_find(k->g, key(k, name)) != NULL; }

static void refuse(keys *k, const alm_error *why) {
    if (k->status == ALM_OK) k->status = alm_fail(k->err, ALM_MALFORMED, "bad_value: %s", why->text);
}

static size_t count(keys *k, const char *name, size_t fallback) {
    uint64_t x = 0;
    alm_error why = {0};
    alm_status st = alm_gguf_u64(k->g, key(k, name), &x, &why);
    if (st == ALM_NOT_FOUND && fallback != SIZE_MAX) return fallback;
    if (st == ALM_OK) return x < SIZE_MAX ? (size_t)x : SIZE_MAX;
    refuse(k, &why);
    return 0;
}

/* f32 as the decimal that somebody wrote. */
static double tidy(double x) {
    char text[40];
    for (int digits = 1; digits <= 9; digits++) {
        double y;
        int n = alm_str_print(text, sizeof text, "%.*g", digits, x);
        if (n > 0 && alm_str_to_f64((alm_str){text, (size_t)n}, &y) && (float)y == (float)x) return y;
    }
    return x;
}

static double real(keys *k, const char *name, double fallback) {
    double x = 0.0;
    alm_error why = {0};
    alm_status st = alm_gguf_f64(k->g, key(k, name), &x, &why);
    if (st == ALM_NOT_FOUND && fallback > 0.0) return fallback;
    if (st != ALM_OK) return refuse(k, &why), 0.0;
    const alm_gguf_value *v = alm_gguf_find(k->g, k->name);
    return v->type == ALM_GGUF_F32 ? tidy(x) : x;
}

static void unsupported(keys *k, const char *what) {
    if (k->status == ALM_OK) k->status = alm_fail(k->err, ALM_UNSUPPORTED, "unsupported: %s (key %s)", what, k->name);
}

static void read_rope(alm_config *c, keys *k) {
    c->rope_theta = real(k, "llama.rope.freq_base", 10000.0);
    size_t dims = count(k, "llama.rope.dimension_count", c->head_dim);
    if (k->status == ALM_OK && dims > c->head_dim)
        k->status = alm_fail(k->err, ALM_MALFORMED, "bad_value: %s is %zu, a head has %zu", k->name, dims, c->head_dim);
    if (dims != c->head_dim) unsupported(k, "heads that rotate in part");
    alm_str type = {0};
    if (has(k, "llama.rope.scaling.type")) {
        alm_error why = {0};
        if (alm_gguf_str(k->g, k->name, &type, &why) != ALM_OK) refuse(k, &why);
        else if (!alm_str_eq(type, ALM_STR("none")) && !alm_str_eq(type, ALM_STR("linear")))
            unsupported(k, "this scaling of RoPE");
    }
    if (has(k, "llama.rope.scaling.factor") && !alm_str_eq(type, ALM_STR("none")) &&
        real(k, "llama.rope.scaling.factor", 0.0) != 1.0)
        unsupported(k, "linear scaling of RoPE");
    if (!has(k, "alm.rope.factor")) return;
    c->rope_factor = real(k, "alm.rope.factor", 0.0);
    c->rope_low = real(k, "alm.rope.low", 0.0);
    c->rope_high = real(k, "alm.rope.high", 0.0);
    c->rope_original = count(k, "alm.rope.original", SIZE_MAX);
}

static const alm_gguf_tensor *tensor(keys *k, const char *name) { return alm_gguf_find_tensor(k->g, key(k, name)); }

static void read_experts(keys *k) {
    size_t n = count(k, "llama.expert_count", 0), used = count(k, "llama.expert_used_count", 0);
    if (used > n && k->status == ALM_OK)
        k->status = alm_fail(k->err, ALM_MALFORMED, "bad_value: %s is %zu of %zu experts", k->name, used, n);
    if (n > 0) unsupported(k, "a mixture of experts");
}

alm_status alm_config_from_gguf(alm_config *out, const alm_gguf *g, const char *prefix, alm_error *err) {
    keys k = {.g = g, .prefix = prefix, .status = ALM_OK, .err = err};
    alm_config c = {0};
    alm_str family;
    alm_status st = alm_gguf_str(g, key(&k, "general.architecture"), &family, err);
    if (st != ALM_OK) return alm_fail(err, ALM_MALFORMED, "bad_header: no string under %s", k.name);
    if (!alm_family_named(family)) {
        alm_fail(err, ALM_UNSUPPORTED, "unsupported: a model of the family %.*s", ALM_ARG(family));
        return alm_hint(err, "this build computes: llama"), ALM_UNSUPPORTED;
    }
    memcpy(c.family, family.at, family.n);
    c.hidden = count(&k, "llama.embedding_length", SIZE_MAX);
    c.n_layers = count(&k, "llama.block_count", SIZE_MAX);
    c.n_heads = count(&k, "llama.attention.head_count", SIZE_MAX);
    c.n_kv_heads = count(&k, "llama.attention.head_count_kv", c.n_heads);
    c.ffn = count(&k, "llama.feed_forward_length", SIZE_MAX);
    c.context = count(&k, "llama.context_length", SIZE_MAX);
    c.norm_eps = real(&k, "llama.attention.layer_norm_rms_epsilon", 0.0);
    c.head_dim = count(&k, "llama.attention.key_length", 0);
    if (k.status == ALM_OK && c.head_dim == 0) {
        if (c.n_heads == 0 || c.hidden % c.n_heads)
            return alm_fail(err, ALM_MALFORMED, "bad_value: a width of %zu is not divided by %zu heads", c.hidden,
                            c.n_heads);
        c.head_dim = c.hidden / c.n_heads;
    }
    if (count(&k, "llama.attention.value_length", c.head_dim) != c.head_dim) unsupported(&k, "values of another size");
    read_rope(&c, &k);
    read_experts(&k);
    const alm_gguf_tensor *embedding = tensor(&k, "token_embd.weight");
    if (k.status == ALM_OK && (!embedding || embedding->n_dims != 2))
        k.status = alm_fail(err, ALM_MALFORMED, "missing_tensor: there is no matrix %s", k.name);
    if (k.status != ALM_OK) return k.status;
    c.n_vocab = embedding->dim[1] < SIZE_MAX ? (size_t)embedding->dim[1] : SIZE_MAX;
    if (count(&k, "llama.vocab_size", c.n_vocab) != c.n_vocab && k.status == ALM_OK)
        k.status =
            alm_fail(err, ALM_MALFORMED, "bad_shape: %s differs from the %zu rows of the embedding", k.name, c.n_vocab);
    c.tied = tensor(&k, "output.weight") == NULL;
    if (k.status == ALM_OK) k.status = judge(&c, "", err);
    if (k.status == ALM_OK) *out = c;
    return k.status;
}

static void set_u32(alm_gguf_writer *w, const char *prefix, const char *name, size_t x) {
    char k[200];
    snprintf(k, sizeof k, "%s%s", prefix, name);
    alm_gguf_set_u32(w, k, (uint32_t)x); /* all are below 2^32: alm_config_check */
}

static void set_f32(alm_gguf_writer *w, const char *prefix, const char *name, double x) {
    char k[200];
    snprintf(k, sizeof k, "%s%s", prefix, name);
    alm_gguf_set_f32(w, k, (float)x);
}

void alm_config_to_gguf(const alm_config *c, alm_gguf_writer *w, const char *prefix, uint32_t type) {
    char k[200];
    snprintf(k, sizeof k, "%sgeneral.architecture", prefix);
    alm_gguf_set_str(w, k, alm_str_of(c->family));
    /* llama.cpp's numbers of what most tensors are */
    set_u32(w, prefix, "general.file_type", type == ALM_F32 ? 0 : type == ALM_F16 ? 1 : type == ALM_Q8_0 ? 7 : 32);
    set_u32(w, prefix, "general.quantization_version", 2);
    set_u32(w, prefix, "llama.vocab_size", c->n_vocab);
    set_u32(w, prefix, "llama.context_length", c->context);
    set_u32(w, prefix, "llama.embedding_length", c->hidden);
    set_u32(w, prefix, "llama.block_count", c->n_layers);
    set_u32(w, prefix, "llama.feed_forward_length", c->ffn);
    set_u32(w, prefix, "llama.attention.head_count", c->n_heads);
    set_u32(w, prefix, "llama.attention.head_count_kv", c->n_kv_heads);
    set_u32(w, prefix, "llama.attention.key_length", c->head_dim);
    set_u32(w, prefix, "llama.attention.value_length", c->head_dim);
    set_f32(w, prefix, "llama.attention.layer_norm_rms_epsilon", c->norm_eps);
    set_u32(w, prefix, "llama.rope.dimension_count", c->head_dim);
    set_f32(w, prefix, "llama.rope.freq_base", c->rope_theta);
    if (c->rope_factor == 0.0) return;
    /* Other programs read the tensor rope_freqs; these say where it came from. */
    set_f32(w, prefix, "alm.rope.factor", c->rope_factor);
    set_f32(w, prefix, "alm.rope.low", c->rope_low);
    set_f32(w, prefix, "alm.rope.high", c->rope_high);
    set_u32(w, prefix, "alm.rope.original", c->rope_original);
}

/* -- config.json -------------------------------------------------------------------------------------------------------- */

typedef struct object {
    const alm_json *at;
    const char *name; /* of the file */
    alm_status status;
    alm_error *err;
} object;

#define SAY(o, class, ...)           \
    ((o)->status != ALM_OK ? (void)0 \
                           : (void)((o)->status = alm_fail((o)->err, ALM_MALFORMED, "%s: " class ": " __VA_ARGS__)))

static const alm_json *member(const object *o, const char *name) {
    const alm_json *v = alm_json_get(o->at, name);
    return v && v->type != ALM_JSON_NULL ? v : NULL;
}

/* SIZE_MAX as fallback: it must be there. */
static size_t hf_count(object *o, const char *name, size_t fallback) {
    const alm_json *v = member(o, name);
    int64_t x = 0;
    if (!v && fallback != SIZE_MAX) return fallback;
    if (!v) SAY(o, "bad_header", "%s is missing", o->name, name);
    else if (!alm_json_i64(v, &x) || x < 0) SAY(o, "bad_value", "%s is no count", o->name, name);
    return x > 0 ? (size_t)x : 0;
}

static double hf_real(object *o, const char *name, double fallback) {
    const alm_json *v = member(o, name);
    double x = 0.0;
    if (!v && fallback > 0.0) return fallback;
    if (!v) SAY(o, "bad_header", "%s is missing", o->name, name);
    else if (!alm_json_f64(v, &x)) SAY(o, "bad_value", "%s is no number", o->name, name);
    return x;
}

static bool hf_bool(object *o, const char *name, bool fallback) {
    const alm_json *v = member(o, name);
    if (!v) return fallback;
    if (v->type != ALM_JSON_TRUE && v->type != ALM_JSON_FALSE) SAY(o, "bad_value", "%s is no bool", o->name, name);
    return v->type == ALM_JSON_TRUE;
}

static alm_str hf_text(object *o, const char *name, const char *fallback) {
    const alm_json *v = member(o, name);
    if (!v) return alm_str_of(fallback);
    if (v->type != ALM_JSON_STRING) SAY(o, "bad_value", "%s is no string", o->name, name);
    return v->text;
}

static void hf_unsupported(object *o, const char *what) {
    if (o->status == ALM_OK) o->status = alm_fail(o->err, ALM_UNSUPPORTED, "%s: unsupported: %s", o->name, what);
}

/* rope_theta and rope_scaling (transformers 4), or both in rope_parameters (5). */
static void hf_rope(alm_config *c, object *o) {
    const alm_json *v = member(o, "rope_parameters");
    bool five = v != NULL;
    c->rope_theta = hf_real(o, "rope_theta", 10000.0);
    if (!v) v = member(o, "rope_scaling");
    if (!v) return;
    if (v->type != ALM_JSON_OBJECT) {
        SAY(o, "bad_value", "the scaling of RoPE is no object", o->name);
        return;
    }
    object r = {v, o->name, o->status, o->err};
    if (five) c->rope_theta = hf_real(&r, "rope_theta", c->rope_theta);
    if (hf_real(&r, "partial_rotary_factor", 1.0) != 1.0) hf_unsupported(&r, "heads that rotate in part");
    alm_str type = hf_text(&r, member(&r, "rope_type") ? "rope_type" : "type", "default");
    if (alm_str_eq(type, ALM_STR("llama3"))) {
        c->rope_factor = hf_real(&r, "factor", 0.0);
        c->rope_low = hf_real(&r, "low_freq_factor", 0.0);
        c->rope_high = hf_real(&r, "high_freq_factor", 0.0);
        c->rope_original = hf_count(&r, "original_max_position_embeddings", SIZE_MAX);
        if (r.status == ALM_OK && c->rope_factor == 0.0) SAY(&r, "bad_value", "a scaling of RoPE by 0", o->name);
    } else if (!alm_str_eq(type, ALM_STR("default"))) {
        hf_unsupported(&r, "this scaling of RoPE");
    }
    o->status = r.status;
}

static void hf_options(object *o) {
    if (!alm_str_eq(hf_text(o, "hidden_act", "silu"), ALM_STR("silu")))
        hf_unsupported(o, "another hidden_act than silu");
    if (hf_bool(o, "attention_bias", false) || hf_bool(o, "mlp_bias", false)) hf_unsupported(o, "biases");
    if (hf_real(o, "partial_rotary_factor", 1.0) != 1.0) hf_unsupported(o, "heads that rotate in part");
    if (member(o, "quantization_config")) hf_unsupported(o, "weights quantised in another library's way");
}

static void hf_members(alm_config *c, object *o) {
    alm_str family = hf_text(o, "model_type", "");
    if (o->status == ALM_OK && !alm_family_named(family)) {
        o->status = alm_fail(o->err, ALM_UNSUPPORTED, "%s: unsupported: model_type \"%.*s\"", o->name, ALM_ARG(family));
        alm_hint(o->err, "this build computes: llama");
    }
    if (o->status != ALM_OK) return;
    memcpy(c->family, family.at, family.n);
    c->n_vocab = hf_count(o, "vocab_size", SIZE_MAX);
    c->hidden = hf_count(o, "hidden_size", SIZE_MAX);
    c->ffn = hf_count(o, "intermediate_size", SIZE_MAX);
    c->n_layers = hf_count(o, "num_hidden_layers", SIZE_MAX);
    c->n_heads = hf_count(o, "num_attention_heads", SIZE_MAX);
    c->n_kv_heads = hf_count(o, "num_key_value_heads", c->n_heads);
    c->context = hf_count(o, "max_position_embeddings", 2048);
    c->norm_eps = hf_real(o, "rms_norm_eps", 1e-6);
    c->tied = hf_bool(o, "tie_word_embeddings", false);
    c->head_dim = hf_count(o, "head_dim", 0);
    if (o->status == ALM_OK && c->head_dim == 0) {
        if (c->n_heads == 0 || c->hidden % c->n_heads)
            SAY(o, "bad_value", "a width of %zu is not divided by %zu heads", o->name, c->hidden, c->n_heads);
        else c->head_dim = c->hidden / c->n_heads;
    }
    hf_rope(c, o);
    hf_options(o);
}

alm_status alm_config_from_hf(alm_config *out, const char *name, char *text, size_t n, alm_error *err) {
    alm_json_doc doc = {0};
    alm_error why = {0};
    alm_config c = {0};
    const alm_json_limits limits = {.max_depth = 32, .max_bytes = 1 << 24};
    alm_status st = alm_json_parse(&doc, text, n, &limits, NULL, &why);
    if (st != ALM_OK) {
        alm_json_doc_free(&doc);
        return st == ALM_NO_MEMORY ? alm_fail_memory(err)
                                   : alm_fail(err, ALM_MALFORMED, "%s: bad_header: %s", name, why.text);
    }
    object o = {doc.node, name, ALM_OK, err};
    if (doc.node->type != ALM_JSON_OBJECT) SAY(&o, "bad_header", "no JSON object", name);
    if (o.status == ALM_OK) hf_members(&c, &o);
    if (o.status == ALM_OK) o.status = judge(&c, name, err);
    if (o.status == ALM_OK) *out = c;
    alm_json_doc_free(&doc);
    return o.status;
}

static void put_count(alm_json_writer *j, const char *name, size_t x) {
    alm_json_key(j, name);
    alm_json_u64(j, x);
}

static void put_real(alm_json_writer *j, const char *name, double x) {
    alm_json_key(j, name);
    alm_json_number(j, x);
}

static void put_text(alm_json_writer *j, const char *name, const char *x) {
    alm_json_key(j, name);
    alm_json_text(j, x);
}

static void put_rope(alm_json_writer *j, const alm_config *c) {
    put_real(j, "rope_theta", c->rope_theta);
    alm_json_key(j, "rope_scaling");
    if (c->rope_factor == 0.0) {
        alm_json_null(j);
        return;
    }
    alm_json_begin_object(j);
    put_text(j, "rope_type", "llama3");
    put_real(j, "factor", c->rope_factor);
    put_real(j, "low_freq_factor", c->rope_low);
    put_real(j, "high_freq_factor", c->rope_high);
    put_count(j, "original_max_position_embeddings", c->rope_original);
    alm_json_end_object(j);
}

/* The classic form: transformers 4 and 5 both read it. */
alm_status alm_config_to_hf(const alm_config *c, alm_buf *out, uint32_t type, alm_error *err) {
    alm_json_writer j = alm_json_writer_on(out);
    alm_json_begin_object(&j);
    alm_json_key(&j, "architectures");
    alm_json_begin_array(&j);
    alm_json_text(&j, "LlamaForCausalLM");
    alm_json_end_array(&j);
    put_text(&j, "model_type", c->family);
    put_count(&j, "vocab_size", c->n_vocab);
    put_count(&j, "hidden_size", c->hidden);
    put_count(&j, "intermediate_size", c->ffn);
    put_count(&j, "num_hidden_layers", c->n_layers);
    put_count(&j, "num_attention_heads", c->n_heads);
    put_count(&j, "num_key_value_heads", c->n_kv_heads);
    put_count(&j, "head_dim", c->head_dim);
    put_count(&j, "max_position_embeddings", c->context);
    put_real(&j, "rms_norm_eps", c->norm_eps);
    put_rope(&j, c);
    put_text(&j, "hidden_act", "silu");
    alm_json_key(&j, "tie_word_embeddings");
    alm_json_bool(&j, c->tied);
    put_text(&j, "torch_dtype", type == ALM_F32 ? "float32" : type == ALM_F16 ? "float16" : "bfloat16");
    alm_json_end_object(&j);
    alm_buf_add_byte(out, '\n');
    return alm_buf_status(out, err);
}
