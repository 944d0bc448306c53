/* SPDX-License-Identifier: Apache-2.0
 *
 * config_write.c - a configuration as GGUF keys and as config.json, for families that say `writes` (today: llama).
 *
 * What these files have no word for is refused, never left out. */
#include "base/mathx.h"
#include "dtype/dtype.h"
#include "model/family.h"

#include <stdio.h>

static alm_status check(const alm_config *c, alm_error *err) {
    const alm_family *f = alm_family_named(alm_str_of(c->family));
    if (f && f->writes) return ALM_OK;
    return alm_fail(err, ALM_UNSUPPORTED, "models of the family %s are read, not written", c->family);
}

alm_status alm_model_writable(const alm_model *m, alm_error *err) {
    const alm_config *c = &m->config;
    alm_status st = check(c, err);
    if (st != ALM_OK) return alm_hint(err, "what is trained or converted is written; a Llama can be"), st;
    bool unsaid = c->rope_factor != 0.0 && (c->rope_kind == ALM_ROPE_LONG || c->rope_ragged);
    return unsaid ? alm_fail(err, ALM_UNSUPPORTED, "GGUF has no keys for this scaling of RoPE") : ALM_OK;
}

/* -- GGUF --------------------------------------------------------------------------------------------------------------- */

typedef struct keys {
    alm_gguf_writer *w;
    const char *prefix, *arch;
    char name[200];
} keys;

/* With the architecture in front, except ours and those of everybody. */
static const char *key(keys *k, const char *name) {
    bool whole = strncmp(name, "alm.", 4) == 0 || strncmp(name, "general.", 8) == 0;
    snprintf(k->name, sizeof k->name, "%s%s%s%s", k->prefix, whole ? "" : k->arch, whole ? "" : ".", name);
    return k->name;
}

/* All are below 2^32: alm_config_check. */
static void set_u32(keys *k, const char *name, size_t x) { alm_gguf_set_u32(k->w, key(k, name), (uint32_t)x); }
static void set_f32(keys *k, const char *name, double x) { alm_gguf_set_f32(k->w, key(k, name), (float)x); }
static void set_str(keys *k, const char *name, const char *x) { alm_gguf_set_str(k->w, key(k, name), alm_str_of(x)); }

static alm_status gguf_rope(keys *k, const alm_config *c, alm_error *err) {
    set_u32(k, "rope.dimension_count", c->rope_dims ? c->rope_dims : c->head_dim);
    set_f32(k, "rope.freq_base", c->rope_theta);
    if (c->rope_factor == 0.0) return ALM_OK;
    switch (c->rope_kind) {
    case ALM_ROPE_LLAMA3: /* other programs read the tensor rope_freqs; these say where it came from */
        set_f32(k, "alm.rope.factor", c->rope_factor);
        set_f32(k, "alm.rope.low", c->rope_low);
        set_f32(k, "alm.rope.high", c->rope_high);
        set_u32(k, "alm.rope.original", c->rope_original);
        return ALM_OK;
    case ALM_ROPE_LINEAR:
        set_str(k, "rope.scaling.type", "linear");
        set_f32(k, "rope.scaling.factor", c->rope_factor);
        return ALM_OK;
    case ALM_ROPE_YARN:
        if (c->rope_ragged) break;
        set_str(k, "rope.scaling.type", "yarn");
        set_f32(k, "rope.scaling.factor", c->rope_factor);
        set_u32(k, "rope.scaling.original_context_length", c->rope_original);
        set_f32(k, "rope.scaling.yarn_beta_fast", c->rope_high);
        set_f32(k, "rope.scaling.yarn_beta_slow", c->rope_low);
        if (c->rope_amplitude != 0.0) {
            double usual = c->rope_factor > 1.0 ? 0.1 * alm_log_f64(c->rope_factor) + 1.0 : 1.0;
            set_f32(k, "rope.scaling.attn_factor", c->rope_amplitude / usual);
        }
        return ALM_OK;
    case ALM_ROPE_LONG: break;
    }
    return alm_fail(err, ALM_UNSUPPORTED, "GGUF has no keys for this scaling of RoPE");
}

/* llama.cpp's numbers of what most tensors of a file are: not those of the types. */
static uint32_t file_type(uint32_t type) {
    static const struct {
        uint8_t type, file;
    } of[] = {{1, 1},   {2, 2},   {3, 3},   {6, 8},   {7, 9},   {8, 7},   {10, 10}, {11, 11}, {12, 14},
              {13, 16}, {14, 18}, {20, 25}, {23, 30}, {30, 32}, {34, 36}, {35, 37}, {39, 38}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (of[i].type == type) return of[i].file;
    return 0;
}

alm_status alm_config_to_gguf(const alm_config *c, alm_gguf_writer *w, const char *prefix, uint32_t type,
                              alm_error *err) {
    keys k = {.w = w, .prefix = prefix, .arch = c->family};
    alm_status st = check(c, err);
    if (st != ALM_OK) return st;
    set_str(&k, "general.architecture", c->family);
    set_u32(&k, "general.file_type", file_type(type));
    set_u32(&k, "general.quantization_version", 2);
    set_u32(&k, "vocab_size", c->n_vocab);
    set_u32(&k, "context_length", c->context);
    set_u32(&k, "embedding_length", c->hidden);
    set_u32(&k, "block_count", c->n_layers);
    set_u32(&k, "feed_forward_length", c->ffn);
    set_u32(&k, "attention.head_count", c->n_heads);
    set_u32(&k, "attention.head_count_kv", c->n_kv_heads);
    set_u32(&k, "attention.key_length", c->head_dim);
    set_u32(&k, "attention.value_length", c->head_dim);
    set_f32(&k, "attention.layer_norm_rms_epsilon", c->norm_eps);
    if (c->window) set_u32(&k, "attention.sliding_window", c->window);
    return gguf_rope(&k, c, err);
}

/* -- config.json -------------------------------------------------------------------------------------------------------- */

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

static void put_true(alm_json_writer *j, const char *name) {
    alm_json_key(j, name);
    alm_json_bool(j, true);
}

static void put_reals(alm_json_writer *j, const char *name, const float *x, size_t n) {
    alm_json_key(j, name);
    alm_json_begin_array(j);
    for (size_t i = 0; i < n; i++) alm_json_number(j, (double)x[i]);
    alm_json_end_array(j);
}

static void put_scaling(alm_json_writer *j, const alm_config *c) {
    static const char *const names[] = {"llama3", "linear", "yarn", "longrope"};
    size_t n = alm_config_pairs(c);
    put_text(j, "rope_type", names[c->rope_kind]);
    put_real(j, "factor", c->rope_factor);
    switch (c->rope_kind) {
    case ALM_ROPE_LLAMA3:
        put_real(j, "low_freq_factor", c->rope_low);
        put_real(j, "high_freq_factor", c->rope_high);
        break;
    case ALM_ROPE_LINEAR: return;
    case ALM_ROPE_YARN:
        put_real(j, "beta_slow", c->rope_low);
        put_real(j, "beta_fast", c->rope_high);
        alm_json_key(j, "truncate");
        alm_json_bool(j, !c->rope_ragged);
        break;
    case ALM_ROPE_LONG:
        put_reals(j, "short_factor", c->rope_short, n);
        put_reals(j, "long_factor", c->rope_long, n);
        break;
    }
    if (c->rope_amplitude != 0.0) put_real(j, "attention_factor", c->rope_amplitude);
    put_count(j, "original_max_position_embeddings", c->rope_original);
}

static void put_rope(alm_json_writer *j, const alm_config *c) {
    put_real(j, "rope_theta", c->rope_theta);
    alm_json_key(j, "rope_scaling");
    if (c->rope_factor == 0.0) {
        alm_json_null(j);
        return;
    }
    alm_json_begin_object(j);
    put_scaling(j, c);
    alm_json_end_object(j);
}

/* attention_bias is one word for q, k, v and the output projection; Mistral has no such word. */
static alm_status check_biases(const alm_config *c, alm_error *err) {
    if (c->attention_bias != c->output_bias)
        return alm_fail(err, ALM_UNSUPPORTED, "config.json has no word for biases on %s alone",
                        c->attention_bias ? "q, k and v" : "the output projection");
    if (c->window && (c->attention_bias || c->mlp_bias))
        return alm_fail(err, ALM_UNSUPPORTED, "config.json has no word for a window beside biases");
    return ALM_OK;
}

/* The classic form: transformers 4 and 5 both read it. A window makes it a Mistral. */
alm_status alm_config_to_hf(const alm_config *c, alm_buf *out, uint32_t type, alm_error *err) {
    alm_json_writer j = alm_json_writer_on(out);
    alm_status st = check(c, err);
    if (st == ALM_OK) st = check_biases(c, err);
    if (st != ALM_OK) return st;
    alm_json_begin_object(&j);
    alm_json_key(&j, "architectures");
    alm_json_begin_array(&j);
    alm_json_text(&j, c->window ? "MistralForCausalLM" : "LlamaForCausalLM");
    alm_json_end_array(&j);
    put_text(&j, "model_type", c->window ? "mistral" : c->family);
    put_count(&j, "vocab_size", c->n_vocab);
    put_count(&j, "hidden_size", c->hidden);
    put_count(&j, "intermediate_size", c->ffn);
    put_count(&j, "num_hidden_layers", c->n_layers);
    put_count(&j, "num_attention_heads", c->n_heads);
    put_count(&j, "num_key_value_heads", c->n_kv_heads);
    put_count(&j, "head_dim", c->head_dim);
    put_count(&j, "max_position_embeddings", c->context);
    if (c->window) put_count(&j, "sliding_window", c->window);
    put_real(&j, "rms_norm_eps", c->norm_eps);
    put_rope(&j, c);
    put_text(&j, "hidden_act", "silu");
    if (c->attention_bias) put_true(&j, "attention_bias");
    if (c->mlp_bias) put_true(&j, "mlp_bias");
    alm_json_key(&j, "tie_word_embeddings");
    alm_json_bool(&j, c->tied);
    put_text(&j, "torch_dtype", type == ALM_F32 ? "float32" : type == ALM_F16 ? "float16" : "bfloat16");
    alm_json_end_object(&j);
    alm_buf_add_byte(out, '\n');
    return alm_buf_status(out, err);
}
