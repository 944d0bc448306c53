/* SPDX-License-Identifier: Apache-2.0
 *
 * settings.c - one question, two kinds of file: GGUF keys and config.json.
 *
 * Refusals of a file begin with a class: bad_value (a number outside its range), bad_header (no such key, no JSON),
 * unsupported (a kind of model that this build cannot compute).
 *
 * GGUF stores numbers as f32; read back they get their shortest decimal, so that 1e-5 is 1e-5 again. */
#include "model/settings.h"

#include "dtype/dtype.h"

#include <math.h>
#include <stdio.h>

/* -- refusing --------------------------------------------------------------------------------------------------------------- */

static void refuse(alm_settings *s, alm_status status, const char *class, const char *text) {
    if (s->status != ALM_OK) return;
    if (s->g) s->status = alm_fail(s->err, status, "%s%s", class, text);
    else s->status = alm_fail(s->err, status, "%s: %s%s", s->file, class, text);
}

void alm_settings_refuse(alm_settings *s, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    alm_str_vprint(text, sizeof text, format, args);
    va_end(args);
    refuse(s, ALM_MALFORMED, "", text);
}

void alm_settings_unsupported(alm_settings *s, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    alm_str_vprint(text, sizeof text, format, args);
    va_end(args);
    refuse(s, ALM_UNSUPPORTED, "unsupported: ", text);
}

static void missing(alm_settings *s, const char *name) { alm_settings_refuse(s, "bad_header: %s is missing", name); }
static void no_kind(alm_settings *s, const char *name, const char *kind) {
    alm_settings_refuse(s, "bad_value: %s is no %s", name, kind);
}

/* -- finding ---------------------------------------------------------------------------------------------------------------- */

static const char *full_key(alm_settings *s, const char *name) {
    bool ours = strncmp(name, "alm.", 4) == 0;
    snprintf(s->key, sizeof s->key, "%s%s%s%s", s->prefix, ours ? "" : s->arch, ours ? "" : ".", name);
    return s->key;
}

static const alm_gguf_value *key(alm_settings *s, const char *name) {
    return name ? alm_gguf_find(s->g, full_key(s, name)) : NULL;
}

static const alm_json *member(const alm_settings *s, const char *name) {
    const alm_json *v = name ? alm_json_get(s->object, name) : NULL;
    return v && v->type != ALM_JSON_NULL ? v : NULL;
}

bool alm_settings_has(alm_settings *s, const char *gguf, const char *hf) {
    return s->g ? key(s, gguf) != NULL : member(s, hf) != NULL;
}

bool alm_settings_tensor(alm_settings *s, const char *name) {
    snprintf(s->key, sizeof s->key, "%s%s", s->prefix, name);
    return s->g && alm_gguf_find_tensor(s->g, s->key);
}

/* -- asking ----------------------------------------------------------------------------------------------------------------- */

size_t alm_settings_count(alm_settings *s, const char *gguf, const char *hf, size_t fallback) {
    const char *name = s->g ? gguf : hf;
    if (!alm_settings_has(s, gguf, hf)) {
        if (fallback == ALM_REQUIRED) missing(s, s->g ? s->key : name);
        return fallback == ALM_REQUIRED ? 0 : fallback;
    }
    if (s->g) {
        uint64_t x = 0;
        alm_error why = {0};
        if (alm_gguf_u64(s->g, s->key, &x, &why) != ALM_OK) alm_settings_refuse(s, "bad_value: %s", why.text);
        return x < SIZE_MAX ? (size_t)x : SIZE_MAX;
    }
    int64_t x = 0;
    if (!alm_json_i64(member(s, hf), &x) || x < 0) no_kind(s, hf, "count");
    return x > 0 ? (size_t)x : 0;
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

double alm_settings_real(alm_settings *s, const char *gguf, const char *hf, double fallback) {
    if (!alm_settings_has(s, gguf, hf)) {
        if (fallback == ALM_REQUIRED_REAL) missing(s, s->g ? s->key : hf);
        return fallback == ALM_REQUIRED_REAL ? 0.0 : fallback;
    }
    double x = 0.0;
    if (!s->g) {
        if (!alm_json_f64(member(s, hf), &x)) no_kind(s, hf, "number");
        return x;
    }
    alm_error why = {0};
    if (alm_gguf_f64(s->g, s->key, &x, &why) != ALM_OK) {
        alm_settings_refuse(s, "bad_value: %s", why.text);
        return 0.0;
    }
    return alm_gguf_find(s->g, s->key)->type == ALM_GGUF_F32 ? tidy(x) : x;
}

bool alm_settings_bool(alm_settings *s, const char *gguf, const char *hf, bool fallback) {
    if (!alm_settings_has(s, gguf, hf)) return fallback;
    if (s->g) {
        bool x = false;
        alm_error why = {0};
        if (alm_gguf_bool(s->g, s->key, &x, &why) != ALM_OK) alm_settings_refuse(s, "bad_value: %s", why.text);
        return x;
    }
    const alm_json *v = member(s, hf);
    if (v->type != ALM_JSON_TRUE && v->type != ALM_JSON_FALSE) no_kind(s, hf, "bool");
    return v->type == ALM_JSON_TRUE;
}

alm_str alm_settings_text(alm_settings *s, const char *gguf, const char *hf, const char *fallback) {
    if (!alm_settings_has(s, gguf, hf)) return alm_str_of(fallback);
    if (s->g) {
        alm_str x = {0};
        alm_error why = {0};
        if (alm_gguf_str(s->g, s->key, &x, &why) != ALM_OK) alm_settings_refuse(s, "bad_value: %s", why.text);
        return x;
    }
    const alm_json *v = member(s, hf);
    if (v->type == ALM_JSON_STRING) return v->text;
    no_kind(s, hf, "string");
    return (alm_str){0};
}

static size_t reals_of_tensor(alm_settings *s, const char *name, float *out, size_t max) {
    if (!name || !alm_settings_tensor(s, name)) return 0;
    const alm_gguf_tensor *t = alm_gguf_find_tensor(s->g, s->key);
    if (t->n_dims != 1 || t->type != ALM_F32 || t->dim[0] > max) {
        alm_settings_refuse(s, "bad_shape: tensor %s is no f32 vector of at most %zu", name, max);
        return 0;
    }
    memcpy(out, t->at, (size_t)t->dim[0] * sizeof *out);
    return (size_t)t->dim[0];
}

size_t alm_settings_reals(alm_settings *s, const char *gguf_tensor, const char *hf, float *out, size_t max) {
    if (s->g) return reals_of_tensor(s, gguf_tensor, out, max);
    const alm_json *v = member(s, hf);
    size_t n = 0;
    if (!v) return 0;
    if (v->type != ALM_JSON_ARRAY || v->n > max) {
        alm_settings_refuse(s, "bad_value: %s is no array of at most %zu numbers", hf, max);
        return 0;
    }
    for (const alm_json *c = alm_json_first(v); c; c = alm_json_next(v, c)) {
        double x = 0.0;
        if (!alm_json_f64(c, &x)) no_kind(s, hf, "array of numbers");
        out[n++] = (float)x;
    }
    return n;
}

bool alm_settings_enter(alm_settings *inner, alm_settings *s, const char *hf) {
    const alm_json *v = s->g ? NULL : member(s, hf);
    if (!v || s->status != ALM_OK) return false;
    if (v->type != ALM_JSON_OBJECT) {
        no_kind(s, hf, "object");
        return false;
    }
    *inner = *s;
    inner->object = v;
    return true;
}

void alm_settings_leave(alm_settings *s, const alm_settings *inner) { s->status = inner->status; }

/* -- settings that most families share ------------------------------------------------------------------------------------- */

/* What must be there, unless the family has a default for config.json. */
static size_t needed(alm_settings *s, const char *gguf, const char *hf, size_t usual) {
    return alm_settings_count(s, gguf, hf, s->g || !usual ? ALM_REQUIRED : usual);
}

void alm_settings_vocabulary(alm_config *c, alm_settings *s) {
    if (!s->g) {
        c->n_vocab = needed(s, NULL, "vocab_size", c->n_vocab);
        c->tied = alm_settings_bool(s, NULL, "tie_word_embeddings", c->tied);
        return;
    }
    bool there = alm_settings_tensor(s, "token_embd.weight");
    const alm_gguf_tensor *embedding = there ? alm_gguf_find_tensor(s->g, s->key) : NULL;
    if (!embedding || embedding->n_dims != 2) {
        alm_settings_refuse(s, "missing_tensor: there is no matrix %s", s->key);
        return;
    }
    c->n_vocab = embedding->dim[1] < SIZE_MAX ? (size_t)embedding->dim[1] : SIZE_MAX;
    if (alm_settings_count(s, "vocab_size", NULL, c->n_vocab) != c->n_vocab)
        alm_settings_refuse(s, "bad_shape: %s differs from the %zu rows of the embedding", s->key, c->n_vocab);
    c->tied = !alm_settings_tensor(s, "output.weight");
}

/* Layer norms have a name of their own for it. */
static void norm_eps(alm_config *c, alm_settings *s) {
    double eps = c->norm_eps > 0.0 ? c->norm_eps : 1e-6;
    bool layer = alm_settings_has(s, "attention.layer_norm_epsilon", "layer_norm_eps");
    c->norm_eps = alm_settings_real(s, layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                                    layer ? "layer_norm_eps" : "rms_norm_eps", s->g ? ALM_REQUIRED_REAL : eps);
}

void alm_settings_shape(alm_config *c, alm_settings *s) {
    alm_settings_vocabulary(c, s);
    c->hidden = needed(s, "embedding_length", "hidden_size", c->hidden);
    c->n_layers = needed(s, "block_count", "num_hidden_layers", c->n_layers);
    c->n_heads = needed(s, "attention.head_count", "num_attention_heads", c->n_heads);
    size_t shared = !s->g && c->n_kv_heads ? c->n_kv_heads : c->n_heads;
    c->n_kv_heads = alm_settings_count(s, "attention.head_count_kv", "num_key_value_heads", shared);
    c->ffn = needed(s, "feed_forward_length", "intermediate_size", c->ffn);
    c->context = needed(s, "context_length", "max_position_embeddings", c->context ? c->context : 2048);
    norm_eps(c, s);
    alm_settings_heads(c, s);
}

void alm_settings_heads(alm_config *c, alm_settings *s) {
    c->head_dim = alm_settings_count(s, "attention.key_length", "head_dim", s->g ? 0 : c->head_dim);
    if (s->status == ALM_OK && c->head_dim == 0) {
        if (c->n_heads == 0 || c->hidden % c->n_heads)
            alm_settings_refuse(s, "bad_value: a width of %zu is not divided by %zu heads", c->hidden, c->n_heads);
        else c->head_dim = c->hidden / c->n_heads;
    }
    if (alm_settings_count(s, "attention.value_length", NULL, c->head_dim) != c->head_dim)
        alm_settings_unsupported(s, "values of another size (key %s)", s->key);
}

void alm_settings_gelu(alm_config *c, alm_settings *s, const char *hf, alm_activation usual) {
    alm_settings_activation(c, s, hf, usual);
    if (c->activation == ALM_ACT_SILU) alm_settings_unsupported(s, "another %s than GELU", hf);
}

size_t alm_settings_rows_of(alm_settings *s, const char *tensor) {
    const alm_gguf_tensor *t = alm_settings_tensor(s, tensor) ? alm_gguf_find_tensor(s->g, s->key) : NULL;
    if (!t || t->n_dims != 2 || t->dim[1] > SIZE_MAX / 2) {
        alm_settings_refuse(s, "missing_tensor: there is no matrix %s", tensor);
        return 0;
    }
    return (size_t)t->dim[1];
}

size_t alm_settings_members(alm_settings *s, const char *hf) {
    const alm_json *v = s->g ? NULL : member(s, hf);
    return v && v->type == ALM_JSON_OBJECT ? v->n : 0;
}

bool alm_settings_lists(alm_settings *s, const char *hf, const char *text) {
    const alm_json *v = s->g ? NULL : member(s, hf);
    if (!v || v->type != ALM_JSON_ARRAY) return false;
    for (const alm_json *c = alm_json_first(v); c; c = alm_json_next(v, c))
        if (c->type == ALM_JSON_STRING && alm_str_eq(c->text, alm_str_of(text))) return true;
    return false;
}

void alm_settings_only(alm_config *c, alm_settings *s, alm_activation activation, const char *const *biases) {
    static const char *const names[] = {"silu", "gelu_pytorch_tanh", "gelu"};
    const char *hf = alm_settings_has(s, NULL, "hidden_activation") ? "hidden_activation" : "hidden_act";
    alm_settings_activation(c, s, hf, activation);
    if (c->activation != activation) alm_settings_unsupported(s, "another %s than %s", hf, names[activation]);
    for (; *biases; biases++)
        if (alm_settings_bool(s, NULL, *biases, false)) alm_settings_unsupported(s, "biases (%s)", *biases);
}

void alm_settings_attention_bias(alm_config *c, alm_settings *s) {
    bool said = alm_settings_bool(s, NULL, "attention_bias", false);
    c->attention_bias = said || alm_settings_tensor(s, "blk.0.attn_q.bias");
    c->output_bias = said || alm_settings_tensor(s, "blk.0.attn_output.bias");
}

void alm_settings_mlp_bias(alm_config *c, alm_settings *s) {
    c->mlp_bias = alm_settings_bool(s, NULL, "mlp_bias", false) || alm_settings_tensor(s, "blk.0.ffn_up.bias");
}

void alm_settings_switched_window(alm_config *c, alm_settings *s) {
    if (!alm_settings_bool(s, NULL, "use_sliding_window", false)) return;
    c->window = alm_settings_count(s, NULL, "sliding_window", 0);
    if (c->window) alm_settings_local(c, s, 0);
    if (alm_settings_has(s, NULL, "layer_types")) return;
    size_t whole = alm_settings_count(s, NULL, "max_window_layers", 28);
    for (size_t i = 0; i < whole && i < c->n_layers && i < ALM_MODEL_MAX_LAYERS; i++)
        c->local[i / 8] &= (unsigned char)~(1U << i % 8);
}

void alm_settings_plain_weights(alm_settings *s) {
    if (alm_settings_has(s, NULL, "quantization_config"))
        alm_settings_unsupported(s, "weights quantised in another library's way");
}

void alm_settings_activation(alm_config *c, alm_settings *s, const char *hf, alm_activation fallback) {
    static const struct {
        const char *name;
        alm_activation is;
    } names[] = {{"silu", ALM_ACT_SILU},           {"swish", ALM_ACT_SILU},
                 {"gelu", ALM_ACT_GELU_ERF},       {"gelu_new", ALM_ACT_GELU_TANH},
                 {"gelu_fast", ALM_ACT_GELU_TANH}, {"gelu_pytorch_tanh", ALM_ACT_GELU_TANH}};
    c->activation = fallback;
    if (!alm_settings_has(s, NULL, hf)) return;
    alm_str text = alm_settings_text(s, NULL, hf, "");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!alm_str_eq(text, alm_str_of(names[i].name))) continue;
        c->activation = names[i].is;
        return;
    }
    alm_settings_unsupported(s, "%s \"%.*s\"", hf, ALM_ARG(text));
}

static void set_layer(unsigned char *bits, size_t layer) {
    if (layer < ALM_MODEL_MAX_LAYERS) bits[layer / 8] |= (unsigned char)(1U << layer % 8);
}

void alm_settings_layers(alm_settings *s, const char *hf, unsigned char bits[ALM_MODEL_MAX_LAYERS / 8]) {
    const alm_json *list = s->g ? NULL : member(s, hf);
    if (list && list->type != ALM_JSON_ARRAY) no_kind(s, hf, "array of layers");
    for (const alm_json *v = list ? alm_json_first(list) : NULL; v; v = alm_json_next(list, v)) {
        int64_t layer = -1;
        if (!alm_json_i64(v, &layer)) no_kind(s, hf, "array of layers");
        if (layer >= 0) set_layer(bits, (size_t)layer);
    }
}

void alm_settings_local(alm_config *c, alm_settings *s, size_t every) {
    const alm_json *types = s->g ? NULL : member(s, "layer_types");
    memset(c->local, 0, sizeof c->local);
    if (!types) {
        for (size_t i = 0; i < c->n_layers && i < ALM_MODEL_MAX_LAYERS; i++)
            if (!every || (i + 1) % every) set_layer(c->local, i);
        return;
    }
    if (types->type != ALM_JSON_ARRAY || types->n != c->n_layers) {
        alm_settings_refuse(s, "bad_value: layer_types are not one for each of %zu layers", c->n_layers);
        return;
    }
    size_t i = 0;
    for (const alm_json *v = alm_json_first(types); v; v = alm_json_next(types, v), i++) {
        if (v->type == ALM_JSON_STRING && alm_str_eq(v->text, ALM_STR("sliding_attention"))) set_layer(c->local, i);
        else if (v->type != ALM_JSON_STRING || !alm_str_eq(v->text, ALM_STR("full_attention")))
            alm_settings_unsupported(s, "a layer of another type than sliding_attention and full_attention");
    }
}
