/* SPDX-License-Identifier: Apache-2.0
 *
 * model/settings.h - reading a configuration, whether it stands in GGUF keys or in config.json; private to this room.
 *
 * A family names each setting twice, once for each kind of file, and reads both with the same function. A key of GGUF is
 * written without the architecture in front ("attention.head_count"), one of ours in full ("alm.rope.factor"). A NULL name
 * means that this kind of file does not say it: then the fallback counts. The first failure is kept in `status`; later
 * questions give fallbacks. */
#ifndef ALM_MODEL_SETTINGS_H
#define ALM_MODEL_SETTINGS_H

#include "base/json.h"
#include "model/model.h"

typedef struct alm_settings {
    const alm_gguf *g; /* GGUF, else NULL */
    const char *prefix;
    char arch[64];
    const alm_json *object; /* config.json */
    const char *file;       /* its name in messages */
    char key[ALM_GGUF_MAX_NAME + 200];
    alm_status status;
    alm_error *err;
} alm_settings;

/* There is no default: its absence is a failure. */
#define ALM_REQUIRED      SIZE_MAX
#define ALM_REQUIRED_REAL (-1.0)

bool alm_settings_has(alm_settings *s, const char *gguf, const char *hf);
size_t alm_settings_count(alm_settings *s, const char *gguf, const char *hf, size_t fallback);
double alm_settings_real(alm_settings *s, const char *gguf, const char *hf, double fallback);
bool alm_settings_bool(alm_settings *s, const char *gguf, const char *hf, bool fallback);
alm_str alm_settings_text(alm_settings *s, const char *gguf, const char *hf, const char *fallback);
/* At most max numbers of an array of config.json, or of an f32 tensor of GGUF (NULL: it has no such tensor); 0 when there is
 * none. */
size_t alm_settings_reals(alm_settings *s, const char *gguf_tensor, const char *hf, float *out, size_t max);
/* A member of config.json that is an object: its settings, with the same status; false: there is none. Give the status back
 * with alm_settings_leave. */
bool alm_settings_enter(alm_settings *inner, alm_settings *s, const char *hf);
void alm_settings_leave(alm_settings *s, const alm_settings *inner);
/* Does a GGUF have this tensor? */
bool alm_settings_tensor(alm_settings *s, const char *name);

/* Refusals; the first one counts. The class is said in front: bad_value: ... */
void alm_settings_refuse(alm_settings *s, const char *format, ...) ALM_PRINTF(2, 3);
void alm_settings_unsupported(alm_settings *s, const char *format, ...) ALM_PRINTF(2, 3);

/* -- settings that most families share ------------------------------------------------------------------------------------- */

/* n_vocab, hidden, n_layers, n_heads, n_kv_heads, head_dim, ffn, context, norm_eps, tied, as Llama names them. What c holds
 * before (other than 0) is the family's default where config.json does not say it. */
void alm_settings_shape(alm_config *c, alm_settings *s);
/* Parts of it: n_vocab and tied; head_dim, after n_heads and hidden. */
void alm_settings_vocabulary(alm_config *c, alm_settings *s);
void alm_settings_heads(alm_config *c, alm_settings *s);
/* GELU in one of its forms, `usual` where it is not said; everything else is refused. */
void alm_settings_gelu(alm_config *c, alm_settings *s, const char *hf, alm_activation usual);
/* GGUF: rows of a matrix that must be there. */
size_t alm_settings_rows_of(alm_settings *s, const char *tensor);
/* config.json: members of an object, 0 when there is none; whether an array holds this string. */
size_t alm_settings_members(alm_settings *s, const char *hf);
/* config.json: sets the bits of the layers whose numbers an array holds. */
void alm_settings_layers(alm_settings *s, const char *hf, unsigned char bits[ALM_MODEL_MAX_LAYERS / 8]);
bool alm_settings_lists(alm_settings *s, const char *hf, const char *text);
/* rope_theta (theta: where it is not said), rope_dims and every kind of scaling. After the shape. */
void alm_settings_rope(alm_config *c, alm_settings *s, double theta);
/* silu, gelu in both forms; `fallback` where it is not said (GGUF never says it). */
void alm_settings_activation(alm_config *c, alm_settings *s, const char *hf, alm_activation fallback);
/* All layers, or those whose number + 1 is no multiple of `every`, are local; layer_types of config.json come first. */
void alm_settings_local(alm_config *c, alm_settings *s, size_t every);
/* Qwen's window: only where use_sliding_window is true, in the layers from max_window_layers on. */
void alm_settings_switched_window(alm_config *c, alm_settings *s);
/* Biases that are there or not: config.json says it, in GGUF the first layer's tensors do. Of attention: q, k and v together,
 * and the output projection (config.json has one word for both); of the feed-forward part. */
void alm_settings_attention_bias(alm_config *c, alm_settings *s);
void alm_settings_mlp_bias(alm_config *c, alm_settings *s);
/* Activations other than this one, and biases under these names (NULL at the end), are refused. */
void alm_settings_only(alm_config *c, alm_settings *s, alm_activation activation, const char *const *biases);
/* Weights quantised in another library's way are refused. */
void alm_settings_plain_weights(alm_settings *s);

#endif
