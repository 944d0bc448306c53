/* SPDX-License-Identifier: Apache-2.0
 *
 * text/json_steps.h - what the two readers of tokenizer.json share: looking at values, refusing by name, the steps. */
#ifndef ALM_TEXT_JSON_STEPS_H
#define ALM_TEXT_JSON_STEPS_H

#include "base/json.h"
#include "text/tokenizer_inner.h"

static inline alm_str alm_json_step_text(const alm_json *v) {
    return v && v->type == ALM_JSON_STRING ? v->text : (alm_str){"", 0};
}
static inline bool alm_json_step_true(const alm_json *v) { return v && v->type == ALM_JSON_TRUE; }
/* A flag that is true where it is missing. */
static inline bool alm_json_step_not_false(const alm_json *v) { return !v || v->type == ALM_JSON_TRUE; }
static inline bool alm_json_step_type(const alm_json *v, const char *name) {
    return alm_str_eq(alm_json_step_text(alm_json_get(v, "type")), alm_str_of(name));
}
/* for (EACH(c, v)): the children of an array, or the keys of an object, whose values are c + 1; nothing of a NULL. */
#define ALM_JSON_STEP_EACH(c, of)           \
    const alm_json *c = alm_json_first(of); \
    c;                                      \
    c = alm_json_next(of, c)

alm_status alm_tokenizer_json_lacks(alm_error *err, const char *what, alm_str name);
alm_status alm_tokenizer_json_broken(alm_error *err, const char *what);

/* Whether words reach the model as bytes (a ByteLevel step is there). */
bool alm_json_steps_are_bytes(const alm_json *root);
/* normalizer, pre_tokenizer, decoder; t has its model already. */
alm_status alm_json_steps_read(alm_tokenizer *t, const alm_json *root, alm_error *err);

#endif
